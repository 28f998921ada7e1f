import { expect, test } from "vitest";
import {
  ANSWER_WITHIN,
  ASK_EVERY,
  answeredPulse,
  beat,
  heard,
  type Pulse,
  SILENCE,
  startPulse,
} from "../src/model/pulse";

/** Beat ten times a second; `server` may answer or publish. Return what was decided, with its time. */
function run(seconds: number, server: (pulse: Pulse, now: number) => Pulse): string[] {
  let pulse = startPulse(0);
  const log: string[] = [];
  for (let tenths = 0; tenths <= seconds * 10; tenths++) {
    const now = tenths / 10;
    const [next, verdict] = beat(pulse, now);
    pulse = next;
    if (verdict !== "rest") log.push(`${verdict} ${now}`);
    if (verdict === "gone") break;
    pulse = server(pulse, now);
  }
  return log;
}

test("a server that answers and sends pictures is asked every ten seconds", () => {
  const log = run(31, (pulse, now) => heard(pulse.owed === null ? pulse : answeredPulse(pulse, now), now));
  expect(log).toEqual(["ask 0", `ask ${ASK_EVERY}`, `ask ${2 * ASK_EVERY}`, `ask ${3 * ASK_EVERY}`]);
});

test("a server from which nothing comes is asked sooner", () => {
  const log = run(9, (pulse, now) => (pulse.owed === null ? pulse : answeredPulse(pulse, now)));
  expect(log[1]).toBe(`ask ${SILENCE + 0.1}`);
  expect(log.some((line) => line.startsWith("gone"))).toBe(false);
});

test("a server that owes an answer for too long is gone, even while pictures still come", () => {
  const log = run(20, (pulse, now) => heard(pulse, now));
  expect(log).toEqual(["ask 0", `gone ${ANSWER_WITHIN + 0.1}`]);
});
