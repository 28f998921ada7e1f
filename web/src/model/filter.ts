// Which events are wanted. The server is asked for them; the same rule decides about those that happen meanwhile.

import type { SiteEvent } from "./types";

export const GROUPS = ["all", "doors", "cameras", "access", "system"] as const;
export type Group = (typeof GROUPS)[number];

export const OUTCOMES = ["all", "ok", "alarm", "refused"] as const;
export type OutcomeChoice = (typeof OUTCOMES)[number];

export interface Filter {
  readonly group: Group;
  /** The id of a door, a camera, an account… */
  readonly subject: string | null;
  readonly actor: string | null;
  readonly outcome: OutcomeChoice;
  /** A day of the browser's calendar, "2026-11-28". */
  readonly day: string | null;
}

export const NO_FILTER: Filter = { group: "all", subject: null, actor: null, outcome: "all", day: null };

/** The groups whose events begin alike: what the server can be asked for. Whatever is in none is the system's. */
export const PREFIXES: Readonly<Record<Exclude<Group, "all" | "system">, string>> = {
  doors: "door.",
  cameras: "camera.",
  access: "access.",
};

/** Return the group of an event's kind. */
export function groupOf(kind: string): Exclude<Group, "all"> {
  for (const [group, prefix] of Object.entries(PREFIXES))
    if (kind.startsWith(prefix)) return group as keyof typeof PREFIXES;
  return "system";
}

/** Return the choice that an outcome belongs to. */
export function outcomeOf(outcome: string): Exclude<OutcomeChoice, "all"> {
  return outcome === "ok" || outcome === "alarm" ? outcome : "refused";
}

/** Return the moments, unix seconds, at which a day of the browser's calendar begins and ends; null if it is none. */
export function dayBounds(day: string): readonly [number, number] | null {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (!found) return null;
  const [year, month, date] = [Number(found[1]), Number(found[2]) - 1, Number(found[3])];
  // By the calendar, not by adding 24 hours: days on which clocks are changed are shorter and longer.
  return [new Date(year, month, date).getTime() / 1000, new Date(year, month, date + 1).getTime() / 1000];
}

/** Return whether an event is wanted. */
export function matches(filter: Filter, event: SiteEvent): boolean {
  if (filter.group !== "all" && groupOf(event.kind) !== filter.group) return false;
  if (filter.subject !== null && event.subject !== filter.subject) return false;
  if (filter.actor !== null && event.actor !== filter.actor) return false;
  if (filter.outcome !== "all" && outcomeOf(event.outcome) !== filter.outcome) return false;
  const bounds = filter.day === null ? null : dayBounds(filter.day);
  return bounds === null || (event.time >= bounds[0] && event.time < bounds[1]);
}

/** Return whether anything is filtered at all. */
export function isFiltered(filter: Filter): boolean {
  return Object.entries(NO_FILTER).some(([field, value]) => filter[field as keyof Filter] !== value);
}

/** What the server is asked for: `gatekeeper.event.list` takes these by name. */
export interface Query {
  readonly before?: number;
  readonly since?: number;
  readonly until?: number;
  readonly kind?: string;
  readonly subject?: string;
  readonly actor?: string;
  readonly outcome?: string;
  readonly limit: number;
}

/** Events asked for at once: two screens of them. */
const PAGE = 60;

/** Events asked for at once where most of them may not be wanted; the most that the server gives. */
const SIFTED = 500;

/** Return what to ask the server for; what it can't sift is sifted here. `before` is a sequence. */
export function query(filter: Filter, before: number | null): Query {
  const { group, subject, actor, outcome, day } = filter;
  const bounds = day === null ? null : dayBounds(day);
  const sifted = group === "system" || outcome === "refused";
  return {
    ...(before !== null && { before }),
    ...(bounds && { since: bounds[0], until: bounds[1] }),
    ...(group !== "all" && group !== "system" && { kind: PREFIXES[group] }),
    ...(subject !== null && { subject }),
    ...(actor !== null && { actor }),
    ...((outcome === "ok" || outcome === "alarm") && { outcome }),
    limit: sifted ? SIFTED : PAGE,
  };
}
