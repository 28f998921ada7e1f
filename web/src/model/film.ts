// The pictures around a door action on a time axis: one lane per camera, with what it missed and why.
// Moments on the axis are seconds relative to the action; the record holds unix seconds.

import { spoken } from "./language";
import { count, duration, relative, whole } from "./words";

/** One picture as the record lists it. */
export interface Picture {
  readonly number: number;
  readonly camera: string;
  readonly received: number;
  readonly width: number;
  readonly height: number;
  readonly size: number;
  /** Hex; what the picture's bytes must hash to. */
  readonly sha256: string;
}

/** What an `evidence.…` event's details hold. */
export interface Bundle {
  readonly state: string;
  readonly reasons: readonly string[];
  readonly moment: number;
  readonly from: number;
  readonly to: number;
  readonly cameras: Readonly<
    Record<
      string,
      { readonly frames: number; readonly lost: number; readonly blind: readonly (readonly [number, number, string])[] }
    >
  >;
  readonly pictures: readonly Picture[];
}

export interface Frame {
  readonly number: number;
  readonly at: number;
  readonly picture: Picture;
}

export interface Blind {
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

export interface Lane {
  readonly camera: string;
  readonly frames: readonly Frame[];
  readonly blind: readonly Blind[];
  readonly lost: number;
}

export interface Film {
  readonly from: number;
  readonly to: number;
  readonly lanes: readonly Lane[];
  /** Every moment at which some lane shows another picture, in order. */
  readonly moments: readonly number[];
}

/** A bundle has some hundred pictures; ten cameras at 50 fps for two minutes would have this many. */
const MOST_PICTURES = 60_000;

function isBundle(details: unknown): details is Bundle {
  const said = details as Partial<Bundle> | null;
  return (
    typeof said === "object" &&
    said !== null &&
    Array.isArray(said.pictures) &&
    typeof said.cameras === "object" &&
    typeof said.moment === "number" &&
    typeof said.from === "number" &&
    typeof said.to === "number"
  );
}

/** Return the bundle that an event's details hold, or null if they hold none. */
export function bundleOf(details: unknown): Bundle | null {
  if (!isBundle(details)) return null;
  return { ...details, reasons: details.reasons ?? [], pictures: details.pictures.slice(0, MOST_PICTURES) };
}

/** Lay a bundle out on the axis. */
export function film(bundle: Bundle): Film {
  const at = (unix: number): number => unix - bundle.moment;
  const seen = bundle.pictures.map(({ camera }) => camera);
  const names = [...new Set([...Object.keys(bundle.cameras), ...seen])];
  const lanes = names.map((camera): Lane => {
    const told = bundle.cameras[camera];
    const pictures = bundle.pictures.filter((picture) => picture.camera === camera);
    const frames = pictures.map((picture) => ({ number: picture.number, at: at(picture.received), picture }));
    return {
      camera,
      frames: frames.sort((one, other) => one.at - other.at),
      blind: (told?.blind ?? []).map(([from, to, why]) => ({ from: at(from), to: at(to), why })),
      lost: told?.lost ?? 0,
    };
  });
  const moments = [...new Set(lanes.flatMap(({ frames }) => frames.map((frame) => frame.at)))].sort((a, b) => a - b);
  return {
    from: Math.min(at(bundle.from), moments[0] ?? 0),
    to: Math.max(at(bundle.to), moments.at(-1) ?? 0),
    lanes,
    moments,
  };
}

// --- the player ------------------------------------------------------------------------------------------------------

export interface Player {
  readonly at: number;
  readonly playing: boolean;
}

export type PlayerEvent =
  | { readonly kind: "toggled" }
  | { readonly kind: "stepped"; readonly by: 1 | -1 }
  | { readonly kind: "scrubbed"; readonly at: number }
  | { readonly kind: "jumped"; readonly to: "start" | "action" | "end" }
  | { readonly kind: "ticked"; readonly seconds: number };

/** Seconds that one tick advances at most: a tab that slept must not jump over the action. */
const LONGEST_TICK = 0.25;

/** A hundredth of a millisecond: two moments closer than this are one. */
const SAME = 1e-5;

/** Return a player at the moment of the action. */
export function startPlayer(film: Film): Player {
  return { at: clamp(film, 0), playing: false };
}

function clamp({ from, to }: Film, at: number): number {
  return Math.min(to, Math.max(from, at));
}

/** Decide one event. */
export function play(film: Film, player: Player, event: PlayerEvent): Player {
  switch (event.kind) {
    case "toggled":
      if (player.playing) return { ...player, playing: false };
      return { at: player.at >= film.to - SAME ? film.from : player.at, playing: true };
    case "stepped":
      return { at: step(film, player.at, event.by), playing: false };
    case "scrubbed":
      return { at: clamp(film, event.at), playing: false };
    case "jumped":
      return { at: clamp(film, { start: film.from, action: 0, end: film.to }[event.to]), playing: false };
    case "ticked": {
      if (!player.playing) return player;
      const at = clamp(film, player.at + Math.min(event.seconds, LONGEST_TICK));
      return { at, playing: at < film.to };
    }
  }
}

function step({ moments, from, to }: Film, at: number, by: 1 | -1): number {
  if (by === 1) return moments.find((moment) => moment > at + SAME) ?? to;
  return moments.findLast((moment) => moment < at - SAME) ?? from;
}

const KEYS: Readonly<Record<string, PlayerEvent>> = {
  " ": { kind: "toggled" },
  k: { kind: "toggled" },
  ArrowLeft: { kind: "stepped", by: -1 },
  ",": { kind: "stepped", by: -1 },
  ArrowRight: { kind: "stepped", by: 1 },
  ".": { kind: "stepped", by: 1 },
  Home: { kind: "jumped", to: "start" },
  End: { kind: "jumped", to: "end" },
  "0": { kind: "jumped", to: "action" },
};

/** Return what a key means to the player, or null. */
export function keyEvent(key: string): PlayerEvent | null {
  return KEYS[key] ?? null;
}

// --- what is shown ---------------------------------------------------------------------------------------------------

export interface LaneView {
  /** The newest picture at this moment; null before the first. */
  readonly frame: Frame | null;
  /** Whether it shows this moment: false greys it. */
  readonly present: boolean;
  readonly notice: string | null;
}

/** Seconds after which a picture no longer shows the moment that is looked at: as on the live page. */
const OLD = 2;

const SAY = spoken(
  {
    blind: ({ from, to, why }: Blind) =>
      `Blind for ${duration(to - from)}, from ${relative(from)} to ${relative(to)}${why ? `: ${why}` : ""}`,
    none: "No picture up to here",
    never: "This camera has no picture of it",
    old: (age: number) => `The newest picture here is ${duration(age)} older`,
    partial: "Not all pictures are there",
    complete: "Every picture that the cameras sent was kept.",
    blindly: "Every picture that the cameras sent was kept; for a part of it they were blind.",
    nothing: "There is no picture of it: no camera sent one.",
    open: "Pictures are still being taken.",
    lost: (lost: number) => `${count(lost, "picture")} could not be kept`,
  },
  {
    blind: ({ from, to, why }: Blind) =>
      `Buta selama ${duration(to - from)}, dari ${relative(from)} sampai ${relative(to)}${why ? `: ${why}` : ""}`,
    none: "Belum ada gambar sampai di sini",
    never: "Kamera ini tidak punya gambarnya",
    old: (age: number) => `Gambar terbaru di sini ${duration(age)} lebih lama`,
    partial: "Tidak semua gambar ada",
    complete: "Semua gambar yang dikirim kamera tersimpan.",
    blindly: "Semua gambar yang dikirim kamera tersimpan; untuk sebagian waktu kamera buta.",
    nothing: "Tidak ada gambarnya: tidak ada kamera yang mengirim.",
    open: "Gambar masih diambil.",
    lost: (lost: number) => `${whole(lost)} gambar tidak dapat disimpan`,
  },
);

/** Return what a lane shows at a moment. */
export function viewLane(lane: Lane, at: number): LaneView {
  const frame = lane.frames.findLast((known) => known.at <= at + SAME) ?? null;
  const blind = lane.blind.find(({ from, to }) => at >= from - SAME && at <= to + SAME);
  if (blind && (frame === null || frame.at <= blind.from + SAME))
    return { frame, present: false, notice: SAY.blind(blind) };
  if (frame === null) return { frame, present: false, notice: lane.frames.length ? SAY.none : SAY.never };
  if (at - frame.at > OLD) return { frame, present: false, notice: SAY.old(at - frame.at) };
  return { frame, present: true, notice: null };
}

/** Return every blind span and every loss in words: what the hatching on the axis says. */
export function gaps(lane: Lane): readonly string[] {
  return [...lane.blind.map((span) => SAY.blind(span)), ...(lane.lost ? [SAY.lost(lane.lost)] : [])];
}

/** Return whether the bundle is whole, in words, with its reasons. */
export function wholeness(bundle: Bundle): { readonly whole: boolean; readonly text: string } {
  const blind = Object.values(bundle.cameras).some((camera) => camera.blind.length > 0);
  if (bundle.state === "open") return { whole: false, text: SAY.open };
  if (bundle.state === "complete") {
    if (bundle.pictures.length === 0) return { whole: false, text: SAY.nothing };
    return { whole: !blind, text: blind ? SAY.blindly : SAY.complete };
  }
  const reasons = bundle.reasons.join("; ");
  return { whole: false, text: reasons ? `${SAY.partial}: ${reasons}.` : `${SAY.partial}.` };
}
