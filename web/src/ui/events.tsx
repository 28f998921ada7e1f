import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { serverTime } from "../model/clock";
import { subjectName, tone } from "../model/events";
import type { SiteEvent } from "../model/types";
import { moment, sentence } from "../model/words";
import type { Site } from "../site";

export function EventList({ site }: { readonly site: Site }): JSX.Element {
  const events = site.events.value;
  // Only the day matters here: an event of today is shown without it.
  const hour = useComputed(() => Math.floor(serverTime(site.clock.value, site.now.value) / 3600) * 3600);
  return (
    <section class="events" aria-labelledby="events-title">
      <h2 id="events-title">Events</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling list must be reachable to scroll it by keys */}
      <ol data-testid="events" tabIndex={0} aria-label="Events, newest first">
        {events.map((event) => (
          <Line key={event.sequence} event={event} subject={subjectName(event, site.system.value)} now={hour.value} />
        ))}
      </ol>
      {events.length === 0 && <p class="empty">Nothing has happened yet.</p>}
    </section>
  );
}

interface LineProps {
  readonly event: SiteEvent;
  readonly subject: string | null;
  readonly now: number;
}

function Line({ event, subject, now }: LineProps): JSX.Element {
  return (
    <li class={tone(event)}>
      <time dateTime={new Date(event.time * 1000).toISOString()}>{moment(event.time, now)}</time>
      <span class="text">
        {subject && <b>{subject} · </b>}
        {subject ? event.text : sentence(event.text)}
      </span>
      <span class="kind">{event.kind}</span>
    </li>
  );
}
