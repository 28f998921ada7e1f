// What a camera's pictures are worth, by the server's look at them once a second.

import { spoken } from "./language";
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

const SAY = spoken(
  {
    black: { word: "black", notice: "Sees nothing, the picture is black" },
    overexposed: { word: "over-exposed", notice: "Sees nothing, the picture is white" },
    covered: { word: "covered", notice: "Something covers the view" },
    frozen: { word: "frozen", notice: "The very same picture again and again" },
    looping: { word: "looping", notice: "The same pictures again and again" },
    moved: { word: "moved", notice: "Looks elsewhere than before" },
  },
  {
    black: { word: "gelap", notice: "Tidak melihat apa-apa, gambarnya hitam" },
    overexposed: { word: "terlalu terang", notice: "Tidak melihat apa-apa, gambarnya putih" },
    covered: { word: "tertutup", notice: "Ada yang menutupi pandangan" },
    frozen: { word: "beku", notice: "Gambar yang persis sama terus-menerus" },
    looping: { word: "berulang", notice: "Gambar-gambar yang sama berulang-ulang" },
    moved: { word: "bergeser", notice: "Melihat ke arah lain dari sebelumnya" },
  },
);

/** Return how bad sight is shown; null where nothing is wrong, or nothing known. */
export function viewSight(sight: Sight): SightView | null {
  if (!(sight in SAY)) return null;
  const { word, notice } = SAY[sight as keyof typeof SAY];
  const tone = sight === "moved" ? "attention" : "alarm";
  return { word, notice, tone, present: sight !== "frozen" && sight !== "looping" };
}
