import type { Page } from "@playwright/test";
import { expect, expectLocked, openedWithPictures, test } from "./dashboard";
import type { Site } from "./site";

test("the page is served with a policy that lets it load from its own server only", async ({ page, site, guard }) => {
  guard.expected.push(/401/);
  const answer = await page.goto(site.url);
  const policy = answer?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toContain("unsafe");
});

const PASSWORD = "correct horse battery";

/** Bring a page to show something, ready to be looked at. */
const PAGES: Readonly<Record<string, (page: Page, site: Site) => Promise<void>>> = {
  dashboard: async (page) => {
    await expectLocked(page);
    for (const camera of ["entrance", "yard"])
      await expect(page.getByTestId(`camera-${camera}-state`)).toHaveText("live");
  },
  events: async (page) => {
    await page.getByTestId("to-events").click();
    await expect(page.getByTestId("timeline").locator("li").first()).toBeVisible();
  },
  event: async (page) => {
    await page.getByTestId("to-events").click();
    const opened = page.getByTestId("timeline").locator('a[data-kind="door.opened"]', { hasText: "picture" });
    await opened.first().click();
    await expect(page.getByTestId("verified-word")).toHaveText("Verified");
  },
  people: async (page) => {
    await page.getByTestId("to-people").click();
    await expect(page.getByTestId("matrix")).toBeVisible();
  },
  account: async (page) => {
    await page.getByTestId("to-account").click();
    await page.getByTestId("key-label").fill("script");
    await expect(page.getByTestId("logins").locator("li").first()).toBeVisible();
  },
  login: async (page, site) => {
    await page.context().clearCookies();
    await page.goto(site.url);
    await page.reload();
    await expect(page.getByTestId("login")).toBeVisible();
  },
};

test.beforeAll(async ({ site }) => {
  await site.addUser("operator-of-the-front-door", "operator", PASSWORD, "door:front", "camera:*");
  await site.addUser("visitor", "viewer", PASSWORD, "camera:yard");
  await openedWithPictures(site, "front", "something to look at: a reason that takes some room");
});

for (const scheme of ["light", "dark"] as const) {
  for (const width of [360, 1280]) {
    for (const [name, show] of Object.entries(PAGES)) {
      test(`${name} at ${width} px in ${scheme} fits, and looks as in the screenshot`, async ({
        dashboard,
        site,
        guard,
      }) => {
        guard.expected.push(/401/);
        await dashboard.emulateMedia({ colorScheme: scheme });
        await dashboard.setViewportSize({ width, height: 860 });
        await show(dashboard, site);
        const wide = await dashboard.evaluate(() => document.documentElement.scrollWidth);
        await dashboard.screenshot({ path: `../artefacts/${name}-${width}-${scheme}.png`, fullPage: true });
        expect(wide, "no horizontal scroll").toBeLessThanOrEqual(width);
        guard.check();
      });
    }
  }
}

test("everything that can be pressed can be reached and has a name", async ({ dashboard }) => {
  await expectLocked(dashboard);
  for (const control of await dashboard.locator("button, input, ol[tabindex]").all())
    if (await control.isVisible()) expect(await control.evaluate((element: HTMLElement) => element.tabIndex)).toBe(0);
  for (const name of ["Hold to open", "Lock", "Log out"])
    await expect(dashboard.getByRole("button", { name, exact: true }).first()).toBeVisible();
  for (const name of ["Live", "Events", "People", /Account/])
    await expect(dashboard.getByRole("link", { name }).first()).toBeVisible();
  await expect(dashboard.getByRole("textbox", { name: /Reason/ }).first()).toBeVisible();
});
