import { expect, test } from "vitest";
import { drew, tile, viewTile } from "../src/model/camera";
import { NO_CLOCK, sampled } from "../src/model/clock";
import { facts } from "../src/model/device";
import type { Sight } from "../src/model/types";
import { camera, T0 } from "./fixtures";

const CLOCK = sampled(NO_CLOCK, { sent: T0, received: T0, server: T0 });

function view(sight: Sight, age = 0.1) {
  const status = camera({ sight, sight_since: T0 - 60 });
  return viewTile(drew(tile(status), T0 - age, 800, 600, T0), null, CLOCK, T0);
}

test.each<[Sight, string, string, boolean]>([
  ["black", "black", "alarm", true],
  ["overexposed", "over-exposed", "alarm", true],
  ["covered", "covered", "alarm", true],
  ["moved", "moved", "attention", true],
  ["frozen", "frozen", "alarm", false],
  ["looping", "looping", "alarm", false],
])("a camera whose pictures are %s is never live in green", (sight, word, tone, present) => {
  expect(view(sight)).toMatchObject({ word, tone, present });
  expect(view(sight).notice).toMatch(/, since 13:59:00$/);
});

test.each<Sight>(["ok", "unknown"])("sight that is %s changes nothing", (sight) => {
  expect(view(sight)).toMatchObject({ word: "live", tone: "calm", present: true, notice: null });
});

test("a picture that is old is stale whatever it shows", () => {
  expect(view("black", 3).word).toBe("stale");
});

test("a camera that sends a picture in two seconds is no more stale than it sends", () => {
  const slow = (fps: number, age: number) =>
    viewTile(drew(tile(camera({ fps })), T0 - age, 8, 6, T0), null, CLOCK, T0).word;
  expect([slow(0.6, 3), slow(0.6, 5.1), slow(0.01, 9), slow(0.01, 10.1), slow(20, 2.1)]).toEqual([
    "live",
    "stale",
    "live",
    "stale",
    "stale",
  ]);
});

// --- the device ---

const DEVICE = {
  received: T0 - 3,
  heap: 201_344,
  rssi: -58,
  uptime: 3723,
  model: "OV3660",
  firmware: null,
  ip: "192.168.137.30",
  reset: null,
  restarts: 2,
  restarted: T0 - 600,
};

test("what is known of a device is told, and what isn't is left out", () => {
  const told = facts(camera({ kind: "push", device: DEVICE, rejected: 3, width: 1024, height: 768 }), T0);
  const texts = Object.fromEntries(told.map(({ id, text }) => [id, text]));
  expect(texts).toMatchObject({
    way: "It connects to the server",
    size: "1024 × 768",
    model: "OV3660",
    ip: "192.168.137.30",
    uptime: "1 h 2 min",
    restarts: "2, last 13:50:00",
    rssi: "−58 dBm",
    heap: "201 kB",
    told: "just now",
    rejected: "3",
  });
  expect(texts).not.toHaveProperty("firmware");
  expect(texts).not.toHaveProperty("reset");
});

test("a device that says nothing any more is told so; a camera that is none has no such lines", () => {
  const silent = facts(camera({ device: { ...DEVICE, received: T0 - 90, restarts: 0, restarted: null } }), T0);
  expect(silent.find(({ id }) => id === "told")?.text).toBe("1 min 30 s ago");
  expect(silent.find(({ id }) => id === "restarts")?.text).toBe("0");
  expect(facts(camera(), T0).map(({ id }) => id)).toEqual(["way", "size", "frames", "viewers"]);
});
