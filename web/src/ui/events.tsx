import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { serverTime } from "../model/clock";
import { subjectName, tone } from "../model/events";
import { spoken } from "../model/language";
import { fragment } from "../model/route";
import type { SiteEvent } from "../model/types";
import { moment, sentence } from "../model/words";
import type { Site } from "../site";

const SAY = spoken(
  {
    title: "Events",
    list: "Events, newest first",
    none: "Nothing has happened yet.",
  },
  {
    title: "Kejadian",
    list: "Kejadian, yang terbaru di atas",
    none: "Belum terjadi apa-apa.",
  },
);

export function EventList({ site }: { readonly site: Site }): JSX.Element {
  const events = site.history.newest.value;
  // Only the day matters here: an event of today is shown without it.
  const hour = useComputed(() => Math.floor(serverTime(site.clock.value, site.now.value) / 3600) * 3600);
  return (
    <section class="events" aria-labelledby="events-title">
      <h2 id="events-title">{SAY.title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling list must be reachable to scroll it by keys */}
      <ol data-testid="events" tabIndex={0} aria-label={SAY.list}>
        {events.map((event) => (
          <Line key={event.sequence} event={event} subject={subjectName(event, site.system.value)} now={hour.value} />
        ))}
      </ol>
      {events.length === 0 && <p class="empty">{SAY.none}</p>}
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
      <a class="text" href={fragment({ page: "event", id: event.id })}>
        {subject && <b>{subject} · </b>}
        {subject ? event.text : sentence(event.text)}
      </a>
      <span class="kind">{event.kind}</span>
    </li>
  );
}
