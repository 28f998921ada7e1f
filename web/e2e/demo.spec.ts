import { test as base, expect } from "@playwright/test";
import { expectLocked, Guard, holdMouse } from "./dashboard";
import { Demo } from "./site";

const test = base.extend<{ demo: Demo }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from this pattern
  demo: async ({}, use) => {
    const demo = await Demo.start();
    await use(demo);
    await demo.stop();
  },
});

test("without any configuration there is a site to try, and a token for scripts to be had", async ({
  page,
  demo,
  browser,
}) => {
  const guard = new Guard(page, demo.url);
  await page.goto(demo.link);
  await expect(page.getByTestId("demo")).toContainText("DEMO");
  await expect(page.locator("article.camera").first()).toContainText("virtual");

  const door = (await page.locator("article.door").first().getAttribute("data-testid"))?.replace("door-", "") ?? "";
  await expectLocked(page, door);
  await holdMouse(page, page.getByTestId(`door-${door}-open`), 1200);
  await expect(page.getByTestId(`door-${door}-state`)).toHaveText("Unlocked (relay)");

  await page.getByTestId("token").click();
  await expect(page.getByRole("dialog")).toContainText("replaces the old one");
  await page.screenshot({ path: "../artefacts/dashboard-demo-token.png" });
  await page.getByTestId("token-make").click();
  const token = await page.getByTestId("token-value").inputValue();
  expect(token.length).toBeGreaterThan(20);
  await page.getByTestId("token-copy").click();
  await expect(page.getByRole("dialog")).toContainText("Copied.");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("token-value")).toHaveCount(0);

  const other = await browser.newContext();
  const script = await other.newPage();
  await script.goto(demo.url);
  await script.getByTestId("login-token").fill(token);
  await script.getByTestId("login-submit").click();
  await expect(script.getByTestId("connection")).toHaveText("Connected");
  await other.close();
  guard.check();
});
