import { expect, pixels, shownAge, test } from "./dashboard";

const CAMERAS = ["entrance", "yard"] as const;

test("two pictures move, and neither is older than two seconds", async ({ dashboard }) => {
  for (const camera of CAMERAS) await expect(dashboard.getByTestId(`camera-${camera}-state`)).toHaveText("live");
  for (const camera of CAMERAS) {
    const first = await pixels(dashboard, camera);
    await expect.poll(() => pixels(dashboard, camera)).not.toBe(first);
  }
  for (let look = 0; look < 20; look++) {
    for (const camera of CAMERAS) expect(await shownAge(dashboard, camera)).toBeLessThan(2);
    await dashboard.waitForTimeout(100);
  }
});

test("pictures are drawn on canvases: an image element would hold a connection each", async ({ dashboard }) => {
  await expect(dashboard.locator("canvas")).toHaveCount(2);
  await expect(dashboard.locator("img")).toHaveCount(0);
});

test("a camera that falls silent is shown as such, with its age growing, and comes back", async ({
  dashboard,
  site,
}) => {
  const state = dashboard.getByTestId("camera-yard-state");
  await expect(state).toHaveText("live");
  await site.cameras.yard.fault("silent");
  await expect(state).toHaveText(/stale|stalled|offline/);
  await expect(state).toHaveText(/stalled|offline/);
  await expect(dashboard.getByTestId("camera-yard")).toContainText(/(Stalled|Offline) since \d\d:\d\d:\d\d – .+/);
  const age = await shownAge(dashboard, "yard");
  expect(age).toBeGreaterThan(1);
  await expect.poll(() => shownAge(dashboard, "yard")).toBeGreaterThan(age + 1);
  await expect(dashboard.getByTestId("camera-entrance-state")).toHaveText("live");

  await site.cameras.yard.fault("none");
  await expect(state).toHaveText("live", { timeout: 20_000 });
  expect(await shownAge(dashboard, "yard")).toBeLessThan(2);
});

test("a camera that is gone is offline with its reason, and comes back", async ({ dashboard, site }) => {
  const state = dashboard.getByTestId("camera-yard-state");
  await expect(state).toHaveText("live");
  await site.cameras.yard.fault("refuse");
  await expect(state).toHaveText("offline", { timeout: 20_000 });
  await expect(dashboard.getByTestId("camera-yard")).toContainText(/Offline since \d\d:\d\d:\d\d – .+/);
  await expect(dashboard.getByTestId("events")).toContainText("camera.offline");

  await site.cameras.yard.fault("none");
  await expect(state).toHaveText("live", { timeout: 20_000 });
});
