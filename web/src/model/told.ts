// What the server tells of one event and of its check of the chain, read into what the page works with.

import { bundleOf } from "./film";
import type { SiteEvent } from "./types";
import type { ChainRecord, ServerVerdict, SignedStatement } from "./verification";
import { sentence } from "./words";

export interface Told {
  readonly event: SiteEvent;
  /** What led to it, the first cause first. */
  readonly causes: readonly SiteEvent[];
  /** What followed from it, oldest first. */
  readonly consequences: readonly SiteEvent[];
}

export interface Verification {
  readonly server: ServerVerdict;
  readonly records: readonly ChainRecord[];
  readonly signed: SignedStatement | null;
  /** SHA-256, hex, of pictures that a signed statement erased. */
  readonly erased: ReadonlySet<string>;
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

/** Return the event by which it was put on hold, if that is told. */
export function holder({ event, consequences }: Told): SiteEvent | null {
  return event.held ? (consequences.findLast(({ kind }) => kind.endsWith(".held")) ?? null) : null;
}

/** Details that are shown otherwise, or as pictures. */
const ELSEWHERE = new Set(["pictures", "cameras", "moment", "from", "to", "state", "reasons", "door"]);

/** Return details that are one value each, for a list of facts. */
export function plainDetails(details: Readonly<Record<string, unknown>>): readonly { name: string; text: string }[] {
  return Object.entries(details).flatMap(([name, value]) => {
    if (ELSEWHERE.has(name) || value === null || value === "" || typeof value === "object") return [];
    const text = typeof value === "number" ? String(Number(value.toFixed(3))) : String(value);
    return [{ name: sentence(name.replaceAll("_", " ")), text }];
  });
}

/** Read the answer about one event: the event itself, with what led to it and followed where the server tells that. */
export function told(answer: unknown): Told {
  const said = answer as Partial<Told> & { readonly event?: SiteEvent };
  if (said.event) return { event: said.event, causes: said.causes ?? [], consequences: said.consequences ?? [] };
  return { event: answer as SiteEvent, causes: [], consequences: [] };
}

interface Said {
  readonly ok: boolean;
  readonly records: number;
  readonly proved: number | null;
  readonly problems: readonly (string | { readonly text: string })[];
  readonly chain: readonly ChainRecord[];
  readonly head: { readonly statement: string; readonly signature: string } | null;
  readonly public_key: string;
  readonly erased: readonly string[];
}

/** Read the server's answer about its check. */
export function verificationOf(answer: unknown): Verification {
  const said = answer as Said;
  return {
    server: {
      ok: said.ok,
      records: said.records,
      proved: said.proved ?? null,
      problems: (said.problems ?? []).map((problem) => (typeof problem === "string" ? problem : problem.text)),
    },
    records: said.chain ?? [],
    signed: said.head ? { ...said.head, key: said.public_key } : null,
    erased: new Set(said.erased ?? []),
  };
}
