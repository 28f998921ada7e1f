// The record of events as this page follows it: the newest for the live page, and the timeline. Once it follows, each
// event comes once, also those that happened while the connection was away.

import { type Signal, signal } from "@preact/signals";
import { CallFailed, type Link } from "./link";
import { type Events, happened as listed, MOST_EVENTS, recalled, withPictures } from "./model/events";
import { type Filter, NO_FILTER, type Query, query } from "./model/filter";
import * as model from "./model/timeline";
import type { SiteEvent } from "./model/types";
import { uris } from "./uris";

interface EventPage {
  readonly events: readonly SiteEvent[];
  /** The sequence to go on before; null when that was all. */
  readonly next: number | null;
}

export class History {
  readonly newest: Signal<Events> = signal([]);
  readonly timeline: Signal<model.Timeline> = signal(model.timeline(NO_FILTER));
  readonly #link: Link;
  /** The highest sequence that was seen: what happened later is asked for when the connection is back. */
  #last: number | null = null;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Learn what there is, then follow it for as long as the session lasts. */
  async follow(): Promise<void> {
    const { events: newest } = await this.list({ limit: MOST_EVENTS });
    const highest = newest[0]?.sequence ?? 0;
    if (this.#last === null || highest < this.#last) {
      // The first time, or another record than before: a restored copy, a new site.
      this.newest.value = recalled([...newest].reverse(), []);
      this.#last = highest;
      this.show(this.timeline.value.filter);
    }
    void this.#link
      .callForParts<SiteEvent | readonly SiteEvent[]>(uris.CALL_EVENT_FOLLOW, { after: this.#last }, (part) => {
        for (const event of Array.isArray(part) ? (part as SiteEvent[]) : [part as SiteEvent]) this.#happened(event);
      })
      .catch((reason: CallFailed) => {
        if (reason.code !== "lost") console.warn("events are no longer followed", reason);
      });
  }

  /** Ask for a page of events, newest first. */
  async list(asked: Query): Promise<EventPage> {
    const answer = await this.#link.call<EventPage | readonly SiteEvent[]>(uris.CALL_EVENT_LIST, asked);
    if (!Array.isArray(answer)) return answer as EventPage;
    return { events: answer, next: answer.length < asked.limit ? null : (answer.at(-1)?.sequence ?? null) };
  }

  /** Show the timeline through a filter, from its newest event on. */
  show(filter: Filter): void {
    this.timeline.value = model.timeline(filter);
    void this.more();
  }

  /** Ask for older events, if there are any that could be shown. */
  async more(): Promise<void> {
    if (!model.wantsMore(this.timeline.value)) return;
    this.timeline.value = model.asked(this.timeline.value);
    const { filter, reached } = this.timeline.value;
    const wanted = query(filter, reached);
    try {
      const page = await this.list(wanted);
      if (this.timeline.value.filter === filter)
        this.timeline.value = model.answered(this.timeline.value, page.events, page.next);
    } catch (reason) {
      const text = reason instanceof CallFailed ? reason.message : String(reason);
      if (this.timeline.value.filter === filter) this.timeline.value = model.unanswered(this.timeline.value, text);
    }
  }

  /** Ask again after a failure. */
  retry(): void {
    this.timeline.value = { ...this.timeline.value, failure: null };
    void this.more();
  }

  /** An event was told anew: it is on hold, or no longer. */
  changed(event: SiteEvent): void {
    this.newest.value = this.newest.value.map((known) => (known.sequence === event.sequence ? event : known));
    this.timeline.value = model.changed(this.timeline.value, event);
  }

  forget(): void {
    this.newest.value = [];
    this.timeline.value = model.timeline(NO_FILTER);
    this.#last = null;
  }

  #happened(event: SiteEvent): void {
    this.#last = Math.max(this.#last ?? 0, event.sequence);
    this.newest.value = withPictures(listed(this.newest.value, event), event);
    this.timeline.value = model.happened(this.timeline.value, event);
  }
}
