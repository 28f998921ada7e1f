// One event: what happened, who and why, what led to it and followed, its pictures, and whether that is the truth.

import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { listKeys } from "../access";
import { Case } from "../case";
import { serverTime } from "../model/clock";
import { subjectName, tone } from "../model/events";
import { NO_FILTER } from "../model/filter";
import { spoken } from "../model/language";
import { fragment } from "../model/route";
import { plainDetails, type Told } from "../model/told";
import type { Caller, SiteEvent } from "../model/types";
import { ago, clockTime, dayLabel, sentence, whole } from "../model/words";
import type { Site } from "../site";
import { fill, uris } from "../uris";
import { VerifiedBadge } from "./badge";
import { FilmStrip } from "./film";
import { Line } from "./timeline";

const SAY = spoken(
  {
    back: "All events",
    loading: "Loading…",
    notFound: "There is no such event, or it is not kept any more, or you may not see it.",
    failed: (why: string) => `The event can’t be shown: ${why}`,
    when: "When",
    who: "Who",
    why: "Why",
    about: "About",
    outcome: "Outcome",
    kind: "Kind",
    record: "Record",
    number: (sequence: number) => `number ${whole(sequence)}`,
    nobody: "nobody: gatekeeper itself",
    from: (address: string) => `from ${address}`,
    over: (client: string) => `over ${client}`,
    by: (method: string) => `logged in by ${method}`,
    key: (key: string, label: string | null) => `by the API key ${label === null ? key : `“${label}” (${key})`}`,
    adminToken: "by the admin token of the configuration",
    noReason: "no reason was given",
    chain: "What led to it, and what followed",
    alone: "Nothing led to it that is on record, and nothing followed.",
    hold: "Put on hold",
    release: "End the hold",
    held: "On hold: retention will not touch it.",
    heldBy: (who: string, when: string) => `On hold since ${when}, by ${who}: retention will not touch it.`,
    notHeld: (why: string) => `The hold was not changed: ${why}`,
    export: "Export with pictures and proofs",
    exporting: "One zip file, which anybody can check without this site.",
    taking: "Pictures are still being taken.",
    addresses: { local: "this machine", unix: "this machine, by a local socket" } as Readonly<Record<string, string>>,
    methods: {
      cookie: "this site’s page",
      token: "a token",
      key: "an API key",
      password: "a password",
      wampcra: "a password (WAMP-CRA)",
      scram: "a password (SCRAM)",
      link: "a one-time link",
    } as Readonly<Record<string, string>>,
  },
  {
    back: "Semua kejadian",
    loading: "Memuat…",
    notFound: "Kejadian itu tidak ada, atau sudah tidak disimpan, atau tidak boleh Anda lihat.",
    failed: (why: string) => `Kejadian tidak dapat ditampilkan: ${why}`,
    when: "Kapan",
    who: "Siapa",
    why: "Mengapa",
    about: "Tentang",
    outcome: "Hasil",
    kind: "Jenis",
    record: "Catatan",
    number: (sequence: number) => `nomor ${whole(sequence)}`,
    nobody: "tidak ada: gatekeeper sendiri",
    from: (address: string) => `dari ${address}`,
    over: (client: string) => `lewat ${client}`,
    by: (method: string) => `masuk dengan ${method}`,
    key: (key: string, label: string | null) => `dengan kunci API ${label === null ? key : `“${label}” (${key})`}`,
    adminToken: "dengan token admin dari konfigurasi",
    noReason: "tidak ada alasan yang diberikan",
    chain: "Apa penyebabnya, dan apa kelanjutannya",
    alone: "Tidak ada penyebab maupun kelanjutan yang tercatat.",
    hold: "Tahan",
    release: "Akhiri penahanan",
    held: "Ditahan: tidak akan dihapus oleh aturan penyimpanan.",
    heldBy: (who: string, when: string) =>
      `Ditahan sejak ${when}, oleh ${who}: tidak akan dihapus oleh aturan penyimpanan.`,
    notHeld: (why: string) => `Penahanan tidak berubah: ${why}`,
    export: "Ekspor dengan gambar dan bukti",
    exporting: "Satu berkas zip, yang bisa diperiksa siapa saja tanpa situs ini.",
    taking: "Gambar masih diambil.",
    addresses: { local: "komputer ini", unix: "komputer ini, lewat soket lokal" },
    methods: {
      cookie: "halaman situs ini",
      token: "token",
      key: "kunci API",
      password: "kata sandi",
      wampcra: "kata sandi (WAMP-CRA)",
      scram: "kata sandi (SCRAM)",
      link: "tautan sekali pakai",
    },
  },
);

export function EventPage({ site, id }: { readonly site: Site; readonly id: string }): JSX.Element {
  const held = useMemo(() => new Case(id), [id]);
  const open = site.connection.value.phase === "open";
  useEffect(() => {
    if (open && held.told.peek() === null) void held.load();
  }, [held, open]);
  useEffect(() => () => held.close(), [held]);
  // What follows from it while it is looked at: its pictures, an automatic locking.
  const more = useComputed(() => {
    const known = held.told.value;
    if (known === null) return 0;
    const family = new Set([id, ...known.consequences.map((event) => event.id)]);
    return site.history.newest.value.filter(({ cause, id: one }) => cause && family.has(cause) && !family.has(one))
      .length;
  });
  useEffect(() => {
    if (more.value > 0) void held.load();
  }, [more.value]);

  const told = held.told.value;
  const failure = held.failure.value;
  return (
    <main class="pages event" data-testid="event">
      <p>
        <a href={fragment({ page: "events", filter: NO_FILTER })}>← {SAY.back}</a>
      </p>
      {failure !== null && (
        <p class="problem" role="alert">
          {failure.code.startsWith("no_such") || failure.code === "not_found"
            ? SAY.notFound
            : SAY.failed(failure.message)}
        </p>
      )}
      {told === null && failure === null && <p class="empty">{SAY.loading}</p>}
      {told !== null && <Shown site={site} held={held} told={told} />}
    </main>
  );
}

interface ShownProps {
  readonly site: Site;
  readonly held: Case;
  readonly told: Told;
}

function Shown({ site, held, told }: ShownProps): JSX.Element {
  const { event } = told;
  const subject = subjectName(event, site.system.value);
  const bundle = held.bundle.value;
  const verdicts = useComputed(() => held.findings.value.pictures);
  const name = (camera: string): string =>
    site.system.value?.cameras.find(({ id }) => id === camera)?.name ??
    site.cameras.value.find(({ id }) => id === camera)?.tile.value.status.name ??
    camera;
  return (
    <>
      <section class={`what panel padded ${tone(event)}`} aria-labelledby="event-title">
        <h2 id="event-title">
          {subject && <b>{subject} · </b>}
          {subject ? event.text : sentence(event.text)}
        </h2>
        <Facts site={site} event={event} subject={subject} />
        <Actions site={site} held={held} told={told} />
      </section>
      <VerifiedBadge findings={held.findings} />
      {bundle !== null && (
        <FilmStrip
          bundle={bundle}
          pictures={held.pictures}
          verdicts={verdicts}
          name={name}
          erase={site.may("event.erase") ? (number) => held.erase(number) : null}
        />
      )}
      {bundle === null && event.bundle === "open" && <p class="warning">{SAY.taking}</p>}
      <Chain site={site} told={told} />
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What the server calls the admin token where it names a key. */
const ADMIN_TOKEN = "configured";

function origin(caller: Caller, label: string | null): string {
  const key = caller.key === ADMIN_TOKEN ? SAY.adminToken : caller.key && SAY.key(caller.key, label);
  return [
    SAY.from(SAY.addresses[caller.address] ?? caller.address),
    SAY.over(caller.client),
    ...(key ? [key] : caller.method ? [SAY.by(SAY.methods[caller.method] ?? caller.method)] : []),
  ].join(", ");
}

/** Return what a key is for, in the words of who made it; null where there is none, or it isn't for us to know. */
function useKeyLabel(site: Site, caller: Caller | null): string | null {
  const label = useSignal<string | null>(null);
  const key = caller?.key ?? null;
  const account = caller?.name ?? "";
  useEffect(() => {
    const ours = account === site.identity.peek()?.name;
    if (key === null || key === ADMIN_TOKEN || !(ours || site.may("access.admin"))) return;
    listKeys(account).then(
      (keys) => {
        label.value = keys.find(({ id }) => id === key)?.label ?? null;
      },
      () => {}, // its id says enough
    );
  }, [key, account, site]);
  return label.value;
}

interface FactsProps {
  readonly site: Site;
  readonly event: SiteEvent;
  readonly subject: string | null;
}

function Facts({ site, event, subject }: FactsProps): JSX.Element {
  const now = serverTime(site.clock.peek(), site.now.peek());
  const { actor, caller } = event;
  const label = useKeyLabel(site, caller);
  return (
    <dl class="facts">
      <Fact name={SAY.when}>
        <time dateTime={new Date(event.time * 1000).toISOString()}>
          {dayLabel(event.time, now)}, {clockTime(event.time)}
        </time>{" "}
        <span class="hint">{ago(event.time, now)}</span>
      </Fact>
      <Fact name={SAY.who}>
        <span data-testid="event-who">
          {actor === null ? (
            SAY.nobody
          ) : (
            <a href={fragment({ page: "events", filter: { ...NO_FILTER, actor } })}>{actor}</a>
          )}
        </span>
        {caller && actor !== null && <span class="hint"> {origin(caller, label)}</span>}
      </Fact>
      {(event.reason || event.kind.startsWith("door.")) && (
        <Fact name={SAY.why}>
          {event.reason ? <q data-testid="event-why">{event.reason}</q> : <span class="hint">{SAY.noReason}</span>}
        </Fact>
      )}
      {event.subject !== null && (
        <Fact name={SAY.about}>
          <a href={fragment({ page: "events", filter: { ...NO_FILTER, subject: event.subject } })}>{subject}</a>
        </Fact>
      )}
      <Fact name={SAY.outcome}>
        <span data-testid="event-outcome">{event.outcome}</span>
      </Fact>
      <Fact name={SAY.kind}>
        <code>{event.kind}</code>
      </Fact>
      {plainDetails(event.details).map(({ name, text }) => (
        <Fact key={name} name={name}>
          {text}
        </Fact>
      ))}
      <Fact name={SAY.record}>
        {SAY.number(event.sequence)} <code class="hash">{event.hash}</code>
      </Fact>
    </dl>
  );
}

function Actions({ site, held, told }: ShownProps): JSX.Element | null {
  const failure = useSignal<string | null>(null);
  const busy = useSignal(false);
  const { event } = told;
  const [mayHold, mayExport] = [site.may("event.hold"), site.may("event.export")];
  const now = serverTime(site.clock.peek(), site.now.peek());
  const hold = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = null;
    try {
      await held.hold(!event.held);
      if (held.told.value) site.history.changed(held.told.value.event);
    } catch (reason) {
      failure.value = SAY.notHeld((reason as Error).message);
    } finally {
      busy.value = false;
    }
  };
  const by = told.holding;
  const standing = !event.held
    ? null
    : by?.actor
      ? SAY.heldBy(by.actor, `${dayLabel(by.time, now)}, ${clockTime(by.time)}`)
      : SAY.held;
  return (
    <>
      {standing && (
        <p class="hint" data-testid="event-held">
          {standing}
        </p>
      )}
      {failure.value && (
        <p class="problem" role="alert">
          {failure}
        </p>
      )}
      {(mayHold || mayExport) && (
        <div class="row wrap">
          {mayExport && (
            <a
              class="button"
              href={fill(uris.EVENT_EXPORT, { event: event.id })}
              download={`${event.id}.zip`}
              title={SAY.exporting}
              data-testid="event-export"
            >
              {SAY.export}
            </a>
          )}
          {mayHold && (
            <button
              type="button"
              aria-pressed={event.held}
              aria-disabled={busy.value}
              onClick={hold}
              data-testid="event-hold"
            >
              {event.held ? SAY.release : SAY.hold}
            </button>
          )}
        </div>
      )}
    </>
  );
}

function Chain({ site, told }: { readonly site: Site; readonly told: Told }): JSX.Element {
  const all = [...told.causes, told.event, ...told.consequences];
  return (
    <section class="day" aria-labelledby="chain-title">
      <h2 id="chain-title">{SAY.chain}</h2>
      {all.length === 1 ? (
        <p class="empty">{SAY.alone}</p>
      ) : (
        <ol class="panel" data-testid="chain">
          {all.map((event) => (
            <Line
              key={event.id}
              event={event}
              subject={subjectName(event, site.system.value)}
              current={event.id === told.event.id}
            />
          ))}
        </ol>
      )}
    </section>
  );
}
