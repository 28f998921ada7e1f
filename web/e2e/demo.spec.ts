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

test("without any configuration there is a site to try, once its owner has chosen a password", async ({
  page,
  demo,
  browser,
}) => {
  const guard = new Guard(page, demo.url);
  await page.goto(demo.link);
  await expect(page.getByTestId("setup")).toBeVisible();
  expect(new URL(page.url()).search, "the code must not stay in the address").toBe("");
  await expect(page.getByTestId("setup-name")).toHaveValue("admin");
  await expect(page.getByText("at least 10 characters")).toBeVisible();
  await expect(page.locator("nav, article")).toHaveCount(0);
  await page.screenshot({ path: "../artefacts/first-start.png" });
  await page.reload();
  await expect(page.getByTestId("setup"), "it insists").toBeVisible();

  await page.getByTestId("setup-password").fill("short");
  await expect(page.getByTestId("setup-submit")).toBeDisabled();
  await page.getByTestId("setup-password").fill("correct horse battery");
  await page.getByTestId("setup-submit").click();
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  await expect(page.getByTestId("demo")).toContainText("DEMO");
  await expect(page.locator("article.camera").first()).toContainText("virtual");

  const door = (await page.locator("article.door").first().getAttribute("data-testid"))?.replace("door-", "") ?? "";
  await expectLocked(page, door);
  await expect(page.getByTestId(`door-${door}-unsigned`), "the demo's lock has a key").toHaveCount(0);
  await holdMouse(page, page.getByTestId(`door-${door}-open`), 1200);
  await expect(page.getByTestId(`door-${door}-state`)).toHaveText("Unlocked (relay)");
  guard.check();

  const other = await browser.newContext();
  const again = await other.newPage();
  await again.goto(demo.link);
  await again.goto(demo.url);
  await expect(again.getByTestId("login"), "the link works once").toBeVisible();
  await again.getByTestId("login-name").fill("admin");
  await again.getByTestId("login-password").fill("correct horse battery");
  await again.getByTestId("login-submit").click();
  await expect(again.getByTestId("connection")).toHaveText("Connected");
  await other.close();
});
