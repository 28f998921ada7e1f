import { expect, test } from "vitest";
import { type Events, happened, MOST_EVENTS, reasonBeside, recalled, subjectName, tone } from "../src/model/events";
import { camera, door, event } from "./fixtures";

const sequences = (events: Events): number[] => events.map(({ sequence }) => sequence);

test("the newest event comes first", () => {
  expect(sequences([1, 2, 3].map((n) => event(n)).reduce(happened, [] as Events))).toEqual([3, 2, 1]);
});

test("an event that is known already is not shown twice", () => {
  const events = recalled([event(1), event(2)], []);
  expect(happened(events, event(2))).toBe(events);
  expect(happened(events, event(1))).toBe(events);
});

test("what arrived live while the list was on its way finds its place", () => {
  expect(sequences(recalled([event(1), event(2), event(4)], [event(3), event(4), event(5)]))).toEqual([5, 4, 3, 2, 1]);
});

test("the list is bounded, and the oldest go", () => {
  let events: Events = [];
  for (let n = 1; n <= MOST_EVENTS + 50; n++) events = happened(events, event(n));
  expect(events).toHaveLength(MOST_EVENTS);
  expect(events.at(-1)?.sequence).toBe(51);
  expect(
    recalled(
      Array.from({ length: 500 }, (_, n) => event(n)),
      [],
    ),
  ).toHaveLength(MOST_EVENTS);
});

test.each([
  ["door.unordered_opening", "alarm"],
  ["door.jammed", "alarm"],
  ["door.refused", "attention"],
  ["camera.offline", "attention"],
  ["link.lost", "attention"],
  ["door.opened", "busy"],
  ["door.locked", "calm"],
  ["system.started", "unknown"],
])("%s is marked %s", (kind, expected) => {
  expect(tone(event(1, { kind }))).toBe(expected);
});

test("an event names its door or camera as people do, also when both have the same id", () => {
  const system = {
    name: "site",
    version: "1",
    started: 0,
    demo: false,
    teams: 0,
    cameras: [camera({ id: "front", name: "Porch" })],
    doors: [door({ id: "front", name: "Front door" })],
  };
  expect(subjectName(event(1, { kind: "door.opened" }), system)).toBe("Front door");
  expect(subjectName(event(1, { kind: "camera.live" }), system)).toBe("Porch");
  expect(subjectName(event(1, { subject: "gone" }), system)).toBe("gone");
  expect(subjectName(event(1, { subject: null }), system)).toBeNull();
});

test("a reason is not said twice", () => {
  expect(reasonBeside(event(1, { reason: "parcel", text: "ana opened (parcel)" }))).toBeNull();
  expect(reasonBeside(event(1, { reason: "parcel", text: "ana opened" }))).toBe("parcel");
  expect(reasonBeside(event(1))).toBeNull();
});

test("an outcome that is none is marked, whatever its kind", () => {
  expect(tone(event(1, { kind: "something.new", outcome: "denied" }))).toBe("attention");
  expect(tone(event(1, { kind: "evidence.partial", outcome: "alarm" }))).toBe("alarm");
});
