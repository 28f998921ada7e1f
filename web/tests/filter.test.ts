import { expect, test } from "vitest";
import { dayBounds, type Filter, groupOf, isFiltered, matches, NO_FILTER, query } from "../src/model/filter";
import { event, T0 } from "./fixtures";

const filter = (changes: Partial<Filter>): Filter => ({ ...NO_FILTER, ...changes });

test.each([
  ["door.opened", "doors"],
  ["camera.offline", "cameras"],
  ["access.granted", "access"],
  ["system.started", "system"],
  ["evidence.stored", "system"],
  ["something.new", "system"],
])("%s belongs to %s", (kind, group) => {
  expect(groupOf(kind)).toBe(group);
});

test("an event is wanted when all that was chosen fits", () => {
  const opened = event(1, { kind: "door.opened", subject: "front", actor: "ana", outcome: "ok", time: T0 });
  expect(matches(NO_FILTER, opened)).toBe(true);
  expect(matches(filter({ group: "doors", subject: "front", actor: "ana", outcome: "ok" }), opened)).toBe(true);
  expect(matches(filter({ day: "2025-11-21" }), opened)).toBe(true);
  for (const other of [
    filter({ group: "cameras" }),
    filter({ subject: "back" }),
    filter({ actor: "ben" }),
    filter({ outcome: "refused" }),
    filter({ day: "2025-11-22" }),
  ])
    expect(matches(other, opened)).toBe(false);
  expect(matches(filter({ outcome: "refused" }), event(1, { outcome: "timeout" }))).toBe(true);
  expect(matches(filter({ outcome: "alarm" }), event(1, { outcome: "timeout" }))).toBe(false);
});

test("a day begins and ends by the browser’s calendar", () => {
  const [from, to] = dayBounds("2025-11-21") ?? [0, 0];
  expect(to - from).toBe(86400); // the tests run in UTC
  expect(from).toBe(T0 - 14 * 3600);
  expect(dayBounds("yesterday")).toBeNull();
});

test("the server is asked for all that it can sift, and more at once where it can’t", () => {
  expect(query(NO_FILTER, null)).toEqual({ limit: 60 });
  expect(query(filter({ group: "doors", subject: "front", actor: "ana", outcome: "alarm" }), 90)).toEqual({
    before: 90,
    kind: "door.",
    subject: "front",
    actor: "ana",
    outcome: "alarm",
    limit: 60,
  });
  expect(query(filter({ group: "system" }), null)).toEqual({ limit: 500 });
  expect(query(filter({ outcome: "refused", day: "2025-11-21" }), null)).toEqual({
    since: T0 - 14 * 3600,
    until: T0 + 10 * 3600,
    limit: 500,
  });
});

test("nothing chosen is no filter", () => {
  expect(isFiltered(NO_FILTER)).toBe(false);
  expect(isFiltered(filter({ day: "2025-11-21" }))).toBe(true);
});
