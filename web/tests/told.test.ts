import { expect, test } from "vitest";
import { evidenceOf, followed, plainDetails, type Told } from "../src/model/told";
import { bundle, event } from "./fixtures";

const opened = event(1, { kind: "door.opened" });
const stored = event(2, { kind: "evidence.stored", cause: opened.id, details: { ...bundle() } });

test("what followed is found over several steps, oldest first, and nothing twice", () => {
  const locked = event(3, { cause: stored.id });
  const other = event(4, { cause: "01K9" });
  expect(followed(opened.id, [locked, other, stored, locked])).toEqual([stored, locked]);
  expect(followed(opened.id, [])).toEqual([]);
});

test("the pictures are those of the newest event that lists them", () => {
  const told: Told = { event: opened, causes: [], consequences: [stored], holding: null };
  expect(evidenceOf(told)).toBe(stored);
  const again = event(5, { kind: "evidence.partial", cause: opened.id, details: { ...bundle({ state: "partial" }) } });
  expect(evidenceOf({ ...told, consequences: [stored, again] })).toBe(again);
  expect(evidenceOf({ ...told, consequences: [] })).toBeNull();
  expect(evidenceOf({ event: stored, causes: [opened], consequences: [], holding: null })).toBe(stored);
});

test("details of one value each are facts; pictures are shown otherwise", () => {
  expect(plainDetails({ latency: 0.04123, retry_count: 2, ...bundle(), nothing: null, on: true })).toEqual([
    { name: "Latency", text: "41 ms" },
    { name: "Retry count", text: "2" },
    { name: "On", text: "true" },
  ]);
});
