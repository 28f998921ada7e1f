// Measurement sessions as a page follows them: what runs, where each tower's points are, and what may be said of that.
// A point that isn't seen, or whose laptop is silent, has no number: the last one is never shown for it.

import { type Clock, serverTime } from "./clock";
import { spoken } from "./language";
import type { Tone } from "./types";
import { decimal, duration, seconds } from "./words";

// --- field for field as over the wire: seconds, millimetres, hertz ---------------------------------------------------

export interface MeasuredSession {
  readonly id: number;
  readonly frequency: number;
  readonly category: string;
  readonly started: number;
  readonly stopped: number | null;
  readonly duration: number;
  readonly length: number;
  readonly attempt: number;
  readonly outcome: string;
  readonly partial: boolean;
  readonly gaps: readonly (readonly [number, number])[];
}

export interface TeamStatus {
  readonly team: number;
  readonly name: string;
  readonly last: number | null;
  readonly heard: number | null;
  readonly samples: number;
  readonly collapsed: number | null;
}

export interface Counts {
  readonly taken: number;
  readonly stored: number;
  readonly again: number;
  readonly failed: number;
  readonly unrecorded: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly waiting: number;
  readonly paused: boolean;
}

/** What everybody is told; `teams` and `counts` come only with an answer. */
export interface CourseState {
  readonly time: number;
  readonly state: "idle" | "starting" | "running" | "ending";
  readonly session: MeasuredSession | null;
  readonly elapsed: number | null;
  readonly left: number | null;
  readonly last: MeasuredSession | null;
  readonly category: string;
  readonly tap: boolean;
  readonly duration: number;
  readonly categories: readonly string[];
  readonly frequencies: readonly number[];
}

export interface MeasurementStatus extends CourseState {
  readonly teams: readonly TeamStatus[];
  readonly counts: Counts;
}

export interface PointFigures {
  readonly samples: number;
  readonly maximum: number | null;
  readonly mean: number | null;
  readonly mean_absolute: number | null;
  readonly rms: number | null;
  readonly frequency: number | null;
  readonly amplitude: number | null;
}

export interface Figures {
  readonly team: number;
  readonly samples: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly rate: number | null;
  readonly a: PointFigures;
  readonly b: PointFigures;
}

export interface Run {
  readonly team: number;
  readonly name: string;
  readonly collapsed: number | null;
  readonly statistics: Figures | null;
}

export interface SessionDetails {
  readonly session: MeasuredSession;
  readonly runs: readonly Run[];
}

export interface SessionPage {
  readonly sessions: readonly SessionDetails[];
  readonly next: number | null;
}

/** Samples of one team, in the order in which they were stored. */
export interface TeamSamples {
  readonly team: number;
  readonly session: number | null;
  readonly time: readonly number[];
  readonly elapsed: readonly number[] | null;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly a_detected: readonly boolean[];
  readonly b_detected: readonly boolean[];
}

export interface RunColumn {
  readonly elapsed: readonly number[];
  readonly value: readonly number[];
}

export interface RunChart {
  readonly session: MeasuredSession;
  readonly team: number;
  readonly samples: number;
  readonly a: RunColumn;
  readonly b: RunColumn;
}

export const POINTS = ["a", "b"] as const;
export type Point = (typeof POINTS)[number];

// --- what runs -------------------------------------------------------------------------------------------------------

/** Take in what was told; a state has no teams and no counts, and what was told earlier changes nothing. */
export function told(
  before: MeasurementStatus | null,
  news: CourseState | MeasurementStatus,
): MeasurementStatus | null {
  if (before !== null && news.time < before.time) return before;
  if ("teams" in news) return news;
  return before === null ? null : { ...before, ...news };
}

/** Return seconds of the session that runs, by the server's clock, now; null if none runs. */
export function elapsed(status: CourseState, clock: Clock, now: number): number | null {
  if (status.session === null || status.elapsed === null) return null;
  const gone = status.elapsed + serverTime(clock, now) - status.time;
  return Math.min(Math.max(0, gone), status.session.duration);
}

const SAY = spoken(
  {
    notKnown: "not known",
    waiting: "Waiting for the server…",
    idle: "No session is running",
    starting: "Starting…",
    running: "Running",
    ending: "Ending…",
    free: "What comes is recorded without a session.",
    dropped: "What comes is neither recorded nor shown.",
    noSample: "no sample yet",
    unrecorded: "sends, not recorded",
    silent: (time: string) => `no sample for ${time}`,
    notSeen: "not detected",
    lastSeen: (time: string) => `last detected ${time} ago`,
    neverSeen: "not detected so far",
    old: (time: string) => `${time} old`,
    mm: "mm",
    steel: "steel",
    concrete: "concrete",
    completed: "complete",
    stopped: (length: string) => `stopped at ${length}`,
    interrupted: "interrupted",
    missing: (seconds: string) => `${seconds} missing`,
  },
  {
    notKnown: "tidak diketahui",
    waiting: "Menunggu server…",
    idle: "Tidak ada sesi yang berjalan",
    starting: "Memulai…",
    running: "Berjalan",
    ending: "Mengakhiri…",
    free: "Data yang masuk direkam tanpa sesi.",
    dropped: "Data yang masuk tidak direkam dan tidak ditampilkan.",
    noSample: "belum ada data",
    unrecorded: "mengirim, tidak direkam",
    silent: (time: string) => `tidak ada data selama ${time}`,
    notSeen: "tidak terdeteksi",
    lastSeen: (time: string) => `terakhir terdeteksi ${time} lalu`,
    neverSeen: "belum pernah terdeteksi",
    old: (time: string) => `umur ${time}`,
    mm: "mm",
    steel: "baja",
    concrete: "beton",
    completed: "lengkap",
    stopped: (length: string) => `dihentikan pada ${length}`,
    interrupted: "terputus",
    missing: (seconds: string) => `${seconds} hilang`,
  },
);

/** Return what a category is called. */
export function categoryName(category: string): string {
  return category === "baja" ? SAY.steel : category === "beton" ? SAY.concrete : category;
}

export interface TimerView {
  readonly state: CourseState["state"] | "unknown";
  readonly tone: Tone;
  readonly word: string;
  /** Seconds with tenths, "–" where there are none. */
  readonly seconds: string;
  readonly whole: string;
  /** From 0 to 1. */
  readonly share: number;
  readonly about: string;
}

/** Return what the timer shows; `lostSince` is when the connection was lost, by our clock. */
export function viewTimer(status: CourseState | null, lostSince: number | null, clock: Clock, now: number): TimerView {
  const whole = decimal(status?.session?.duration ?? status?.duration ?? 60, 0);
  const nothing = { seconds: "–", whole, share: 0, about: "" };
  if (status === null) return { ...nothing, state: "unknown", tone: "busy", word: SAY.waiting };
  if (lostSince !== null) return { ...nothing, state: "unknown", tone: "unknown", word: SAY.notKnown };
  const { state, session } = status;
  if (state === "starting") return { ...nothing, state, tone: "busy", word: SAY.starting };
  if (state === "running" && session !== null) {
    const gone = elapsed(status, clock, now) ?? 0;
    // Cut, not rounded: 60.0 stands there when it is over.
    const digits = decimal(Math.floor(gone * 10) / 10, 1);
    return {
      state,
      tone: "attention",
      word: SAY.running,
      seconds: digits,
      whole,
      share: gone / session.duration,
      about: "",
    };
  }
  const ended = session ?? status.last;
  const took = decimal(ended?.length ?? 0, 1);
  const share = ended === null ? 0 : Math.min(1, ended.length / ended.duration);
  if (state === "ending") return { state, tone: "busy", word: SAY.ending, seconds: took, whole, share, about: "" };
  const about = status.tap ? SAY.free : SAY.dropped;
  return { state: "idle", tone: "calm", word: SAY.idle, seconds: took, whole, share, about };
}

/** Return how a session ended, in words. */
export function outcomeText(session: MeasuredSession): string {
  if (session.outcome === "running") return SAY.running;
  const how =
    session.outcome === "stopped"
      ? SAY.stopped(seconds(session.length))
      : session.outcome === "interrupted"
        ? SAY.interrupted
        : SAY.completed;
  const missing = session.gaps.reduce((sum, [from, to]) => sum + to - from, 0);
  return missing > 0.05 ? `${how}, ${SAY.missing(seconds(missing))}` : how;
}

// --- where the points are --------------------------------------------------------------------------------------------

/** The newest sample of a team: when it was measured (the server's clock), and each point, null where it wasn't seen. */
export interface Reading {
  readonly time: number;
  readonly a: number | null;
  readonly b: number | null;
  /** When each was seen last; null for never. */
  readonly seenA: number | null;
  readonly seenB: number | null;
}

/** Take samples in; what comes late is older than what is shown. */
export function read(before: Reading | null, samples: TeamSamples): Reading | null {
  let now = before;
  for (const [at, time] of samples.time.entries()) {
    if (now !== null && time < now.time) continue;
    const a = samples.a_detected[at] ? (samples.a[at] ?? null) : null;
    const b = samples.b_detected[at] ? (samples.b[at] ?? null) : null;
    const [seenA, seenB] = [a === null ? (now?.seenA ?? null) : time, b === null ? (now?.seenB ?? null) : time];
    now = { time, a, b, seenA, seenB };
  }
  return now;
}

/** Seconds without a sample after which a point is nowhere: seven pictures of the slowest useful camera. */
export const SILENT_AFTER = 1.5;

/** Seconds for which a laptop that sends unrecorded is said to send: the server is asked every two. */
export const HEARD_LATELY = 2 + SILENT_AFTER;

export interface PointView {
  /** The displacement with its sign, or "–". */
  readonly value: string;
  readonly unit: string;
  /** How old it is, or why there is none. */
  readonly note: string;
  readonly tone: Tone;
  /** Millimetres for a bar; null where nothing is known. */
  readonly at: number | null;
}

/** Return a displacement with its sign: "+12.30", "−0.05". */
export function signed(value: number, digits = 2): string {
  const text = decimal(Math.abs(value), digits);
  const isZero = Math.abs(value) < 0.5 * 10 ** -digits;
  return isZero ? text : `${value < 0 ? "−" : "+"}${text}`;
}

/** Return a figure that may be below zero: "0.12", "−0.05", "–" for none. */
export function level(value: number | null | undefined, digits: number, unit = ""): string {
  if (value === null || value === undefined) return UNKNOWN;
  return `${signed(value, digits).replace("+", "")}${unit ? ` ${unit}` : ""}`;
}

/** Return what is shown of a point now; `heard`: when the team's newest sample came, recorded or not. */
export function viewPoint(
  reading: Reading | null,
  point: Point,
  lostSince: number | null,
  clock: Clock,
  now: number,
  heard: number | null = null,
): PointView {
  const nowhere = (note: string, tone: Tone): PointView => ({ value: "–", unit: "", note, tone, at: null });
  if (lostSince !== null) return nowhere(SAY.notKnown, "unknown");
  const today = serverTime(clock, now);
  const age = reading === null ? Number.POSITIVE_INFINITY : Math.max(0, today - reading.time);
  if (reading === null || age > SILENT_AFTER) {
    const unheard = heard === null ? Number.POSITIVE_INFINITY : Math.max(0, today - heard);
    if (unheard <= HEARD_LATELY && age - unheard > SILENT_AFTER) return nowhere(SAY.unrecorded, "calm");
    const silent = Math.min(age, unheard);
    return silent === Number.POSITIVE_INFINITY
      ? nowhere(SAY.noSample, "unknown")
      : nowhere(SAY.silent(duration(silent)), "attention");
  }
  const [value, seen] = point === "a" ? [reading.a, reading.seenA] : [reading.b, reading.seenB];
  if (value !== null)
    return { value: signed(value), unit: SAY.mm, note: SAY.old(duration(age)), tone: "calm", at: value };
  const note = seen === null ? SAY.neverSeen : SAY.lastSeen(duration(today - seen));
  return { ...nowhere(note, "alarm"), value: SAY.notSeen };
}

/** Return whether a session's samples go on in the buffer, begin a new one, or are of no use for it. */
export function belongs(
  take: number | null | undefined,
  newest: number,
  session: number | null,
  isRunning: boolean,
): "same" | "new" | "other" {
  if (session === take) return "same";
  if (session === null) return isRunning ? "other" : "new";
  return session > newest ? "new" : "other";
}

// --- figures ---------------------------------------------------------------------------------------------------------

export const UNKNOWN = "–";

/** Return a figure in millimetres or hertz, or a dash. */
export function figure(value: number | null | undefined, digits: number, unit = ""): string {
  if (value === null || value === undefined) return UNKNOWN;
  return `${decimal(value, digits)}${unit ? ` ${unit}` : ""}`;
}

/** Samples a second below which a motion can be taken for a slower one: three for each swing of 5 Hz. */
export const SLOW = 15;

/** Return whether so few samples come that the table's frequency may not be told. */
export function isSlow(rate: number | null | undefined, frequency: number | null): boolean {
  return rate !== null && rate !== undefined && rate < Math.max(SLOW, 2.5 * (frequency ?? 0));
}

/** Return the place of each team that has one: whose top moved least comes first, and a tower that fell has none. */
export function ranking(
  teams: readonly { readonly team: number; readonly collapsed: number | null; readonly most: number | null }[],
): ReadonlyMap<number, number> {
  const standing = teams.filter(({ collapsed, most }) => collapsed === null && most !== null);
  const sorted = [...standing].sort((one, other) => (one.most ?? 0) - (other.most ?? 0) || one.team - other.team);
  return new Map(sorted.map(({ team }, at) => [team, at + 1]));
}
