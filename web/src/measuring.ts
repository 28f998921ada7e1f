// Measurement sessions as a page follows them: state, samples and figures come by topics, what was before by calls. It
// asks and keeps; model/measurement decides. Samples go into plain buffers: charts look at them once a frame, numbers
// ten times a second, and nothing is drawn because one came.

import { type Signal, signal } from "@preact/signals";
import { readClock } from "./clock";
import {
  belongs,
  type CourseState,
  type Figures,
  type MeasurementStatus,
  type Reading,
  type RunChart,
  read,
  type SessionDetails,
  type SessionPage,
  type TeamSamples,
  told,
} from "./model/measurement";
import { type Line, Trace } from "./model/trace";
import type { Site } from "./site";
import { fill, uris } from "./uris";

/** Milliseconds between two questions for what no topic tells: counts, and which towers fell. */
const ASK_EVERY = 2000;

/** Samples of a point that are kept: a minute at 300 a second; 240 KB. */
const MOST_SAMPLES = 18_000;

/** The same where only the last seconds are shown, of many teams. */
const MOST_LATELY = 4_000;

/** Sessions in one answer; older ones are asked for. */
const PAGE = 20;

/** What a page knows of one team. */
export interface TeamCell {
  readonly team: number;
  readonly name: Signal<string>;
  readonly figures: Signal<Figures | null>;
  /** Second of the session at which its tower fell. */
  readonly collapsed: Signal<number | null>;
  /** When its newest sample came, recorded or not: the server's clock. */
  readonly heard: Signal<number | null>;
  readonly lines: Readonly<Record<"a" | "b", Trace>>;
  /** The session whose samples are in the lines; null for samples of none, undefined before the first. */
  take: number | null | undefined;
  /** The newest session of which samples were taken, or are no longer: what comes of it is late. */
  newest: number;
  reading: Reading | null;
  /** When the last sample came, by our clock. */
  arrived: number;
  /** Charts, told that there is something to draw. */
  readonly watched: Set<() => void>;
}

export class Measuring {
  readonly status: Signal<MeasurementStatus | null> = signal(null);
  readonly teams: Signal<readonly TeamCell[]> = signal([]);
  readonly past: Signal<readonly SessionDetails[] | null> = signal(null);
  /** The id to go on before; null when that was all. */
  readonly older: Signal<number | null> = signal(null);
  readonly failure: Signal<string | null> = signal(null);
  readonly #site: Site;
  readonly #only: number | null;
  readonly #follows: "one" | "rows" | "lines";
  /** Which session with the server is the newest: what an earlier one still answers is dropped. */
  #session = 0;
  #ends: Promise<() => void>[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Follow one team, or all that may be seen: their figures in rows, or their lines too. */
  constructor(site: Site, follows: number | "rows" | "lines") {
    this.#site = site;
    this.#only = typeof follows === "number" ? follows : null;
    this.#follows = typeof follows === "number" ? "one" : follows;
  }

  /** Follow for as long as the session with the server lasts. */
  start(): void {
    const session = ++this.#session;
    this.#subscribe(session, uris.TOPIC_MEASUREMENT_STATE, ([state]) => {
      this.#told(state as CourseState);
      void this.ask(); // teams and counts aren't told
      void this.#askFigures(session);
      void this.askPast();
    });
    this.#begin(session).catch((reason) => this.#failed(session, reason));
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.ask(), ASK_EVERY);
  }

  /** Follow no more. */
  stop(): void {
    this.#session++;
    clearInterval(this.#timer);
    for (const end of this.#ends) void end.then((leave) => leave()).catch(() => {});
    this.#ends = [];
  }

  async #begin(session: number): Promise<void> {
    await this.ask();
    if (session !== this.#session) return;
    const take = (samples: unknown): void => this.#took(samples as TeamSamples);
    if (this.#only === null && this.#site.may("measurement.view", "*"))
      this.#subscribe(session, uris.TOPIC_MEASUREMENT_SAMPLES, ([all]) => {
        for (const samples of all as readonly unknown[]) take(samples);
      });
    else
      for (const { team } of this.teams.value)
        this.#subscribe(session, fill(uris.TOPIC_MEASUREMENT_SAMPLE, { team }), ([samples]) => take(samples));
    for (const { team, figures } of this.teams.value)
      this.#subscribe(session, fill(uris.TOPIC_MEASUREMENT_STATISTICS, { team }), ([found]) => {
        figures.value = found as Figures;
      });
    await Promise.all(this.#ends);
    await Promise.all([this.#askFigures(session), this.#askBefore(session), this.askPast()]);
  }

  #subscribe(session: number, topic: string, take: (args: readonly unknown[]) => void): void {
    const following = this.#site.subscribe(topic, (args) => {
      if (session === this.#session) take(args);
    });
    following.catch((reason) => this.#failed(session, reason));
    this.#ends.push(following);
  }

  /** Ask for everything at this moment. */
  async ask(): Promise<void> {
    const session = this.#session;
    try {
      const status = await this.#site.call<MeasurementStatus>(uris.CALL_MEASUREMENT_STATUS);
      if (session === this.#session) this.#told(status);
    } catch (reason) {
      this.#failed(session, reason);
    }
  }

  #told(news: CourseState | MeasurementStatus): void {
    const before = this.status.value;
    const after = told(before, news);
    if (after === before || after === null) return;
    this.status.value = after;
    this.failure.value = null;
    // A session that runs is new to an empty buffer; of one that is over nothing comes, but what is late.
    const newest = after.session === null ? (after.last?.id ?? 0) : after.session.id - 1;
    const wanted = after.teams.filter(({ team }) => this.#only === null || team === this.#only);
    const isNew = after.session !== null && after.session.id !== before?.session?.id;
    const cells = wanted.map(({ team, name, collapsed, heard }) => {
      const cell = this.teams.value.find((known) => known.team === team) ?? this.#cell(team, newest);
      cell.name.value = name;
      cell.collapsed.value = collapsed;
      cell.heard.value = heard;
      if (isNew && before !== null) cell.figures.value = null;
      return cell;
    });
    const same = cells.length === this.teams.value.length && cells.every((cell, at) => cell === this.teams.value[at]);
    if (!same) this.teams.value = cells;
  }

  #cell(team: number, newest: number): TeamCell {
    const most = this.#only === null ? MOST_LATELY : MOST_SAMPLES;
    return {
      team,
      name: signal(""),
      figures: signal(null),
      collapsed: signal(null),
      heard: signal(null),
      lines: { a: new Trace(most), b: new Trace(most) },
      take: undefined,
      newest,
      reading: null,
      arrived: 0,
      watched: new Set(),
    };
  }

  #took(samples: TeamSamples): void {
    const cell = this.teams.value.find(({ team }) => team === samples.team);
    if (cell === undefined) return;
    cell.reading = read(cell.reading, samples);
    cell.arrived = readClock();
    const isRunning = this.status.value?.session != null;
    const verdict = belongs(cell.take, cell.newest, samples.session, isRunning);
    if (verdict === "other") return;
    if (verdict === "new") turn(cell, samples.session);
    const x = samples.elapsed ?? samples.time;
    for (let at = 0; at < x.length; at++) {
      const moment = x[at] ?? 0;
      cell.lines.a.add(moment, samples.a_detected[at] ? (samples.a[at] ?? Number.NaN) : Number.NaN);
      cell.lines.b.add(moment, samples.b_detected[at] ? (samples.b[at] ?? Number.NaN) : Number.NaN);
    }
    for (const wake of cell.watched) wake();
  }

  async #askFigures(session: number): Promise<void> {
    try {
      const all = await this.#site.call<readonly Figures[]>(uris.CALL_MEASUREMENT_STATISTICS);
      if (session !== this.#session) return;
      for (const figures of all) {
        const cell = this.teams.value.find(({ team }) => team === figures.team);
        if (cell) cell.figures.value = figures;
      }
    } catch (reason) {
      this.#failed(session, reason);
    }
  }

  /** Ask for what was before the page opened, team by team, where lines are drawn at all. */
  async #askBefore(session: number): Promise<void> {
    const { session: running, last } = this.status.value ?? {};
    const shown = running ?? (this.#follows === "one" ? last : null);
    if (this.#follows === "rows" || !shown) return;
    for (const cell of this.teams.value) {
      const chart = await this.chart(shown.id, cell.team);
      if (session !== this.#session) return;
      if (chart === null || (cell.take !== undefined && cell.take !== shown.id)) continue;
      cell.take = shown.id;
      cell.newest = Math.max(cell.newest, shown.id);
      cell.lines.a.before(lineOf(chart.a));
      cell.lines.b.before(lineOf(chart.b));
      for (const wake of cell.watched) wake();
    }
  }

  /** Ask for a run as columns; null where it can't be had. */
  async chart(session: number, team: number): Promise<RunChart | null> {
    try {
      return await this.#site.call<RunChart>(uris.CALL_MEASUREMENT_CHART, { session, team });
    } catch (reason) {
      this.#failed(this.#session, reason);
      return null;
    }
  }

  /** Ask for past sessions, the newest; or with `more` for the ones before. */
  async askPast(more = false): Promise<void> {
    const session = this.#session;
    const before = more ? this.older.value : null;
    try {
      const asked = { limit: PAGE, ...(before !== null && { before }) };
      const page = await this.#site.call<SessionPage>(uris.CALL_MEASUREMENT_SESSIONS, asked);
      if (session !== this.#session) return;
      const known = this.past.value ?? [];
      // Older pages that were asked for stay; the newest is told anew.
      const last = page.sessions.at(-1)?.session.id ?? 0;
      const rest = more ? [] : known.filter((one) => one.session.id < last);
      this.past.value = more ? [...known, ...page.sessions] : [...page.sessions, ...rest];
      if (more || rest.length === 0) this.older.value = page.next;
    } catch (reason) {
      this.#failed(session, reason);
    }
  }

  /** Ask for something to be done; returns whether it was. */
  async act(procedure: string, kwargs: object = {}): Promise<boolean> {
    this.failure.value = null;
    try {
      await this.#site.call(procedure, kwargs);
    } catch (reason) {
      this.failure.value = reason instanceof Error ? reason.message : String(reason);
      return false;
    }
    await Promise.all([this.ask(), this.askPast()]);
    return true;
  }

  #failed(session: number, reason: unknown): void {
    if (session === this.#session) console.warn("the server did not tell of measurements", reason);
  }
}

/** Begin new lines. */
function turn(cell: TeamCell, session: number | null): void {
  cell.take = session;
  if (session !== null) cell.newest = session;
  cell.lines.a.clear();
  cell.lines.b.clear();
}

/** Return a run's column as a line. */
export function lineOf(column: { readonly elapsed: readonly number[]; readonly value: readonly number[] }): Line {
  return { x: column.elapsed, v: column.value };
}
