import { countEvents, expect, expectLocked, holdMouse, test } from "./dashboard";
import { OPEN_DURATION } from "./site";

test.beforeEach(async ({ dashboard }) => expectLocked(dashboard));

test("holding the button opens the door; its lease runs down and the door locks itself", async ({ dashboard }) => {
  const state = dashboard.getByTestId("door-front-state");
  await dashboard.getByTestId("door-front-reason").fill("parcel for number 7");
  await holdMouse(dashboard, dashboard.getByTestId("door-front-open"), 1200);
  await expect(state).toHaveText("Unlocked (relay)");

  const bar = dashboard.getByTestId("door-front-lease").getByRole("progressbar");
  const left = async (): Promise<number> => Number(await bar.getAttribute("value"));
  const first = await left();
  expect(first).toBeLessThanOrEqual(1);
  await expect.poll(left).toBeLessThan(first - 0.3);
  await expect(dashboard.getByTestId("door-front-lease")).toContainText(/Locks itself in \d+\.\d s/);

  await expect(state).toHaveText("Locked", { timeout: (OPEN_DURATION + 5) * 1000 });
  await expect(dashboard.getByTestId("door-front-lease")).toHaveCount(0);
  await expect(dashboard.getByTestId("door-front-error")).toBeHidden();
});

test("a door without a key says that it is unsigned", async ({ dashboard }) => {
  await expect(dashboard.getByTestId("door-front-unsigned")).toHaveText("unsigned");
});

test("letting go early opens nothing", async ({ dashboard }) => {
  const before = await countEvents(dashboard, "door.opened");
  await holdMouse(dashboard, dashboard.getByTestId("door-front-open"), 400);
  await dashboard.waitForTimeout(1500);
  await expect(dashboard.getByTestId("door-front-state")).toHaveText("Locked");
  expect(await countEvents(dashboard, "door.opened")).toBe(before);
});

test("sliding off the button lets go of it", async ({ dashboard }) => {
  const before = await countEvents(dashboard, "door.opened");
  await dashboard.getByTestId("door-front-open").hover();
  await dashboard.mouse.down();
  await dashboard.waitForTimeout(300);
  await dashboard.mouse.move(5, 500);
  await dashboard.waitForTimeout(1500);
  await dashboard.mouse.up();
  await expect(dashboard.getByTestId("door-front-state")).toHaveText("Locked");
  expect(await countEvents(dashboard, "door.opened")).toBe(before);
});

test.describe("on a touch screen", () => {
  test.use({ hasTouch: true, viewport: { width: 360, height: 780 } });

  test("a finger that rests on the button opens the door, one that swipes over it does not", async ({ dashboard }) => {
    const button = dashboard.getByTestId("door-front-open");
    await button.scrollIntoViewIfNeeded();
    const box = await button.boundingBox();
    if (box === null) throw new Error("the button is not on the page");
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const finger = await dashboard.context().newCDPSession(dashboard);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", points: { x: number; y: number }[]) =>
      finger.send("Input.dispatchTouchEvent", { type, touchPoints: points });

    const before = await countEvents(dashboard, "door.opened");
    await touch("touchStart", [{ x, y }]);
    for (let step = 1; step <= 24; step++) {
      await touch("touchMove", [{ x, y: y - step * 5 }]);
      await dashboard.waitForTimeout(50);
    }
    await touch("touchEnd", []);
    await dashboard.waitForTimeout(500);
    expect(await countEvents(dashboard, "door.opened")).toBe(before);

    await button.scrollIntoViewIfNeeded();
    const again = await button.boundingBox();
    const rest = again ? [{ x: again.x + again.width / 2, y: again.y + again.height / 2 }] : [];
    await touch("touchStart", rest);
    await dashboard.waitForTimeout(1200);
    await touch("touchEnd", []);
    await expect(dashboard.getByTestId("door-front-state")).toHaveText("Unlocked (relay)");
    await expectLocked(dashboard);
    expect(await countEvents(dashboard, "door.opened")).toBe(before + 1);
  });
});

test("the lock button ends an opening at once", async ({ dashboard }) => {
  await holdMouse(dashboard, dashboard.getByTestId("door-front-open"), 1200);
  await expect(dashboard.getByTestId("door-front-state")).toHaveText("Unlocked (relay)");
  const pressed = Date.now();
  await dashboard.getByTestId("door-front-lock").click();
  await expect(dashboard.getByTestId("door-front-state")).toHaveText("Locked");
  expect(Date.now() - pressed).toBeLessThan((OPEN_DURATION - 2) * 1000);
});

for (const key of ["Enter", "Space"]) {
  test(`the door opens by keyboard alone: Tab, then holding ${key}, and only once however long`, async ({
    dashboard,
  }) => {
    const before = await countEvents(dashboard, "door.opened");
    const button = dashboard.getByTestId("door-front-open");
    for (let tabs = 0; tabs < 20; tabs++) {
      await dashboard.keyboard.press("Tab");
      if (await button.evaluate((element) => element === document.activeElement)) break;
    }
    await expect(button).toBeFocused();
    expect(await button.evaluate((element) => getComputedStyle(element).outlineStyle)).toBe("solid");

    await dashboard.keyboard.down(key);
    for (let repeat = 0; repeat < 60; repeat++) {
      await dashboard.waitForTimeout(50);
      await dashboard.keyboard.down(key); // what a held key sends
    }
    await dashboard.keyboard.up(key);
    expect(await countEvents(dashboard, "door.opened")).toBe(before + 1);
    await expectLocked(dashboard);
    expect(await countEvents(dashboard, "door.opened")).toBe(before + 1);
  });
}

test("an opening that nobody ordered is shown", async ({ dashboard, site }) => {
  await fetch(`http://127.0.0.1:${site.lock.port}/open`); // the real lock has this address too, open to anybody
  await expect(dashboard.getByTestId("events")).toContainText("door.unordered_opening", { timeout: 20_000 });
  await expectLocked(dashboard);
});
