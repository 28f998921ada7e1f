import { expect, test } from "vitest";
import { age, drew, rate, tile, viewTile } from "../src/model/camera";
import { NO_CLOCK, sampled } from "../src/model/clock";
import { camera, T0 } from "./fixtures";

/** Our clock is an hour behind the server's. */
const HERE = T0 - 3600;
const CLOCK = sampled(NO_CLOCK, { sent: HERE, received: HERE, server: T0 });

const live = tile(camera());
const shown = drew(live, T0 - 0.1, 800, 600, HERE);

test("a fresh picture is shown with its age by the server's clock", () => {
  expect(viewTile(shown, null, CLOCK, HERE)).toMatchObject({
    word: "live",
    tone: "calm",
    present: true,
    notice: null,
    age: "0.1 s old",
    size: "800 × 600",
  });
});

test("the age grows when pictures stop, although the server has said nothing", () => {
  expect(viewTile(shown, null, CLOCK, HERE + 1.5)).toMatchObject({ word: "live", age: "1.6 s old" });
  expect(viewTile(shown, null, CLOCK, HERE + 2.5)).toMatchObject({
    word: "stale",
    tone: "alarm",
    present: false,
    notice: "No new picture for 2.6 s",
  });
});

test("a picture that comes late is old although it was drawn just now", () => {
  const late = drew(live, T0 - 9, 800, 600, HERE);
  expect(viewTile(late, null, CLOCK, HERE)).toMatchObject({ word: "stale", age: "9.0 s old" });
});

test("a wrong clock cannot make a picture younger than the time it has been on the screen", () => {
  const future = drew(live, T0 + 500, 800, 600, HERE);
  expect(age(future, CLOCK, HERE + 4)).toBeCloseTo(4);
  expect(age(shown, NO_CLOCK, HERE + 4)).toBeCloseTo(4);
});

test("the server's word that a camera is not live counts at once, with its reason", () => {
  const stalled = tile(camera({ state: "stalled", since: T0 - 2, reason: "no whole frame for 2 s" }), shown);
  expect(viewTile(stalled, null, CLOCK, HERE)).toMatchObject({
    word: "stalled",
    tone: "alarm",
    present: false,
    notice: "Stalled since 13:59:58 – no whole frame for 2 s",
  });
  const help = { step: "alert", since: T0 - 1, reason: "stalled" } as const;
  expect(viewTile(tile(camera({ ...stalled.status, help }), shown), null, CLOCK, HERE).notice).toBe(
    "Stalled since 13:59:58 – no whole frame for 2 s. Somebody must look after it, since 13:59:59",
  );
  const connecting = tile(camera({ state: "connecting", since: T0 }));
  expect(viewTile(connecting, null, CLOCK, HERE)).toMatchObject({
    word: "connecting",
    tone: "busy",
    notice: "Connecting since 14:00:00",
    age: "no picture",
  });
});

test("without a connection to the server nothing is known of a camera, live or not", () => {
  for (const state of ["live", "offline"] as const)
    expect(viewTile(tile(camera({ state }), shown), HERE - 5, CLOCK, HERE)).toMatchObject({
      word: "not known",
      tone: "unknown",
      present: false,
      notice: "Not known: no connection to the server since 13:59:55",
      age: "0.1 s old",
    });
});

test("a live camera without a picture here yet says so", () => {
  expect(viewTile(live, null, CLOCK, HERE)).toMatchObject({ word: "waiting", present: false, size: "–" });
});

test("pictures per second are those drawn here, and fall when they stop", () => {
  let drawn = live;
  for (let n = 0; n <= 30; n++) drawn = drew(drawn, T0 + n / 10, 800, 600, HERE + n / 10);
  expect(rate(drawn, HERE + 3)).toBeCloseTo(10, 0);
  expect(rate(drawn, HERE + 5)).toBeLessThan(5);
  expect(rate(drawn, HERE + 6.1)).toBe(0);
  expect(rate(shown, HERE + 0.5)).toBeNull();
  expect(viewTile(drawn, null, CLOCK, HERE + 3).rate).toMatch(/^(9\.\d|10\.\d) fps$/);
});

test("what is remembered for the rate is bounded", () => {
  let drawn = live;
  for (let n = 0; n < 5000; n++) drawn = drew(drawn, T0, 800, 600, HERE + n / 1000);
  expect(drawn.drawn.length).toBeLessThanOrEqual(180);
});

test("the time from the server's receipt to the drawing is measured when it was drawn, and stays", () => {
  const drawn = drew(live, T0 - 0.1, 800, 600, HERE, CLOCK);
  expect(viewTile(drawn, null, CLOCK, HERE).delay).toBe("100 ms");
  expect(viewTile(drawn, null, CLOCK, HERE + 5).delay).toBe("100 ms");
  expect(viewTile(drew(live, T0 + 9, 800, 600, HERE, CLOCK), null, CLOCK, HERE).delay).toBe("0 ms");
  expect(viewTile(drew(live, T0, 800, 600, HERE), null, CLOCK, HERE).delay).toBe("– ms");
  expect(viewTile(live, null, CLOCK, HERE).delay).toBe("– ms");
});

test("what is done about a camera that sees nothing stands behind what is wrong", () => {
  const help = { step: "reboot", since: T0 - 5, reason: "frozen" } as const;
  const frozen = tile(camera({ sight: "frozen", sight_since: T0 - 60, help }), shown);
  const notice = viewTile(frozen, null, CLOCK, HERE).notice;
  expect(notice).toBe("The very same picture again and again, since 13:59:00. Told to reboot at 13:59:55");
});
