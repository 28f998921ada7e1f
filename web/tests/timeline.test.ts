import { expect, test } from "vitest";
import { NO_FILTER } from "../src/model/filter";
import {
  answered,
  asked,
  byDay,
  changed,
  happened,
  MOST_LINES,
  type Timeline,
  timeline,
  unanswered,
  wantsMore,
} from "../src/model/timeline";
import { bundle, event, T0 } from "./fixtures";

const page = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, at) => event(from - at));
const sequences = (state: Timeline) => state.events.map(({ sequence }) => sequence);

test("pages of older events follow each other until there are no more", () => {
  let state = asked(timeline(NO_FILTER));
  expect(wantsMore(state)).toBe(false);
  state = answered(state, page(6, 4), 4);
  expect(wantsMore(state)).toBe(true);
  expect(state.reached).toBe(4);
  state = answered(asked(state), page(3, 1), null);
  expect(sequences(state)).toEqual([6, 5, 4, 3, 2, 1]);
  expect(state.complete).toBe(true);
  expect(wantsMore(state)).toBe(false);
});

test("what happens meanwhile comes on top, and each once", () => {
  let state = answered(asked(timeline(NO_FILTER)), page(3, 1), null);
  state = [5, 4, 5, 2].reduce((known, n) => happened(known, event(n)), state);
  expect(sequences(state)).toEqual([5, 4, 3, 2, 1]);
  expect(happened(state, event(4))).toBe(state);
});

test("what isn’t wanted isn’t shown, whether it is old or new", () => {
  let state = asked(timeline({ ...NO_FILTER, outcome: "refused" }));
  state = answered(state, [event(4), event(3, { outcome: "busy" }), event(2)], 2);
  state = happened(state, event(5));
  state = happened(state, event(6, { outcome: "denied" }));
  expect(sequences(state)).toEqual([6, 3]);
  expect(state.reached).toBe(2);
  expect(wantsMore(state)).toBe(true);
});

test("an empty page that says where to go on is not the end", () => {
  const state = answered(asked(timeline(NO_FILTER)), [], 4000);
  expect(state).toMatchObject({ complete: false, reached: 4000 });
  expect(wantsMore(state)).toBe(true);
});

test("a failure stops the asking until somebody wants it again", () => {
  const state = unanswered(asked(timeline(NO_FILTER)), "the disk is full");
  expect(state).toMatchObject({ loading: false, failure: "the disk is full" });
  expect(wantsMore(state)).toBe(false);
  expect(asked(state).failure).toBeNull();
});

test("the page is bounded", () => {
  const state = answered(asked(timeline(NO_FILTER)), page(MOST_LINES + 10, 1), 1);
  expect(wantsMore(state)).toBe(false);
});

test("an event that is put on hold shows so in its place", () => {
  const state = answered(asked(timeline(NO_FILTER)), page(3, 1), null);
  expect(changed(state, event(2, { held: true })).events[1]?.held).toBe(true);
  expect(changed(state, event(9, { held: true }))).toBe(state);
});

test("pictures that are told of later are counted at the event that they belong to", () => {
  const opened = event(1, { kind: "door.opened", bundle: "open", pictures: 2 });
  const stored = event(2, { kind: "evidence.stored", cause: opened.id, details: { ...bundle() } });
  const state = answered(asked(timeline({ ...NO_FILTER, group: "doors" })), [opened], null);
  const after = happened(state, stored);
  expect(after.events).toEqual([{ ...opened, bundle: "complete", pictures: 6 }]);
});

test("events are grouped by day, the newest first", () => {
  const days = byDay(
    [event(3, { time: T0 }), event(2, { time: T0 - 86400 }), event(1, { time: T0 - 3 * 86400 })],
    T0,
    "UTC",
  );
  expect(days.map(({ label, key }) => [key, label])).toEqual([
    ["2025-11-21", "Today"],
    ["2025-11-20", "Yesterday"],
    ["2025-11-18", "Tue, 18 Nov 2025"],
  ]);
  const [today] = byDay([event(1, { time: T0 }), event(2, { time: T0 + 1 })], T0, "UTC");
  expect(today?.events).toHaveLength(2);
});
