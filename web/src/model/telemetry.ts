// A camera's figures over the last hour: kept, joined, and made into charts with their text. Pure.

import { spoken } from "./language";
import type { TelemetryPage, TelemetryPoint } from "./types";
import { decimal, duration, whole } from "./words";

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

const SAY = spoken(
  {
    titles: {
      pictures: "Pictures per second",
      bytes: "Data",
      jitter: "Jitter",
      lost: "Pictures lost",
      memory: "Free memory of the camera",
      rssi: "WiFi of the camera",
    },
    abouts: {
      bytes: "Pictures alone.",
      jitter: "How much the time from picture to picture varies: its mean deviation.",
      lost: "In five seconds each.",
      rssi: "Below −75 dBm pictures begin to stutter.",
    } as Readonly<Record<string, string>>,
    labels: {
      received: "received",
      wanted: "wanted",
      bytes: "received",
      jitter: "jitter",
      dropped: "dropped by the camera",
      lost: "missing in its numbering",
      rejected: "unreadable when they came",
      heap: "now",
      minimum_heap: "least since its start",
      psram: "PSRAM",
      rssi: "signal",
    },
    unknown: "not known now",
    now: (figure: string) => `${figure} now`,
    sum: (line: string, figure: string, span: string) => `${line}: ${figure} in the last ${span}.`,
    range: (line: string, now: string, least: string, most: string, span: string) =>
      `${line}: ${now}, ${least} to ${most} in the last ${span}.`,
  },
  {
    titles: {
      pictures: "Gambar per detik",
      bytes: "Data",
      jitter: "Jitter",
      lost: "Gambar yang hilang",
      memory: "Memori bebas kamera",
      rssi: "WiFi kamera",
    },
    abouts: {
      bytes: "Gambar saja.",
      jitter: "Seberapa berubah waktu dari gambar ke gambar: simpangan rata-ratanya.",
      lost: "Masing-masing dalam lima detik.",
      rssi: "Di bawah −75 dBm gambar mulai tersendat.",
    },
    labels: {
      received: "diterima",
      wanted: "diminta",
      bytes: "diterima",
      jitter: "jitter",
      dropped: "dibuang oleh kamera",
      lost: "hilang dalam penomorannya",
      rejected: "tidak terbaca saat tiba",
      heap: "sekarang",
      minimum_heap: "paling sedikit sejak menyala",
      psram: "PSRAM",
      rssi: "sinyal",
    },
    unknown: "sekarang tidak diketahui",
    now: (figure: string) => `sekarang ${figure}`,
    sum: (line: string, figure: string, span: string) => `${line}: ${figure} dalam ${span} terakhir.`,
    range: (line: string, now: string, least: string, most: string, span: string) =>
      `${line}: ${now}, ${least} sampai ${most} dalam ${span} terakhir.`,
  },
);

const SHAPES: readonly {
  readonly id: keyof typeof SAY.titles;
  readonly unit: Unit;
  readonly lines: readonly (keyof typeof SAY.labels)[];
}[] = [
  { id: "pictures", unit: "rate", lines: ["received", "wanted"] },
  { id: "bytes", unit: "rateOfBytes", lines: ["bytes"] },
  { id: "jitter", unit: "milliseconds", lines: ["jitter"] },
  { id: "lost", unit: "pictures", lines: ["dropped", "lost", "rejected"] },
  { id: "memory", unit: "bytes", lines: ["heap", "minimum_heap", "psram"] },
  { id: "rssi", unit: "dBm", lines: ["rssi"] },
];

/** Return what may be drawn, in the language of the moment. */
function shapes(): readonly Shape[] {
  return SHAPES.map(({ id, unit, lines }) => ({
    id,
    title: SAY.titles[id],
    unit,
    about: SAY.abouts[id] ?? "",
    lines: lines.map((name) => ({ name, label: SAY.labels[name] })),
  }));
}

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
  return shapes().flatMap((shape) => {
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
    return SAY.sum(capital(line.label), spelt(sum), span);
  }
  const now = column.at(-1) ?? null;
  const standing = now === null ? SAY.unknown : SAY.now(spelt(now));
  return SAY.range(capital(line.label), standing, spelt(least), spelt(most), span);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Return a figure with its unit, as people read it. */
export function measure(value: number, unit: Unit): string {
  switch (unit) {
    case "rate":
      return decimal(value, 1);
    case "milliseconds":
      return value < 10 ? `${decimal(value, 1)} ms` : `${Math.round(value)} ms`;
    case "pictures":
      return whole(value);
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
  return `${decimal(size, digits)} ${SIZES[at]}`;
}
