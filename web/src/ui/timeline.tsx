// The record as a list that grows backwards while somebody scrolls, and forwards as things happen.

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { serverTime } from "../model/clock";
import { reasonBeside, subjectName, tone } from "../model/events";
import { type Filter, type Group, isFiltered, NO_FILTER, type OutcomeChoice } from "../model/filter";
import { spoken } from "../model/language";
import { fragment } from "../model/route";
import { byDay, type Day, MOST_LINES, type Timeline, wantsMore } from "../model/timeline";
import type { SiteEvent } from "../model/types";
import { clockTime, count, dayOf, sentence, whole } from "../model/words";
import type { Site } from "../site";
import { useNearEnd } from "./near";

const SAY = spoken(
  {
    title: "Events",
    about: "About",
    filters: "Filters",
    subject: "Door or camera",
    actor: "Who",
    outcome: "Outcome",
    day: "Day",
    any: "any",
    anybody: "anybody",
    clear: "Clear filters",
    groups: {
      all: "everything",
      doors: "doors",
      cameras: "cameras",
      access: "access",
      system: "system and record",
    } satisfies Record<Group, string>,
    outcomes: {
      all: "any",
      ok: "done",
      alarm: "alarm",
      refused: "refused or failed",
    } satisfies Record<OutcomeChoice, string>,
    none: "Nothing has happened yet.",
    noneSuch: "Nothing that happened is like that.",
    loading: "Loading…",
    end: "That is all: the beginning of the record.",
    endSuch: "That is all of it.",
    enough: (lines: string) => `That is as much as one page shows (${lines} lines): pick a day to see older ones.`,
    more: "Older events",
    again: "Try again",
    failed: (why: string) => `Older events can’t be had: ${why}`,
    notKnown: "No connection: what happened since is not known.",
    held: "on hold",
    pictures: (many: number) => count(many, "picture"),
    partial: "not all pictures",
  },
  {
    title: "Kejadian",
    about: "Tentang",
    filters: "Saringan",
    subject: "Pintu atau kamera",
    actor: "Siapa",
    outcome: "Hasil",
    day: "Hari",
    any: "semua",
    anybody: "siapa saja",
    clear: "Hapus saringan",
    groups: {
      all: "semuanya",
      doors: "pintu",
      cameras: "kamera",
      access: "akses",
      system: "sistem dan catatan",
    },
    outcomes: {
      all: "semua",
      ok: "berhasil",
      alarm: "alarm",
      refused: "ditolak atau gagal",
    },
    none: "Belum terjadi apa-apa.",
    noneSuch: "Tidak ada kejadian seperti itu.",
    loading: "Memuat…",
    end: "Itu semua: sampai awal catatan.",
    endSuch: "Itu semuanya.",
    enough: (lines: string) =>
      `Sebanyak itulah isi satu halaman (${lines} baris): pilih satu hari untuk melihat yang lebih lama.`,
    more: "Kejadian yang lebih lama",
    again: "Coba lagi",
    failed: (why: string) => `Kejadian yang lebih lama tidak bisa diambil: ${why}`,
    notKnown: "Tidak ada koneksi: apa yang terjadi sejak itu tidak diketahui.",
    held: "ditahan",
    pictures: (many: number) => `${whole(many)} gambar`,
    partial: "tidak semua gambar",
  },
);

export function TimelinePage({ site }: { readonly site: Site }): JSX.Element {
  const { history } = site;
  const route = site.route.value;
  const filter = route.page === "events" ? route.filter : NO_FILTER;
  const wanted = JSON.stringify(filter);
  const open = site.connection.value.phase === "open";
  useEffect(() => {
    if (open && JSON.stringify(history.timeline.peek().filter) !== wanted) history.show(filter);
  }, [wanted, open]);
  return (
    <main class="pages timeline">
      <h2 id="timeline-title">{SAY.title}</h2>
      <Filters site={site} filter={filter} />
      <Lines site={site} />
    </main>
  );
}

interface FiltersProps {
  readonly site: Site;
  readonly filter: Filter;
}

function change(filter: Filter, with_: Partial<Filter>): void {
  const next = { ...filter, ...with_ };
  // Replaced, not added: the back button leads out of the timeline, not through every filter that was tried.
  location.replace(fragment({ page: "events", filter: next }));
}

function Filters({ site, filter }: FiltersProps): JSX.Element {
  const { doors, cameras } = site;
  const things = [
    ...doors.value.map(({ id, card }) => ({ id, name: card.value.status.name })),
    ...cameras.value.map(({ id, tile }) => ({ id, name: tile.value.status.name })),
  ];
  // Who did something lately; a name from an address that somebody shared stays a choice.
  const actors = useComputed(() => {
    const seen = [...site.history.newest.value, ...site.history.timeline.value.events].map(({ actor }) => actor);
    return [...new Set([...seen, filter.actor])].filter((name) => name !== null).sort();
  });
  const known = filter.subject === null || things.some(({ id }) => id === filter.subject);
  return (
    <form class="panel padded filters" aria-label={SAY.filters} onSubmit={(event) => event.preventDefault()}>
      <label>
        {SAY.about}
        <select
          data-testid="filter-group"
          onChange={(event) => change(filter, { group: event.currentTarget.value as Group })}
        >
          {Object.entries(SAY.groups).map(([id, text]) => (
            <option key={id} value={id} selected={id === filter.group}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label>
        {SAY.subject}
        <select
          data-testid="filter-subject"
          onChange={(event) => change(filter, { subject: event.currentTarget.value || null })}
        >
          <option value="" selected={filter.subject === null}>
            {SAY.any}
          </option>
          {things.map(({ id, name }) => (
            <option key={id} value={id} selected={id === filter.subject}>
              {name}
            </option>
          ))}
          {!known && (
            <option value={filter.subject ?? ""} selected>
              {filter.subject}
            </option>
          )}
        </select>
      </label>
      <label>
        {SAY.actor}
        <select
          data-testid="filter-actor"
          onChange={(event) => change(filter, { actor: event.currentTarget.value || null })}
        >
          <option value="" selected={filter.actor === null}>
            {SAY.anybody}
          </option>
          {actors.value.map((name) => (
            <option key={name} value={name} selected={name === filter.actor}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {SAY.outcome}
        <select
          data-testid="filter-outcome"
          onChange={(event) => change(filter, { outcome: event.currentTarget.value as OutcomeChoice })}
        >
          {Object.entries(SAY.outcomes).map(([id, text]) => (
            <option key={id} value={id} selected={id === filter.outcome}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label>
        {SAY.day}
        <input
          type="date"
          value={filter.day ?? ""}
          max={dayOf(serverTime(site.clock.peek(), site.now.peek()))}
          data-testid="filter-day"
          onChange={(event) => change(filter, { day: event.currentTarget.value || null })}
        />
      </label>
      {isFiltered(filter) && (
        <button type="button" class="quiet" data-testid="filter-clear" onClick={() => change(NO_FILTER, {})}>
          {SAY.clear}
        </button>
      )}
    </form>
  );
}

function Lines({ site }: { readonly site: Site }): JSX.Element {
  const { history } = site;
  const state = history.timeline.value;
  // Only the day matters here: a new one begins at midnight, not ten times a second.
  const hour = useComputed(() => Math.floor(serverTime(site.clock.value, site.now.value) / 3600) * 3600);
  const days = byDay(state.events, hour.value);
  return (
    <section aria-labelledby="timeline-title" data-testid="timeline" aria-busy={state.loading}>
      {site.lostSince.value !== null && site.system.value !== null && <p class="empty">{SAY.notKnown}</p>}
      {days.map((day) => (
        <DayList key={day.key} site={site} day={day} />
      ))}
      <Foot site={site} state={state} />
    </section>
  );
}

function DayList({ site, day }: { readonly site: Site; readonly day: Day }): JSX.Element {
  return (
    <section class="day" aria-labelledby={`day-${day.key}`}>
      <h3 id={`day-${day.key}`}>{day.label}</h3>
      <ol class="panel">
        {day.events.map((event) => (
          <Line key={event.id} event={event} subject={subjectName(event, site.system.value)} />
        ))}
      </ol>
    </section>
  );
}

interface LineProps {
  readonly event: SiteEvent;
  readonly subject: string | null;
  /** The event of the page that this line is on. */
  readonly current?: boolean;
}

export function Line({ event, subject, current = false }: LineProps): JSX.Element {
  return (
    <li class={tone(event)}>
      <a
        href={fragment({ page: "event", id: event.id })}
        aria-current={current ? "page" : undefined}
        data-testid={`event-${event.id}`}
        data-kind={event.kind}
      >
        <time dateTime={new Date(event.time * 1000).toISOString()}>{clockTime(event.time)}</time>
        <span class="text">
          {subject && <b>{subject} · </b>}
          {subject ? event.text : sentence(event.text)}
          {reasonBeside(event) && <q>{event.reason}</q>}
        </span>
        <span class="marks">
          {event.pictures > 0 && <span class="chip">{SAY.pictures(event.pictures)}</span>}
          {event.bundle === "partial" && <span class="chip attention">{SAY.partial}</span>}
          {event.held && <span class="chip">{SAY.held}</span>}
          <span class="kind">{event.kind}</span>
        </span>
      </a>
    </li>
  );
}

function Foot({ site, state }: { readonly site: Site; readonly state: Timeline }): JSX.Element {
  const { history } = site;
  const mark = useNearEnd(
    history,
    () => wantsMore(history.timeline.value),
    () => history.more(),
  );
  const filtered = isFiltered(state.filter);
  return (
    <div ref={mark} class="foot">
      {state.failure !== null && (
        <p class="problem" role="alert">
          {SAY.failed(state.failure)}{" "}
          <button type="button" class="quiet" onClick={() => history.retry()}>
            {SAY.again}
          </button>
        </p>
      )}
      {state.loading && <p class="empty">{SAY.loading}</p>}
      {state.complete && state.events.length === 0 && <p class="empty">{filtered ? SAY.noneSuch : SAY.none}</p>}
      {state.complete && state.events.length > 0 && <p class="empty">{filtered ? SAY.endSuch : SAY.end}</p>}
      {!state.complete && state.events.length >= MOST_LINES && <p class="empty">{SAY.enough(whole(MOST_LINES))}</p>}
      {wantsMore(state) && state.events.length > 0 && (
        <button type="button" class="quiet" onClick={() => history.more()}>
          {SAY.more}
        </button>
      )}
    </div>
  );
}
