// A chart that moves, and what it shows in words.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { readClock } from "../clock";
import type { Measuring, TeamCell } from "../measuring";
import { serverTime } from "../model/clock";
import { spoken } from "../model/language";
import { elapsed, figure } from "../model/measurement";
import { farthest, type Line } from "../model/trace";
import { clockTime, seconds } from "../model/words";
import { type Drawn, Motion, type Scene, type Window } from "../motion";
import type { Site } from "../site";

const SAY = spoken(
  {
    chart: (seconds: string, a: string, b: string) =>
      `Chart of the last ${seconds} s: point A moved up to ${a}, point B up to ${b}.`,
    whole: (a: string, b: string) => `Chart of the whole run: point A moved up to ${a}, point B up to ${b}.`,
    nothing: "no distance that is known",
  },
  {
    chart: (seconds: string, a: string, b: string) =>
      `Grafik ${seconds} detik terakhir: titik A bergerak sampai ${a}, titik B sampai ${b}.`,
    whole: (a: string, b: string) => `Grafik seluruh uji: titik A bergerak sampai ${a}, titik B sampai ${b}.`,
    nothing: "jarak yang tidak diketahui",
  },
);

/** Seconds that are seen while a chart rolls: 15 swings of the slowest table. */
export const ROLLING = 10;

/** Seconds that a rolling chart is behind: what comes within them is drawn in its place, not in jumps. */
const BEHIND = 0.12;

/** Seconds for which a chart rolls on when nothing comes any more; then it stands. */
const ROLLS_ON = 0.5;

/** Milliseconds between two descriptions in words. */
const WORDS_EVERY = 2000;

interface Props {
  readonly site: Site;
  readonly measuring: Measuring;
  readonly cell: TeamCell;
  /** Which points are drawn. */
  readonly points: readonly ("a" | "b")[];
  /** The whole run instead of its last seconds. */
  readonly whole?: boolean;
  readonly past?: readonly Drawn[];
  /** Pixels; null for as high as its place. */
  readonly height: number | null;
  /** Without axes. */
  readonly small?: boolean;
  /** Shared with charts that are to be of the same scale. */
  readonly shared?: Map<object, number>;
  /** The moment, by our clock, at which the view was frozen. */
  readonly frozen?: number | null;
  readonly testid?: string;
}

const NOTHING_PAST: readonly Drawn[] = [];

export function Moving(props: Props): JSX.Element {
  const { cell, points, whole = false, past = NOTHING_PAST, height, small = false, frozen = null, testid } = props;
  const host = useRef<HTMLDivElement>(null);
  const motion = useRef<Motion | null>(null);
  const words = useSignal("");
  const scene = useRef<Scene | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const pastKey = past.map(({ colour }, at) => `${colour} ${at}`).join();
  useEffect(() => {
    if (host.current === null) return;
    const made = sceneOf(latest.current);
    scene.current = made;
    const wake = (): void => {
      if (latest.current.frozen == null) motion.current?.wake();
    };
    motion.current = new Motion(host.current, height, made);
    cell.watched.add(wake);
    const describe = (): void => {
      words.value = inWords(latest.current, scene.current?.window(readClock()));
    };
    describe();
    const timer = setInterval(describe, WORDS_EVERY);
    return () => {
      clearInterval(timer);
      cell.watched.delete(wake);
      motion.current?.end();
      motion.current = null;
    };
  }, [cell, height, small]);
  useEffect(() => {
    scene.current = sceneOf(latest.current);
    motion.current?.show(scene.current);
  }, [points.join(), whole, past, pastKey, frozen]);
  const text = useComputed(() => words.value);
  return (
    <>
      <div
        ref={host}
        class={small ? "moving small" : "moving"}
        style={height === null ? undefined : { height: `${height}px` }}
        aria-hidden="true"
        data-testid={testid}
      />
      <p class="spoken">{text}</p>
    </>
  );
}

function sceneOf({
  site,
  measuring,
  cell,
  points,
  whole = false,
  past = NOTHING_PAST,
  small,
  frozen,
  ...rest
}: Props): Scene {
  const shared = rest.shared ?? null;
  const lines: Drawn[] = [
    ...past,
    ...points.map((point) => ({ line: cell.lines[point], colour: point === "a" ? 0 : 1, past: false })),
  ];
  const window = (now: number): Window => {
    const status = measuring.status.peek();
    const newest = cell.lines.a.newest;
    const isSession = typeof cell.take === "number" || (newest === null && past.length > 0);
    const duration = status?.session?.duration ?? status?.duration ?? 60;
    if (whole && isSession) return { from: 0, to: duration, moves: false };
    const length = whole ? duration : ROLLING;
    if (newest === null) return { from: isSession ? 0 : -length, to: isSession ? length : 0, moves: false };
    const today = isSession
      ? status === null
        ? null
        : elapsed(status, site.clock.peek(), frozen ?? now)
      : serverTime(site.clock.peek(), frozen ?? now);
    const wanted = today === null ? newest : today - BEHIND;
    const edge = Math.min(Math.max(wanted, newest - 0.3), newest + ROLLS_ON);
    const moves = frozen == null && today !== null && edge < newest + ROLLS_ON && now - cell.arrived < 2 * ROLLS_ON;
    return { from: edge - length, to: edge, moves };
  };
  if (small) return { lines, window, mark: null, shared };
  return { lines, window, shared, mark: (x) => (Math.abs(x) > 1e6 ? clockTime(x) : seconds(x, 0)) };
}

function inWords({ cell, whole = false, points }: Props, window: Window | undefined): string {
  if (window === undefined) return "";
  const most = (point: "a" | "b"): string => {
    const line: Line = cell.lines[point];
    const far = farthest(line, window.from, window.to);
    return points.includes(point) && far > 0 ? figure(far, 1, "mm") : SAY.nothing;
  };
  return whole ? SAY.whole(most("a"), most("b")) : SAY.chart(String(ROLLING), most("a"), most("b"));
}
