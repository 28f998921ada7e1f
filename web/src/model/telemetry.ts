// A camera's figures over the last hour: kept, joined, and made into charts with their text. Pure.

import type { TelemetryPage, TelemetryPoint } from "./types";
import { duration } from "./words";

/** Samples that are kept: an hour of them, as the server has it. */
export const MOST_POINTS = 720;

/** How many samples may be missing before a line is broken there. */
const BROKEN_AFTER = 3;

export type Column = readonly (number | null)[];

export interface Telemetry {
  readonly every: number;
  readonly time: readonly number[];
  readonly columns: Readonly<Record<string, Column>>;
}

/** The server gave samples: all that it has, or those since the last that is known. */
export function paged(before: Telemetry | null, page: TelemetryPage): Telemetry {
  const last = before?.time.at(-1) ?? Number.NEGATIVE_INFINITY;
  const fresh = page.time.findIndex((time) => time > last);
  if (before === null) return bounded(page);
  if (fresh < 0) return before;
  const columns = Object.fromEntries(
    Object.entries(page.columns).map(([name, column]) => [
      name,
      [...(before.columns[name] ?? before.time.map(() => null)), ...column.slice(fresh)],
    ]),
  );
  return bounded({ every: page.every, time: [...before.time, ...page.time.slice(fresh)], columns });
}

/** A sample was published. */
export function pointed(before: Telemetry, point: TelemetryPoint): Telemetry {
  const columns = Object.fromEntries(Object.keys(before.columns).map((name) => [name, [point[name] ?? null]]));
  return paged(before, { every: before.every, time: [point.time ?? 0], columns });
}

function bounded({ every, time, columns }: Telemetry): Telemetry {
  const kept = Object.entries(columns).map(([name, column]) => [name, column.slice(-MOST_POINTS)]);
  return { every, time: time.slice(-MOST_POINTS), columns: Object.fromEntries(kept) };
}

/** Return how much a count rose from sample to sample; a count that fell began again at 0. Not known is not 0. */
export function increments(column: Column): Column {
  let last: number | null = null;
  return column.map((value) => {
    if (value === null) return null;
    const risen = last === null ? null : value >= last ? value - last : value;
    last = value;
    return risen;
  });
}

export type Unit = "rate" | "bytes" | "rateOfBytes" | "milliseconds" | "pictures" | "dBm";

interface Line {
  readonly name: string;
  readonly label: string;
}

interface Shape {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly about: string;
  readonly lines: readonly Line[];
}

const SHAPES: readonly Shape[] = [
  {
    id: "pictures",
    title: "Pictures per second",
    unit: "rate",
    about: "",
    lines: [
      { name: "received", label: "received" },
      { name: "wanted", label: "wanted" },
    ],
  },
  {
    id: "bytes",
    title: "Data",
    unit: "rateOfBytes",
    about: "Pictures alone.",
    lines: [{ name: "bytes", label: "received" }],
  },
  {
    id: "jitter",
    title: "Jitter",
    unit: "milliseconds",
    about: "How much the time from picture to picture varies: its mean deviation.",
    lines: [{ name: "jitter", label: "jitter" }],
  },
  {
    id: "lost",
    title: "Pictures lost",
    unit: "pictures",
    about: "In five seconds each.",
    lines: [
      { name: "dropped", label: "dropped by the camera" },
      { name: "lost", label: "missing in its numbering" },
      { name: "rejected", label: "unreadable when they came" },
    ],
  },
  {
    id: "memory",
    title: "Free memory of the camera",
    unit: "bytes",
    about: "",
    lines: [
      { name: "heap", label: "now" },
      { name: "minimum_heap", label: "least since its start" },
      { name: "psram", label: "PSRAM" },
    ],
  },
  {
    id: "rssi",
    title: "WiFi of the camera",
    unit: "dBm",
    about: "Below −75 dBm pictures begin to stutter.",
    lines: [{ name: "rssi", label: "signal" }],
  },
];

const COUNTS: ReadonlySet<string> = new Set(["dropped", "lost", "rejected"]);

export interface Chart extends Shape {
  readonly time: readonly number[];
  /** A column per line. */
  readonly data: readonly Column[];
  /** What the chart shows, in a sentence per line. */
  readonly text: string;
}

/** Return the charts of which something is known; lines of which nothing is are left out. */
export function charts(telemetry: Telemetry): readonly Chart[] {
  const breaks = gaps(telemetry);
  const time = widened(telemetry.time, breaks, (at) => (telemetry.time[at - 1] ?? 0) + telemetry.every);
  return SHAPES.flatMap((shape) => {
    const known = shape.lines.flatMap((line) => {
      const column = columnOf(telemetry, line.name, shape.unit);
      return column.some((value) => value !== null) ? [{ line, column }] : [];
    });
    if (known.length === 0) return [];
    const text = known.map(({ line, column }) => sentence(shape, line, column, telemetry.every)).join(" ");
    const data = known.map(({ column }) => widened(column, breaks, () => null));
    return [{ ...shape, lines: known.map(({ line }) => line), time, data, text }];
  });
}

function columnOf({ columns }: Telemetry, name: string, unit: Unit): Column {
  const column = columns[name] ?? [];
  if (COUNTS.has(name)) return increments(column);
  return unit === "milliseconds" ? column.map((value) => value && value * 1000) : column;
}

/** Return the places before which samples are missing: the server was away, or this page. */
function gaps({ time, every }: Telemetry): ReadonlySet<number> {
  const wide = (at: number): boolean => (time[at] ?? 0) - (time[at - 1] ?? 0) > BROKEN_AFTER * every;
  return new Set(time.map((_, at) => at).filter((at) => at > 0 && wide(at)));
}

function widened<Item>(items: readonly Item[], places: ReadonlySet<number>, filler: (at: number) => Item): Item[] {
  return items.flatMap((item, at) => (places.has(at) ? [filler(at), item] : [item]));
}

function sentence(shape: Shape, line: Line, column: Column, every: number): string {
  const values = column.filter((value) => value !== null);
  const first = column.findIndex((value) => value !== null);
  const span = duration((column.length - first) * every);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const spelt = (value: number): string => measure(value, shape.unit);
  if (shape.unit === "pictures") {
    const sum = values.reduce((one, other) => one + other, 0);
    return `${capital(line.label)}: ${spelt(sum)} in the last ${span}.`;
  }
  const now = column.at(-1) ?? null;
  const standing = now === null ? "not known now" : `${spelt(now)} now`;
  return `${capital(line.label)}: ${standing}, ${spelt(least)} to ${spelt(most)} in the last ${span}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Return a figure with its unit, as people read it. */
export function measure(value: number, unit: Unit): string {
  switch (unit) {
    case "rate":
      return value.toFixed(1);
    case "milliseconds":
      return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
    case "pictures":
      return value.toLocaleString("en-GB");
    case "dBm":
      return `${value < 0 ? "−" : ""}${Math.abs(Math.round(value))} dBm`;
    case "rateOfBytes":
      return `${bytes(value)}/s`;
    case "bytes":
      return bytes(value);
  }
}

const SIZES = ["B", "kB", "MB", "GB"] as const;

/** Return a number of bytes in three digits: "512 B", "201 kB", "8.26 MB". */
export function bytes(value: number): string {
  let [size, at] = [value, 0];
  while (Math.round(size) >= 1000 && at < SIZES.length - 1) [size, at] = [size / 1000, at + 1];
  const digits = at === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return `${size.toFixed(digits)} ${SIZES[at]}`;
}
