// What the server tells of one event and of its check of the chain, read into what the page works with.

import type { Run } from "./chain";
import { bundleOf } from "./film";
import type { SiteEvent } from "./types";
import type { ServerVerdict } from "./verification";
import { duration, sentence } from "./words";

export interface Told {
  readonly event: SiteEvent;
  /** What led to it, the first cause first. */
  readonly causes: readonly SiteEvent[];
  /** What followed from it, oldest first. */
  readonly consequences: readonly SiteEvent[];
  /** The event by which it was put on hold; null where it isn't, or where that can't be told. */
  readonly holding: SiteEvent | null;
}

/** The server's check of an event, and what a browser needs to do the same. */
export interface Verification {
  readonly server: ServerVerdict;
  readonly run: Run;
  /** The id of the key that signs now. */
  readonly key: string;
}

/** Return the events, of some, that followed from one, directly or over others; oldest first. */
export function followed(id: string, events: readonly SiteEvent[]): readonly SiteEvent[] {
  const family = new Set([id]);
  const found: SiteEvent[] = [];
  for (const event of [...events].sort((one, other) => one.sequence - other.sequence)) {
    if (event.cause === null || !family.has(event.cause) || family.has(event.id)) continue;
    family.add(event.id);
    found.push(event);
  }
  return found;
}

/** Return the event that lists the pictures, the newest one: a bundle that a restart cut short is told again. */
export function evidenceOf({ event, consequences }: Told): SiteEvent | null {
  const tells = (one: SiteEvent): boolean => one.kind.startsWith("evidence.") && bundleOf(one.details) !== null;
  if (tells(event)) return event;
  return consequences.findLast((one) => one.cause === event.id && tells(one)) ?? null;
}

/** Details that are shown otherwise, or as pictures. */
const ELSEWHERE = new Set(["pictures", "cameras", "moment", "from", "to", "state", "reasons", "door"]);

/** Details that are seconds. */
const SECONDS = new Set(["duration", "latency", "elapsed", "seconds", "took", "retry_after"]);

function spelled(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds);
}

function figure(value: number): string {
  return String(Number(value.toFixed(3)));
}

/** Return details that are one value each, for a list of facts. */
export function plainDetails(details: Readonly<Record<string, unknown>>): readonly { name: string; text: string }[] {
  return Object.entries(details).flatMap(([name, value]) => {
    if (ELSEWHERE.has(name) || value === null || value === "" || typeof value === "object") return [];
    const text = typeof value !== "number" ? String(value) : SECONDS.has(name) ? spelled(value) : figure(value);
    return [{ name: sentence(name.replaceAll("_", " ")), text }];
  });
}

/** The answer of GET /events/<event>/verification. */
interface Said extends Run {
  readonly sound: boolean;
  readonly checked: number;
  readonly first: number;
  readonly last: number;
  readonly ended: number | null;
  readonly problems: readonly { readonly text: string }[];
  readonly key: string;
}

/** Read the server's answer about its check. */
export function verificationOf(answer: unknown): Verification {
  const { sound, checked, first, last, ended, problems, key, ...run } = answer as Said;
  const server = { sound, checked, first, last, signed: ended, problems: problems.map(({ text }) => text) };
  return { server, run, key };
}

/** Return the hashes of an event's pictures that signed statements say were erased. */
export function pictureHashes(
  erased: readonly { event: string | null; pictures: readonly string[] }[],
  id: string,
): ReadonlySet<string> {
  return new Set(erased.flatMap(({ event, pictures }) => (event === null || event === id ? pictures : [])));
}
