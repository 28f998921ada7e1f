// A camera's tile: what the server says of the camera, and what this page itself knows of the picture it shows.
// The page's own evidence counts: without a new picture for 2 s the tile is stale whatever the server said last.

import { type Clock, NO_CLOCK, offset, serverTime } from "./clock";
import { viewHelp } from "./help";
import { spoken } from "./language";
import { viewSight } from "./sight";
import type { CameraStatus, Tone } from "./types";
import { decimal, duration, moment, sentence } from "./words";

/** Seconds after which a picture no longer shows what is there. */
export const STALE_AFTER = 2;

/** Pictures that a slow camera may be late by, and the seconds that it may be at most: then it is stale as any other. */
const LATE = 3;
const LATEST = 10;

/** Seconds over which pictures are counted: long enough for a steady figure at 1 fps, short enough to show a drop. */
const RATE_WINDOW = 3;

/** Seconds of pictures below which a rate is a guess. */
const RATE_KNOWN = 1;

/** Drawn pictures that are remembered for the rate: 3 s at 60 fps. */
const MOST_DRAWN = 180;

export interface Tile {
  readonly status: CameraStatus;
  /** The picture on the screen: when the server received it (its clock), when it was drawn (ours), and its size. */
  readonly shown: {
    readonly received: number;
    readonly drawn: number;
    /** Seconds from the one to the other, measured when it was drawn; null before the server's clock is known. */
    readonly delay: number | null;
    readonly width: number;
    readonly height: number;
  } | null;
  readonly drawn: readonly number[];
}

export function tile(status: CameraStatus, before?: Tile): Tile {
  return before ? { ...before, status } : { status, shown: null, drawn: [] };
}

/** A picture was drawn. */
export function drew(
  state: Tile,
  received: number,
  width: number,
  height: number,
  now: number,
  clock: Clock = NO_CLOCK,
): Tile {
  const delay = offset(clock) === null ? null : Math.max(serverTime(clock, now) - received, 0);
  const drawn = [...state.drawn.filter((time) => now - time < RATE_WINDOW), now].slice(-MOST_DRAWN);
  return { ...state, shown: { received, drawn: now, delay, width, height }, drawn };
}

/** Return pictures per second drawn here over the last seconds, or null while there are too few to tell. */
export function rate(state: Tile, now: number): number | null {
  const recent = state.drawn.filter((time) => now - time < RATE_WINDOW);
  const [first, last] = [recent[0], recent.at(-1)];
  if (first === undefined || last === undefined) return 0;
  // Up to now, not up to the last picture: the figure has to fall when pictures stop.
  const span = Math.max(now, last) - first;
  return span < RATE_KNOWN ? null : (recent.length - 1) / span;
}

function spellRate(state: Tile, now: number): string {
  const known = rate(state, now);
  return known === null ? "– fps" : `${decimal(known, 1)} fps`;
}

/** Return the age of the picture on the screen in seconds, or null when there is none. It never stops growing. */
export function age(state: Tile, clock: Clock, now: number): number | null {
  if (state.shown === null) return null;
  const since = now - state.shown.drawn;
  return offset(clock) === null ? since : Math.max(since, serverTime(clock, now) - state.shown.received, 0);
}

const SAY = spoken(
  {
    live: "live",
    stale: "stale",
    waiting: "waiting",
    connecting: "connecting",
    stalled: "stalled",
    offline: "offline",
    unknown: "not known",
    lost: (time: string) => `Not known: no connection to the server since ${time}`,
    since: (what: string, time: string) => `${what} since ${time}`,
    sightSince: (what: string, time: string) => `${what}, since ${time}`,
    first: "Waiting for the first picture",
    none: (time: string) => `No new picture for ${time}`,
    noPicture: "no picture",
    old: (time: string) => `${time} old`,
  },
  {
    live: "langsung",
    stale: "basi",
    waiting: "menunggu",
    connecting: "menghubungkan",
    stalled: "macet",
    offline: "mati",
    unknown: "tidak diketahui",
    lost: (time: string) => `Tidak diketahui: tidak ada koneksi ke server sejak ${time}`,
    since: (what: string, time: string) => `${what} sejak ${time}`,
    sightSince: (what: string, time: string) => `${what}, sejak ${time}`,
    first: "Menunggu gambar pertama",
    none: (time: string) => `Tidak ada gambar baru selama ${time}`,
    noPicture: "tidak ada gambar",
    old: (time: string) => `umur ${time}`,
  },
);

export interface TileView {
  /** "live", "stale", "waiting", "not known", the state, or what is wrong with what it sees. */
  readonly word: string;
  readonly tone: Tone;
  /** Whether the picture shows the present; false greys it. */
  readonly present: boolean;
  /** Why not, for the person who looks. */
  readonly notice: string | null;
  readonly age: string;
  /** From the server's receipt of this picture to its drawing here. */
  readonly delay: string;
  readonly rate: string;
  readonly size: string;
}

/** Return the age in seconds from which a camera's picture is stale: one that sends a picture in two seconds is alive. */
function patience({ fps }: CameraStatus): number {
  return fps > 0 ? Math.min(LATEST, Math.max(STALE_AFTER, LATE / fps)) : STALE_AFTER;
}

/** Return a notice with what is being done about it. */
function withHelp(notice: string, { help }: CameraStatus, today: number): string {
  const done = viewHelp(help, today);
  return done === null ? notice : `${notice}. ${done}`;
}

function verdict(
  state: Tile,
  lostSince: number | null,
  clock: Clock,
  now: number,
): Pick<TileView, "word" | "tone" | "notice" | "present"> {
  const { status } = state;
  const today = serverTime(clock, now);
  if (lostSince !== null) {
    const since = moment(serverTime(clock, lostSince), today);
    return {
      word: SAY.unknown,
      tone: "unknown",
      present: false,
      notice: SAY.lost(since),
    };
  }
  if (status.state !== "live") {
    const reason = status.reason ? ` – ${status.reason}` : "";
    const tone = status.state === "connecting" ? "busy" : "alarm";
    return {
      word: SAY[status.state],
      tone,
      present: false,
      notice: withHelp(
        `${SAY.since(sentence(SAY[status.state]), moment(status.since, today))}${reason}`,
        status,
        today,
      ),
    };
  }
  const old = age(state, clock, now);
  if (old === null) return { word: SAY.waiting, tone: "busy", present: false, notice: SAY.first };
  if (old > patience(status))
    return { word: SAY.stale, tone: "alarm", present: false, notice: SAY.none(duration(old)) };
  const sight = viewSight(status.sight);
  if (sight !== null) {
    const notice = SAY.sightSince(sight.notice, moment(status.sight_since, today));
    return { ...sight, notice: withHelp(notice, status, today) };
  }
  return { word: SAY.live, tone: "calm", present: true, notice: null };
}

/** Return what the tile shows; `lostSince` is when the connection to the server was lost (our clock), null while open. */
export function viewTile(state: Tile, lostSince: number | null, clock: Clock, now: number): TileView {
  const said = verdict(state, lostSince, clock, now);
  const old = age(state, clock, now);
  const { shown } = state;
  return {
    ...said,
    age: old === null ? SAY.noPicture : SAY.old(duration(old)),
    delay: shown === null || shown.delay === null ? "– ms" : `${Math.round(shown.delay * 1000)} ms`,
    rate: said.present ? spellRate(state, now) : "0 fps",
    size: shown ? `${shown.width} × ${shown.height}` : "–",
  };
}
