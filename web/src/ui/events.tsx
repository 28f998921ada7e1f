import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { serverTime } from "../model/clock";
import { tone } from "../model/events";
import { moment } from "../model/words";
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
          <li key={event.sequence} class={tone(event)}>
            <time dateTime={new Date(event.time * 1000).toISOString()}>{moment(event.time, hour.value)}</time>
            <span class="text">{event.text}</span>
            <span class="kind">{event.kind}</span>
          </li>
        ))}
      </ol>
      {events.length === 0 && <p class="empty">Nothing has happened yet.</p>}
    </section>
  );
}
