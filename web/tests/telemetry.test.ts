import { expect, test } from "vitest";
import { bytes, charts, increments, MOST_POINTS, measure, paged, pointed } from "../src/model/telemetry";
import type { TelemetryPage } from "../src/model/types";
import { T0 } from "./fixtures";

function page(count: number, first = 0, columns = ["received", "rejected"]): TelemetryPage {
  const numbers = Array.from({ length: count }, (_, at) => first + at);
  return {
    every: 5,
    time: numbers.map((at) => T0 + at * 5),
    columns: Object.fromEntries(columns.map((name) => [name, numbers])),
  };
}

test("pages join without a sample twice, and an hour is kept", () => {
  let known = paged(null, page(3));
  known = paged(known, page(3, 1));
  expect(known.time).toEqual(page(4).time);
  expect(known.columns.received).toEqual([0, 1, 2, 3]);
  expect(paged(known, page(2))).toBe(known);
  known = paged(known, page(MOST_POINTS, 4));
  expect(known.time).toHaveLength(MOST_POINTS);
  expect(known.columns.received).toHaveLength(MOST_POINTS);
  expect(known.columns.received?.at(-1)).toBe(MOST_POINTS + 3);
});

test("a live point is one more sample; what it doesn't tell is not known, and what is no column is dropped", () => {
  const known = pointed(paged(null, page(2)), { time: T0 + 10, received: 9, odd: 1 });
  expect(known.columns).toEqual({ received: [0, 1, 9], rejected: [0, 1, null] });
  expect(pointed(known, { time: T0 + 10, received: 7 })).toBe(known);
});

test("a count's rise is told, from 0 after a restart, and what isn't known is not 0", () => {
  expect(increments([null, 5, 5, 9, null, 12, 2])).toEqual([null, null, 0, 4, null, 3, 2]);
});

test("charts are made of what is known, each with its text", () => {
  const found = charts({
    every: 5,
    time: [T0, T0 + 5, T0 + 10],
    columns: { received: [0.6, 14.25, 12.1], wanted: [20, 20, null], heap: [null, null, null], rejected: [0, 2, 3] },
  });
  expect(found.map(({ id }) => id)).toEqual(["pictures", "lost"]);
  expect(found[0]?.text).toBe(
    "Received: 12.1 now, 0.6 to 14.3 in the last 15 s. Wanted: not known now, 20.0 to 20.0 in the last 15 s.",
  );
  expect(found[1]?.text).toBe("Unreadable when they came: 3 in the last 10 s.");
  expect(found[1]?.data).toEqual([[null, 2, 1]]);
});

test("a line is broken where samples are missing", () => {
  const [chart] = charts({ every: 5, time: [T0, T0 + 5, T0 + 60], columns: { received: [1, 2, 3] } });
  expect(chart?.time).toEqual([T0, T0 + 5, T0 + 10, T0 + 60]);
  expect(chart?.data).toEqual([[1, 2, null, 3]]);
});

test("jitter is shown in milliseconds, and none is no zero", () => {
  const [chart] = charts({ every: 5, time: [T0, T0 + 5, T0 + 10], columns: { jitter: [0.0125, null, 0] } });
  expect(chart?.data).toEqual([[12.5, null, 0]]);
});

test("figures are spelt with their units", () => {
  expect([bytes(0), bytes(512), bytes(999.6), bytes(201_344), bytes(8_257_536), bytes(12_345_678)]).toEqual([
    "0 B",
    "512 B",
    "1.00 kB",
    "201 kB",
    "8.26 MB",
    "12.3 MB",
  ]);
  expect([measure(-58, "dBm"), measure(3.06, "milliseconds"), measure(48_000, "rateOfBytes")]).toEqual([
    "−58 dBm",
    "3.1 ms",
    "48.0 kB/s",
  ]);
});
