import { expect, test } from "vitest";
import { clockTime, duration, moment, sentence } from "../src/model/words";
import { T0 } from "./fixtures";

test.each([
  [0, "0.0 s"],
  [0.12, "0.1 s"],
  [9.94, "9.9 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 min 0 s"],
  [185, "3 min 5 s"],
  [7440, "2 h 4 min"],
  [90000, "1 d 1 h"],
  [-3, "0.0 s"],
])("%s seconds read as %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test("a time is a 24-hour clock in the zone asked for", () => {
  expect(clockTime(T0 + 202.9, "UTC")).toBe("14:03:22");
  expect(clockTime(T0, "Asia/Tokyo")).toBe("23:00:00");
  expect(clockTime(T0 - 14 * 3600, "UTC")).toBe("00:00:00");
});

test("a moment names its day only when that is another one", () => {
  expect(moment(T0, T0 + 60, "UTC")).toBe("14:00:00");
  expect(moment(T0 - 86400, T0, "UTC")).toBe("20 Nov 14:00:00");
});

test("a sentence starts with a capital letter", () => {
  expect(sentence("the lock is not connected")).toBe("The lock is not connected");
  expect(sentence("")).toBe("");
});
