import { expect, expectLocked, logIn, logInByKey, test } from "./dashboard";
import { TOKEN } from "./site";

const PASSWORD = "correct horse battery";

test.beforeAll(async ({ site }) => {
  await site.addUser("ana", "operator", PASSWORD, "door:front");
  await site.addUser("vera", "viewer", PASSWORD, "door:*", "camera:yard");
  await site.addUser("olga", "owner", PASSWORD);
});

test.beforeEach(({ guard }) => {
  guard.expected.push(/401/); // the browser notes that nobody is logged in, and each refusal
});

test("a wrong password is refused in words, the right one lets in, and logging out ends it", async ({ page, site }) => {
  await page.goto(site.url);
  await page.getByTestId("login-submit").click();
  await expect(page.getByTestId("login-error")).toHaveText("Type your name first.");
  await logIn(page, site, "ana", "not the password");
  await expect(page.getByTestId("login-error")).toHaveText("This name and password don’t belong together.");
  await logIn(page, site, "nobody-at-all", "not the password");
  await expect(page.getByTestId("login-error")).toHaveText("This name and password don’t belong together.");
  await expect(page.getByTestId("login-password")).toBeFocused();

  await page.getByTestId("login-name").fill("ana");
  await page.getByTestId("login-password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  await expect(page.getByTestId("door-front")).toBeVisible();

  await page.getByTestId("logout").click();
  await expect(page.getByTestId("login-name")).toBeVisible();
  await page.reload();
  await expect(page.getByTestId("login-name")).toBeVisible();
});

test("after too many wrong passwords there is a wait, counted down, and then it goes on", async ({
  page,
  site,
  guard,
}) => {
  guard.expected.push(/429/);
  await page.goto(site.url);
  await page.getByTestId("login-name").fill("vera");
  const submit = page.getByTestId("login-submit");
  const error = page.getByTestId("login-error");
  for (let attempt = 0; attempt < 12; attempt++) {
    await page.getByTestId("login-password").fill(`wrong ${attempt}`);
    await submit.click();
    await expect(submit).not.toHaveText("Logging in…");
    if (/Wait/.test((await error.textContent()) ?? "")) break;
  }
  await expect(error).toHaveText(/Too many wrong attempts\. Wait \d/);
  await expect(submit).toHaveText(/Wait \d+ s/);
  await expect(submit).toBeDisabled();
  await page.screenshot({ path: "../artefacts/login-too-many.png" });
  await expect(submit).toHaveText("Log in", { timeout: 30_000 });
  await page.getByTestId("login-password").fill(PASSWORD);
  await submit.click();
  await expect(page.getByTestId("connection")).toHaveText("Connected");
});

test("passwords over an insecure channel, and a server that is away, are told apart", async ({ page, site, guard }) => {
  guard.expected.push(/403|ERR_FAILED/);
  await page.goto(site.url);
  const refuse = { status: 403, json: { error: { code: "insecure", message: "plain HTTP" } } };
  await page.route("**/login", (route) => route.fulfill(refuse)); // a test can’t come from another machine
  await page.getByTestId("login-name").fill("ana");
  await page.getByTestId("login-password").fill(PASSWORD);
  await page.getByTestId("login-submit").click();
  await expect(page.getByTestId("login-error")).toContainText("not encrypted");
  await page.unroute("**/login");
  await page.route("**/login", (route) => route.abort());
  await page.getByTestId("login-submit").click();
  await expect(page.getByTestId("login-error")).toHaveText("The server can’t be reached. Is it running?");
});

test("a key logs in too, and a wrong one doesn’t", async ({ page, site }) => {
  await page.goto(site.url);
  await page.getByTestId("login-switch").click();
  await page.getByTestId("login-key").fill("gk_0123456789abcdef_wrong");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("login-error")).toContainText("This key is not valid");
  await page.getByTestId("login-key").fill(TOKEN);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("connection")).toHaveText("Connected");
});

test("an operator sees and works only what was granted", async ({ page, site, guard }) => {
  await logIn(page, site, "ana", PASSWORD);
  await expectLocked(page);
  await expect(page.getByTestId("door-front-open")).toBeVisible();
  await expect(page.getByTestId("door-back")).toHaveCount(0);
  await expect(page.locator("article.camera")).toHaveCount(0);
  await expect(page.getByText("There is no camera that you may see.")).toBeVisible();
  await expect(page.getByTestId("to-people")).toHaveCount(0);
  await page.goto(`${site.url}/#/people`);
  await expect(page.getByTestId("people")).toHaveCount(0);

  await page.goto(`${site.url}/#/events`);
  await expect(page.getByTestId("timeline").locator("li").first()).toBeVisible();
  const kinds = await page
    .getByTestId("timeline")
    .locator("a[data-kind]")
    .evaluateAll((lines) => lines.map((line) => line.getAttribute("data-kind") ?? ""));
  expect(kinds.filter((kind) => !/^(door|evidence)\./.test(kind))).toEqual([]);
  guard.check();
});

test("a viewer sees doors and has no control that works them", async ({ page, site }) => {
  await logIn(page, site, "vera", PASSWORD);
  for (const door of ["front", "back"]) {
    await expect(page.getByTestId(`door-${door}-state`)).toHaveText("Locked");
    await expect(page.getByTestId(`door-${door}-open`)).toHaveCount(0);
    await expect(page.getByTestId(`door-${door}-lock`)).toHaveCount(0);
  }
  await expect(page.getByTestId("camera-yard-state")).toHaveText("live");
  await expect(page.getByTestId("camera-entrance")).toHaveCount(0);
});

test("a device’s account that logs in here sees nothing, and is told so", async ({ page, site, guard }) => {
  await site.addUser("sensor", "device", PASSWORD);
  await logIn(page, site, "sensor", PASSWORD);
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  await expect(page.getByText("There is no door that you may see.")).toBeVisible();
  await expect(page.getByTestId("to-events")).toHaveCount(0);
  await page.getByTestId("to-account").click();
  await expect(page.getByTestId("logins")).toContainText("this browser");
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  guard.check();
});

test("logging out everywhere ends another browser’s session, at once", async ({ page, site, browser }) => {
  await logIn(page, site, "olga", PASSWORD);
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  const other = await browser.newContext();
  const elsewhere = await other.newPage();
  await logIn(elsewhere, site, "olga", PASSWORD);
  await expect(elsewhere.getByTestId("connection")).toHaveText("Connected");

  await page.getByTestId("to-account").click();
  await expect(page.getByTestId("logins").locator("li")).toHaveCount(2);
  await expect(page.getByTestId("logins")).toContainText("this browser");
  await page.getByTestId("logout-everywhere").click();
  await page.getByTestId("confirm").click();
  await expect(page.getByTestId("login")).toBeVisible();
  await expect(elsewhere.getByTestId("login")).toBeVisible();
  await elsewhere.reload();
  await expect(elsewhere.getByTestId("login")).toBeVisible();
  await other.close();
});

test("all but this browser can be logged out", async ({ page, site, browser }) => {
  await logIn(page, site, "olga", PASSWORD);
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  const other = await browser.newContext();
  const elsewhere = await other.newPage();
  await logIn(elsewhere, site, "olga", PASSWORD);
  await expect(elsewhere.getByTestId("connection")).toHaveText("Connected");
  await page.getByTestId("to-account").click();
  await page.getByTestId("end-others").click();
  await expect(elsewhere.getByTestId("login")).toBeVisible();
  await expect(page.getByTestId("logins").locator("li")).toHaveCount(1);
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  await other.close();
});

test("a key is made with its scope, shown once, used, and revoked", async ({ page, site, browser }) => {
  await logIn(page, site, "olga", PASSWORD);
  await page.getByTestId("to-account").click();
  await page.getByTestId("key-label").fill("watching script");
  await page.getByTestId("key-scope").selectOption("look");
  await page.getByTestId("key-make").click();
  const key = await page.getByTestId("key-secret").inputValue();
  expect(key).toMatch(/^gk_\w+_\S{20,}/);
  await page.getByTestId("key-secret-copy").click();
  await expect(page.getByTestId("account")).toContainText("Copied.");
  await expect(page.getByTestId("keys")).toContainText("only look: cameras, doors, events");

  const other = await browser.newContext();
  const script = await other.newPage();
  await script.goto(site.url);
  await script.getByTestId("login-switch").click();
  await script.getByTestId("login-key").fill(key);
  await script.getByTestId("login-submit").click();
  await expect(script.getByTestId("door-front-state")).toHaveText("Locked");
  await expect(script.getByTestId("door-front-open")).toHaveCount(0);
  await expect(script.getByTestId("to-people")).toHaveCount(0);

  await page.reload();
  await expect(page.getByTestId("keys")).toContainText("watching script");
  await expect(page.getByTestId("key-secret")).toHaveCount(0);
  await page.getByRole("button", { name: "Revoke watching script" }).click();
  await page.getByTestId("confirm").click();
  await expect(page.getByTestId("keys")).toContainText("revoked");
  await expect(script.getByTestId("login")).toBeVisible();
  await other.close();
});

test("a password is changed by who knows the old one", async ({ page, site }) => {
  await site.addUser("pia", "viewer", PASSWORD);
  await logIn(page, site, "pia", PASSWORD);
  await page.getByTestId("to-account").click();
  await page.getByTestId("password-new").fill("too short");
  await expect(page.getByTestId("password-change")).toBeDisabled();
  await page.getByTestId("password-new").fill("another horse battery");
  await page.getByTestId("password-old").fill("wrong");
  await page.getByTestId("password-change").click();
  await expect(page.getByTestId("account").getByRole("alert")).toHaveText(/\w+ \w+/);
  await page.getByTestId("password-old").fill(PASSWORD);
  await page.getByTestId("password-change").click();
  await expect(page.getByTestId("account")).toContainText("Changed.");
  await page.getByTestId("logout").click();
  await logIn(page, site, "pia", "another horse battery");
  await expect(page.getByTestId("connection")).toHaveText("Connected");
});

test("an owner adds somebody, grants a door, takes it away, shuts them out and removes them", async ({
  page,
  site,
  browser,
}) => {
  await logInByKey(page, site);
  await page.getByTestId("to-people").click();
  await page.getByTestId("add-name").fill("Ben");
  await expect(page.getByTestId("add-submit")).toBeDisabled();
  await page.getByTestId("add-name").fill("ben");
  await page.getByTestId("add-role").selectOption("operator");
  await page.getByTestId("add-submit").click();
  const password = await page.getByTestId("user-secret").inputValue();
  await expect(page.getByTestId("user-ben")).toContainText("never logged in");

  const other = await browser.newContext();
  const ben = await other.newPage();
  await logIn(ben, site, "ben", password);
  await expect(ben.getByText("There is no door that you may see.")).toBeVisible();
  // The box is checked at once; what counts is the server's answer.
  const answered = (thing: string) =>
    page.waitForResponse((response) => response.url().endsWith(`/grants/door/${thing}`) && response.ok());
  await Promise.all([answered("back"), page.getByTestId("grant-ben-door-back").check()]);
  await expect(page.getByTestId("grant-ben-door-back")).toBeChecked();
  await ben.reload();
  await expect(ben.getByTestId("door-back-open")).toBeVisible();
  await expect(ben.getByTestId("door-front")).toHaveCount(0);
  await Promise.all([answered("*"), page.getByTestId("grant-ben-door-*").check()]);
  await page.getByTestId("grant-ben-door-back").click(); // its own grant goes; it stays checked, reached by “all”
  await expect(page.getByTestId("grant-ben-door-back")).toBeDisabled();
  await ben.reload();
  await expect(ben.getByTestId("door-front-open")).toBeVisible();

  await page.getByTestId("role-ben").selectOption("viewer");
  await expect(page.getByTestId("user-ben")).toContainText("sees what is granted");
  await page.getByTestId("disable-ben").click();
  await expect(page.getByTestId("user-ben")).toContainText("shut out");
  await expect(ben.getByTestId("login")).toBeVisible();
  await logIn(ben, site, "ben", password);
  await expect(ben.getByTestId("login-error")).toBeVisible();

  await page.getByTestId("remove-ben").click();
  await page.getByTestId("confirm").click();
  await expect(page.getByTestId("user-ben")).toHaveCount(0);
  await other.close();
});

test("the cookie is kept from scripts", async ({ dashboard, context }) => {
  expect(await dashboard.evaluate(() => document.cookie)).toBe("");
  const cookies = await context.cookies();
  expect(cookies).not.toHaveLength(0);
  for (const cookie of cookies)
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: expect.stringMatching(/Lax|Strict/) });
});
