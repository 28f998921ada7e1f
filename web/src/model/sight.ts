// What a camera's pictures are worth, by the server's look at them once a second.

import type { Sight, Tone } from "./types";

export interface SightView {
  /** What the tile says instead of "live". */
  readonly word: string;
  readonly tone: Tone;
  /** What is wrong, as the beginning of a sentence that ends with "since 14:03:22". */
  readonly notice: string;
  /** Whether the picture is of now, whatever it shows. */
  readonly present: boolean;
}

const VIEWS: Readonly<Record<Exclude<Sight, "ok" | "unknown">, SightView>> = {
  black: { word: "black", tone: "alarm", notice: "Sees nothing, the picture is black", present: true },
  overexposed: { word: "over-exposed", tone: "alarm", notice: "Sees nothing, the picture is white", present: true },
  covered: { word: "covered", tone: "alarm", notice: "Something covers the view", present: true },
  frozen: { word: "frozen", tone: "alarm", notice: "The very same picture again and again", present: false },
  looping: { word: "looping", tone: "alarm", notice: "The same pictures again and again", present: false },
  moved: { word: "moved", tone: "attention", notice: "Looks elsewhere than before", present: true },
};

/** Return how bad sight is shown; null where nothing is wrong, or nothing known. */
export function viewSight(sight: Sight): SightView | null {
  return sight === "ok" || sight === "unknown" ? null : (VIEWS[sight] ?? null);
}
