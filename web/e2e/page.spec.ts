import { expect, expectLocked, test } from "./dashboard";

test("the page is served with a policy that lets it load from its own server only", async ({ page, site, guard }) => {
  guard.expected.push(/401/);
  const answer = await page.goto(site.url);
  const policy = answer?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toContain("unsafe");
});

for (const scheme of ["light", "dark"] as const) {
  for (const width of [360, 1280]) {
    test(`at ${width} px in ${scheme} it fits, and looks as in the screenshot`, async ({ dashboard, guard }) => {
      await dashboard.emulateMedia({ colorScheme: scheme });
      await dashboard.setViewportSize({ width, height: 860 });
      await expectLocked(dashboard);
      for (const camera of ["entrance", "yard"])
        await expect(dashboard.getByTestId(`camera-${camera}-state`)).toHaveText("live");
      const wide = await dashboard.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, "no horizontal scroll").toBeLessThanOrEqual(width);
      await dashboard.screenshot({ path: `../artefacts/dashboard-${width}-${scheme}.png`, fullPage: width < 500 });
      guard.check();
    });
  }
}

test("everything that can be pressed can be reached and has a name", async ({ dashboard }) => {
  await expectLocked(dashboard);
  for (const control of await dashboard.locator("button, input, ol[tabindex]").all())
    if (await control.isVisible()) expect(await control.evaluate((element: HTMLElement) => element.tabIndex)).toBe(0);
  for (const name of ["Hold to open", "Lock", "Log out", /Token/])
    await expect(dashboard.getByRole("button", { name, exact: true }).first()).toBeVisible();
  await expect(dashboard.getByRole("textbox", { name: /Reason/ }).first()).toBeVisible();
});
