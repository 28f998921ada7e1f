import { expect, test } from "vitest";
import { type Clock, NO_CLOCK, offset, sampled, serverTime } from "../src/model/clock";

/** A sample of a server that is `ahead` seconds of us, over a path with these one-way delays. */
function sample(clock: Clock, at: number, ahead: number, out: number, back: number): Clock {
  return sampled(clock, { sent: at, server: at + out + ahead, received: at + out + back });
}

test("before the first sample nothing is known, and our own clock has to do", () => {
  expect(offset(NO_CLOCK)).toBeNull();
  expect(serverTime(NO_CLOCK, 50)).toBe(50);
});

test("an even path gives the offset exactly, whatever the browser's clock says", () => {
  const clock = sample(NO_CLOCK, 1000, -3600, 0.02, 0.02);
  expect(serverTime(clock, 1000)).toBeCloseTo(-2600, 6);
});

test("an uneven path errs by half its round trip at most", () => {
  expect(offset(sample(NO_CLOCK, 0, 5, 0.3, 0))).toBeCloseTo(5.15, 6);
});

test("the quickest sample wins, whenever it came", () => {
  let clock = sample(NO_CLOCK, 0, 7, 0.001, 0.001);
  clock = sample(clock, 10, 7, 0.4, 0);
  expect(offset(clock)).toBeCloseTo(7, 3);
  clock = sample(sample(NO_CLOCK, 0, 7, 0.4, 0), 10, 7, 0.001, 0.001);
  expect(offset(clock)).toBeCloseTo(7, 3);
});

test("when the server's clock is set, what was known before is forgotten", () => {
  let clock = sample(NO_CLOCK, 0, 7, 0.001, 0.001);
  clock = sample(clock, 10, 90, 0.05, 0.05);
  expect(offset(clock)).toBeCloseTo(90, 3);
});

test("only a minute of samples is kept", () => {
  let clock = NO_CLOCK;
  for (let at = 0; at < 1000; at += 10) clock = sample(clock, at, 1, 0.01, 0.01);
  expect(clock).toHaveLength(6);
});

test("an answer that came before its question is no sample", () => {
  expect(sampled(NO_CLOCK, { sent: 5, received: 4, server: 9 })).toBe(NO_CLOCK);
});
