import { expect, test } from "./dashboard";
import { TOKEN } from "./site";

test("the link in the server's log logs in one browser, once", async ({ page, site, browser, guard }) => {
  guard.expected.push(/401/);
  const link = await site.loginLink();
  await page.goto(link);
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  expect(new URL(page.url()).pathname + new URL(page.url()).search, "the code must not stay in the address").toBe("/");

  const other = await browser.newContext();
  await other.request.get(link);
  const stranger = await other.newPage();
  await stranger.goto(site.url);
  await expect(stranger.getByTestId("login-token")).toBeVisible();
  await other.close();
});

test("a wrong token is refused in words, the right one lets in, and logging out ends it", async ({
  page,
  site,
  guard,
}) => {
  guard.expected.push(/401/); // the browser notes that nobody is logged in, and the refusal
  await page.goto(site.url);
  await page.getByTestId("login-token").fill("not-the-token");
  await page.getByTestId("login-submit").click();
  await expect(page.getByTestId("login-error")).toHaveText(/\w+ \w+/);
  await expect(page.getByTestId("login-token")).toBeFocused();

  await page.getByTestId("login-token").fill(TOKEN);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  await expect(page.getByTestId("door-front")).toBeVisible();

  await page.getByTestId("logout").click();
  await expect(page.getByTestId("login-token")).toBeVisible();
  await page.reload();
  await expect(page.getByTestId("login-token")).toBeVisible();
});

test("the cookie is kept from scripts", async ({ dashboard, context }) => {
  expect(await dashboard.evaluate(() => document.cookie)).toBe("");
  const cookies = await context.cookies();
  expect(cookies).not.toHaveLength(0);
  for (const cookie of cookies)
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: expect.stringMatching(/Lax|Strict/) });
});
