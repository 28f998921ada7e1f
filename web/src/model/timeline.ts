// The timeline: a window on the record that grows backwards as somebody scrolls, and forwards as things happen.

import { withPictures } from "./events";
import { type Filter, matches } from "./filter";
import type { SiteEvent } from "./types";
import { dayLabel, dayOf } from "./words";

/** Lines that the page holds; past it a day has to be picked. A browser draws these without stuttering. */
export const MOST_LINES = 3000;

export interface Timeline {
  readonly filter: Filter;
  /** Newest first, each once. */
  readonly events: readonly SiteEvent[];
  /** The sequence before which nothing has been asked for yet; null before the first answer. */
  readonly reached: number | null;
  /** Everything back to the beginning is here. */
  readonly complete: boolean;
  readonly loading: boolean;
  readonly failure: string | null;
}

export function timeline(filter: Filter): Timeline {
  return { filter, events: [], reached: null, complete: false, loading: false, failure: null };
}

/** Return whether older events should be asked for when the end of the list comes into sight. */
export function wantsMore(state: Timeline): boolean {
  return !state.complete && !state.loading && state.failure === null && state.events.length < MOST_LINES;
}

export function asked(state: Timeline): Timeline {
  return { ...state, loading: true, failure: null };
}

export function unanswered(state: Timeline, failure: string): Timeline {
  return { ...state, loading: false, failure };
}

/** Take a page of older events; `next` is the sequence to go on before, null when there are no more. */
export function answered(state: Timeline, page: readonly SiteEvent[], next: number | null): Timeline {
  const events = merge(
    state.events,
    page.filter((event) => matches(state.filter, event)),
  );
  return { ...state, events, reached: next ?? state.reached, complete: next === null, loading: false };
}

/** Take an event that just happened, or was missed while the connection was away. */
export function happened(state: Timeline, event: SiteEvent): Timeline {
  const told = withPictures(state.events, event);
  const events = matches(state.filter, event) ? merge(told, [event]) : told;
  return events === state.events ? state : { ...state, events };
}

/** Take an event whose hold or pictures changed. */
export function changed(state: Timeline, event: SiteEvent): Timeline {
  if (!state.events.some(({ sequence }) => sequence === event.sequence)) return state;
  return { ...state, events: state.events.map((known) => (known.sequence === event.sequence ? event : known)) };
}

function merge(known: readonly SiteEvent[], more: readonly SiteEvent[]): readonly SiteEvent[] {
  const here = new Set(known.map(({ sequence }) => sequence));
  const fresh = more.filter(({ sequence }) => !here.has(sequence) && here.add(sequence));
  if (fresh.length === 0) return known;
  return [...known, ...fresh].sort((one, other) => other.sequence - one.sequence);
}

export interface Day {
  readonly key: string;
  readonly label: string;
  readonly events: readonly SiteEvent[];
}

/** Return the events by the day on which they happened, newest day first. */
export function byDay(events: readonly SiteEvent[], now: number, zone?: string): readonly Day[] {
  const days = new Map<string, SiteEvent[]>();
  for (const event of events) {
    const key = dayOf(event.time, zone);
    const list = days.get(key);
    if (list) list.push(event);
    else days.set(key, [event]);
  }
  return [...days].map(([key, list]) => ({ key, label: dayLabel(list[0]?.time ?? 0, now, zone), events: list }));
}
