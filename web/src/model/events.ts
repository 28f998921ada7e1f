// The list of events as they happen: newest first, each once, bounded.

import { bundleOf } from "./film";
import type { SiteEvent, SystemStatus, Tone } from "./types";

/** Lines on the page: what somebody scrolls through; the server keeps the record. */
export const MOST_EVENTS = 200;

export type Events = readonly SiteEvent[];

/** Take one event in. Events arrive in order but for a reconnection, when the server's list overlaps with live ones. */
export function happened(events: Events, event: SiteEvent): Events {
  const newest = events[0];
  if (newest === undefined || event.sequence > newest.sequence) return [event, ...events].slice(0, MOST_EVENTS);
  if (events.some((known) => known.sequence === event.sequence)) return events;
  return [...events, event].sort((one, other) => other.sequence - one.sequence).slice(0, MOST_EVENTS);
}

/** Return the server's list (oldest first) with what arrived live while it was on its way. */
export function recalled(recent: readonly SiteEvent[], live: readonly SiteEvent[]): Events {
  return [...recent, ...live].reduce(happened, [] as Events);
}

/** Bring up to date the event whose pictures another one tells of: it was told before they were all kept. */
export function withPictures(events: Events, told: SiteEvent): Events {
  const bundle = told.kind.startsWith("evidence.") ? bundleOf(told.details) : null;
  if (bundle === null || !events.some(({ id }) => id === told.cause)) return events;
  return events.map((event) =>
    event.id === told.cause ? { ...event, pictures: bundle.pictures.length, bundle: bundle.state } : event,
  );
}

/** Return an event's reason when its text doesn't hold it already. */
export function reasonBeside({ reason, text }: SiteEvent): string | null {
  return reason && !text.includes(reason) ? reason : null;
}

const ALARMING = new Set([
  "door.unordered_opening",
  "door.opened_late",
  "door.jammed",
  "door.indeterminate",
  "door.auto_locked",
  "door.lease_lost",
  "door.unproven",
  "door.unsigned",
]);
const DISTURBING = /\.(refused|failed|denied|rejected|offline|stalled|lost|indeterminate|timeout)$/;

/** Return the colour of an event's mark. */
export function tone(event: SiteEvent): Tone {
  if (ALARMING.has(event.kind) || event.outcome === "alarm") return "alarm";
  if (DISTURBING.test(event.kind) || event.outcome !== "ok") return "attention";
  return event.kind === "door.opened" ? "busy" : event.kind.startsWith("door.") ? "calm" : "unknown";
}

/** Return what people call the door or camera that an event is about; its id when it is not known by a name. */
export function subjectName(event: SiteEvent, system: SystemStatus | null): string | null {
  const nouns = event.kind.startsWith("camera.") ? system?.cameras : system?.doors;
  return nouns?.find(({ id }) => id === event.subject)?.name ?? event.subject;
}
