// The gallery of kept pictures: which camera and day, what is known of it, and which picture is large. Pure.
//
// Days and clock times are those of the server's own time zone, as the server says them: a day in a browser elsewhere
// would hold other pictures.

import type { Snapshot, SnapshotDays, Timelapse } from "./types";

export interface Gallery {
  readonly camera: string | null;
  readonly day: string | null;
  /** Days of the camera of which there are pictures, newest first; null until they are known. */
  readonly days: SnapshotDays | null;
  /** Of that day, in the order of time, as far as they are known. */
  readonly pictures: readonly Snapshot[];
  /** Where to go on from; null: at the beginning, or at the end. */
  readonly next: string | null;
  readonly complete: boolean;
  readonly loading: boolean;
  readonly failure: string | null;
  /** The id of the picture that is shown large. */
  readonly open: string | null;
  readonly film: Timelapse | null;
}

export const NOTHING: Gallery = {
  camera: null,
  day: null,
  days: null,
  pictures: [],
  next: null,
  complete: false,
  loading: false,
  failure: null,
  open: null,
  film: null,
};

/** Begin with a camera and a day; null is the newest of which there are pictures. */
export function begin(camera: string | null, day: string | null): Gallery {
  return { ...NOTHING, camera, day };
}

/** The camera's days are known: without a wish the newest is shown, and today if there is none. */
export function daysTold(gallery: Gallery, days: SnapshotDays): Gallery {
  return { ...gallery, days, day: gallery.day ?? days.days[0]?.day ?? days.today };
}

/** Whether there may be more pictures than are known, and nobody asks for them yet. */
export function wantsMore(gallery: Gallery): boolean {
  return gallery.day !== null && !gallery.complete && !gallery.loading && gallery.failure === null;
}

export function asked(gallery: Gallery): Gallery {
  return { ...gallery, loading: true, failure: null };
}

/** More pictures came, behind those that are known. */
export function pageTold(gallery: Gallery, pictures: readonly Snapshot[], next: string | null): Gallery {
  const all = merged(gallery.pictures, pictures);
  return { ...gallery, pictures: all, next: next ?? all.at(-1)?.id ?? null, complete: next === null, loading: false };
}

export function failed(gallery: Gallery, why: string): Gallery {
  return { ...gallery, loading: false, failure: why };
}

/** A picture was kept: it is shown if it is of this camera and day. */
export function kept(gallery: Gallery, picture: Snapshot): Gallery {
  if (picture.camera !== gallery.camera || gallery.days === null) return gallery;
  const isNew = !gallery.pictures.some(({ id }) => id === picture.id);
  const known = gallery.days.days.some(({ day }) => day === picture.day);
  const count = { camera: picture.camera, day: picture.day, pictures: 1 };
  const days = known
    ? gallery.days.days.map((one) => (one.day === picture.day && isNew ? { ...one, pictures: one.pictures + 1 } : one))
    : [count, ...gallery.days.days];
  const shown = picture.day === gallery.day && gallery.complete;
  const pictures = shown ? merged(gallery.pictures, [picture]) : gallery.pictures;
  return { ...gallery, days: { ...gallery.days, days }, pictures, film: null };
}

/** A picture was deleted: the next one is shown large in its place. */
export function deleted(gallery: Gallery, id: string): Gallery {
  const open = gallery.open === id ? (neighbour(gallery, 1) ?? neighbour(gallery, -1)) : gallery.open;
  const pictures = gallery.pictures.filter((picture) => picture.id !== id);
  const days = gallery.days && {
    ...gallery.days,
    days: gallery.days.days
      .map((one) => (one.day === gallery.day ? { ...one, pictures: one.pictures - 1 } : one))
      .filter((one) => one.pictures > 0),
  };
  return { ...gallery, pictures, days, open, film: null };
}

function merged(before: readonly Snapshot[], more: readonly Snapshot[]): readonly Snapshot[] {
  const known = new Set(before.map(({ id }) => id));
  const all = [...before, ...more.filter(({ id }) => !known.has(id))];
  return all.sort((one, other) => (one.id < other.id ? -1 : 1));
}

// --- what is drawn ---

export interface Hour {
  /** "15:00". */
  readonly label: string;
  readonly pictures: readonly Snapshot[];
}

/** Return the day's pictures by the server's hour. */
export function byHour(pictures: readonly Snapshot[]): readonly Hour[] {
  const hours = new Map<string, Snapshot[]>();
  for (const picture of pictures) {
    const label = `${clock(picture).slice(0, 2)}:00`;
    const hour = hours.get(label);
    if (hour) hour.push(picture);
    else hours.set(label, [picture]);
  }
  return [...hours].map(([label, of]) => ({ label, pictures: of }));
}

/** Return a picture's time by the server's clock: "15:08:40". */
export function clock(picture: Snapshot): string {
  return picture.local.slice(11, 19);
}

/** Return the picture that is shown large. */
export function opened(gallery: Gallery): Snapshot | null {
  return gallery.pictures.find(({ id }) => id === gallery.open) ?? null;
}

/** Return the id of the picture so many before or behind the one that is large; null beyond the ends. */
export function neighbour(gallery: Gallery, by: number): string | null {
  const at = gallery.pictures.findIndex(({ id }) => id === gallery.open);
  return at < 0 ? null : (gallery.pictures[at + by]?.id ?? null);
}

export type Turn = "back" | "on" | "first" | "last";

const KEYS: Readonly<Record<string, Turn>> = { ArrowLeft: "back", ArrowRight: "on", Home: "first", End: "last" };

/** Return what a key means in the large view, or null. */
export function turnOf(key: string): Turn | null {
  return KEYS[key] ?? null;
}

/** Show another picture large; at the ends nothing changes. */
export function turned(gallery: Gallery, turn: Turn): Gallery {
  const ends = { first: gallery.pictures[0]?.id, last: gallery.pictures.at(-1)?.id };
  const open = turn === "back" ? neighbour(gallery, -1) : turn === "on" ? neighbour(gallery, 1) : (ends[turn] ?? null);
  return gallery.open === null || open === null ? gallery : { ...gallery, open };
}

/** Return how many pictures the day has, known or not. */
export function total(gallery: Gallery): number {
  const counted = gallery.days?.days.find(({ day }) => day === gallery.day)?.pictures ?? 0;
  return Math.max(counted, gallery.pictures.length);
}
