import { afterEach, expect, test } from "vitest";
import { sampled } from "../src/model/clock";
import { type Identity, may } from "../src/model/identity";
import { language } from "../src/model/language";
import {
  belongs,
  elapsed,
  figure,
  isSlow,
  level,
  type MeasuredSession,
  type MeasurementStatus,
  outcomeText,
  ranking,
  read,
  SILENT_AFTER,
  signed,
  type TeamSamples,
  told,
  viewPoint,
  viewTimer,
} from "../src/model/measurement";
import { T0 } from "./fixtures";

/** Our clock is an hour behind the server's: whatever is told here must be by the server's. */
const NOW = T0 - 3600;
const CLOCK = sampled([], { sent: NOW, received: NOW, server: T0 });

afterEach(() => {
  language.value = "en";
});

function session(changes: Partial<MeasuredSession> = {}): MeasuredSession {
  return {
    id: 4,
    frequency: 2.5,
    category: "baja",
    started: T0 - 20,
    stopped: null,
    duration: 60,
    length: 60,
    attempt: 1,
    outcome: "running",
    partial: false,
    gaps: [],
    ...changes,
  };
}

function status(changes: Partial<MeasurementStatus> = {}): MeasurementStatus {
  return {
    time: T0,
    state: "running",
    session: session(),
    elapsed: 20,
    left: 40,
    last: null,
    category: "baja",
    tap: false,
    duration: 60,
    categories: ["baja", "beton"],
    frequencies: [1.5, 2.5],
    teams: [{ team: 1, name: "Tim A-1", last: T0, heard: T0, samples: 9, collapsed: null }],
    counts: { taken: 9, stored: 9, again: 0, failed: 0, unrecorded: 0, refused: {}, waiting: 0, paused: false },
    ...changes,
  };
}

const IDLE = status({ state: "idle", session: null, elapsed: null, left: null });

test("the timer goes by the server's clock, and no further than the session", () => {
  expect(viewTimer(status(), null, CLOCK, NOW)).toMatchObject({ seconds: "20.0", share: 1 / 3, word: "Running" });
  expect(viewTimer(status(), null, CLOCK, NOW + 3.19)).toMatchObject({ seconds: "23.1" });
  expect(viewTimer(status(), null, CLOCK, NOW + 99)).toMatchObject({ seconds: "60.0", share: 1 });
  expect(elapsed(status(), CLOCK, NOW - 50)).toBe(0);
});

test("without a connection the timer knows nothing", () => {
  expect(viewTimer(status(), NOW - 1, CLOCK, NOW)).toMatchObject({ seconds: "–", state: "unknown", share: 0 });
  expect(viewTimer(null, null, CLOCK, NOW)).toMatchObject({ seconds: "–", word: "Waiting for the server…" });
});

test("when none runs the timer tells how long the last one was, and what becomes of samples", () => {
  expect(viewTimer(IDLE, null, CLOCK, NOW)).toMatchObject({
    seconds: "0.0",
    about: expect.stringContaining("neither"),
  });
  const last = session({ outcome: "stopped", stopped: T0 - 10, length: 10 });
  expect(viewTimer({ ...IDLE, last, tap: true }, null, CLOCK, NOW)).toMatchObject({
    seconds: "10.0",
    about: expect.stringContaining("is recorded"),
  });
});

test.each([
  ["starting", "Starting…"],
  ["ending", "Ending…"],
] as const)("a session that is %s says so", (state, word) => {
  expect(viewTimer(status({ state }), null, CLOCK, NOW)).toMatchObject({ word, state });
});

test("what everybody is told keeps the teams, and what was told earlier changes nothing", () => {
  const { teams: _, counts: __, ...state } = { ...status(), time: T0 + 1, tap: true };
  expect(told(status(), state)).toMatchObject({ tap: true, teams: [{ team: 1 }] });
  expect(told(null, state)).toBeNull();
  const before = status();
  expect(told(before, { ...status(), time: T0 - 1, tap: true })).toBe(before);
});

function samples(changes: Partial<TeamSamples> = {}): TeamSamples {
  return {
    team: 1,
    session: 4,
    time: [T0 - 0.2, T0 - 0.1],
    elapsed: [19.8, 19.9],
    a: [1, 2],
    b: [10, -20.128],
    a_detected: [true, true],
    b_detected: [true, true],
    ...changes,
  };
}

test("a point is where its newest sample says, with its age", () => {
  const reading = read(null, samples());
  expect(viewPoint(reading, "b", null, CLOCK, NOW)).toMatchObject({ value: "−20.13", note: "0.1 s old", at: -20.128 });
  const late = read(reading, samples({ time: [T0 - 5], a: [99], b: [99], a_detected: [true], b_detected: [true] }));
  expect(viewPoint(late, "a", null, CLOCK, NOW).value).toBe("+2.00");
});

test("a point that isn't seen has no number, whatever stands in its sample", () => {
  const reading = read(null, samples({ a_detected: [true, false] }));
  const view = viewPoint(reading, "a", null, CLOCK, NOW);
  expect(view).toEqual({ value: "not detected", unit: "", note: "last detected 0.2 s ago", tone: "alarm", at: null });
  expect(viewPoint(reading, "b", null, CLOCK, NOW).at).toBe(-20.128);
  const never = read(null, samples({ a_detected: [false, false] }));
  expect(viewPoint(never, "a", null, CLOCK, NOW).note).toBe("not detected so far");
});

test("a laptop that is silent has no number, and neither has a page without a connection", () => {
  const reading = read(null, samples());
  expect(viewPoint(reading, "a", null, CLOCK, NOW - 0.1 + SILENT_AFTER).at).toBe(2);
  const silent = viewPoint(reading, "a", null, CLOCK, NOW + SILENT_AFTER);
  expect(silent).toMatchObject({ value: "–", at: null, note: "no sample for 1.6 s" });
  expect(viewPoint(reading, "a", NOW, CLOCK, NOW)).toMatchObject({ value: "–", at: null, note: "not known" });
  expect(viewPoint(null, "a", null, CLOCK, NOW)).toMatchObject({ value: "–", note: "no sample yet" });
});

test("a laptop that sends while nothing is recorded is not silent", () => {
  const sends = { value: "–", at: null, note: "sends, not recorded", tone: "calm" };
  expect(viewPoint(null, "a", null, CLOCK, NOW, T0 - 2)).toMatchObject(sends);
  const reading = read(null, samples());
  expect(viewPoint(reading, "a", null, CLOCK, NOW + 60, T0 + 59)).toMatchObject(sends);
  expect(viewPoint(reading, "a", null, CLOCK, NOW + 60, T0 + 50).note).toBe("no sample for 10 s");
  // In a session the newest sample came with the ones that were kept: a gap stays a gap.
  expect(viewPoint(reading, "a", null, CLOCK, NOW + 2, T0).note).toBe("no sample for 2.0 s");
});

test.each([
  [4, 4, 4, true, "same"],
  [4, 4, 5, true, "new"],
  [5, 5, 4, true, "other"],
  [null, 4, 4, false, "other"], // late, after the session
  [null, 4, 5, true, "new"],
  [null, 4, null, false, "same"],
  [4, 4, null, true, "other"], // measured before the session, with the tap open
  [4, 4, null, false, "new"],
  [undefined, 4, 4, false, "other"],
  [undefined, 3, 4, true, "new"],
])("with %s in the buffer and %s the newest, samples of %s are: %s %s", (take, newest, one, isRunning, verdict) => {
  expect(belongs(take, newest, one, isRunning)).toBe(verdict);
});

test("figures have their sign and their comma, and what is not known is a dash", () => {
  expect([figure(null, 2), figure(undefined, 2, "mm"), figure(1.239, 2, "mm")]).toEqual(["–", "–", "1.24 mm"]);
  expect([level(-0.004, 2), level(-0.005, 2), level(3, 1), level(null, 1)]).toEqual(["0.00", "−0.01", "3.0", "–"]);
  expect([signed(12.3), signed(-12.3), signed(0)]).toEqual(["+12.30", "−12.30", "0.00"]);
  language.value = "id";
  expect([signed(-1234.5), figure(1.5, 1, "Hz")]).toEqual(["−1.234,50", "1,5 Hz"]);
});

test("how a session ended is said in words", () => {
  expect(outcomeText(session({ outcome: "completed" }))).toBe("complete");
  const gaps = [
    [3, 5],
    [8, 8.5],
  ] as const;
  expect(outcomeText(session({ outcome: "stopped", length: 12.3, gaps }))).toBe("stopped at 12.3 s, 2.5 s missing");
});

test("whose top moved least is first; a tower that fell, or of which nothing is known, has no place", () => {
  const found = ranking([
    { team: 1, collapsed: null, most: 9 },
    { team: 2, collapsed: 12, most: 1 },
    { team: 3, collapsed: null, most: null },
    { team: 4, collapsed: null, most: 8 },
    { team: 5, collapsed: null, most: 9 },
  ]);
  expect([...found]).toEqual([
    [4, 1],
    [1, 2],
    [5, 3],
  ]);
});

test("too few samples for the table's frequency are noticed", () => {
  expect([isSlow(null, 5), isSlow(30, 5.5), isSlow(14, null), isSlow(16, 5.5), isSlow(13, 5.5)]).toEqual([
    false,
    false,
    true,
    false,
    true,
  ]);
});

test("rights on measurements are given per team, and who starts has all of them", () => {
  const one: Identity = {
    name: "tim3",
    role: "operator",
    permissions: ["measurement.view", "measurement.control"],
    grants: [{ kind: "team", thing: "3" }],
    things: null,
    mustChoosePassword: false,
  };
  expect(may(one, "measurement.view")).toBe(true);
  expect(may(one, "measurement.view", "3")).toBe(true);
  expect(may(one, "measurement.view", "4")).toBe(false);
  expect(may(one, "measurement.control", "*")).toBe(false);
  expect(may({ ...one, grants: [{ kind: "team", thing: "*" }] }, "measurement.control", "*")).toBe(true);
});
