// Past sessions with their runs: what each team's tower did, files to take away, and which towers fell.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Measuring } from "../measuring";
import { spoken } from "../model/language";
import {
  categoryName,
  figure,
  level,
  type MeasuredSession,
  outcomeText,
  type Run,
  type SessionDetails,
} from "../model/measurement";
import { dateTime, decimal, whole } from "../model/words";
import type { Site } from "../site";
import { fill, uris } from "../uris";

const SAY = spoken(
  {
    title: "Past sessions",
    none: "No session has been recorded yet.",
    loading: "Loading…",
    older: "Older sessions",
    everything: "Everything as a file",
    file: (form: string, of: string) => `${form} of ${of}`,
    all: "everything",
    session: (id: string) => `session ${id}`,
    run: (name: string, id: string) => `${name} in session ${id}`,
    attempt: (number: string) => `attempt ${number}`,
    files: "Files",
    runs: (id: string) => `Runs of session ${id}`,
    team: "Team",
    mostA: "Max |A|",
    mostB: "Max |B|",
    meanB: "Mean B",
    rmsB: "RMS B",
    frequencyB: "Frequency B",
    samples: "Samples",
    tower: "Tower",
    stands: "stands",
    fell: (second: string) => `collapsed at ${second} s`,
    standsAfterAll: "It stands",
    fellAfterAll: "It collapsed…",
    fellOf: (name: string) => `The tower of ${name} collapsed…`,
    mark: "at second",
    markOf: (name: string) => `Second at which the tower of ${name} collapsed`,
    set: "Mark",
    empty: "Nobody sent anything.",
  },
  {
    title: "Sesi sebelumnya",
    none: "Belum ada sesi yang direkam.",
    loading: "Memuat…",
    older: "Sesi yang lebih lama",
    everything: "Semua data sebagai berkas",
    file: (form: string, of: string) => `${form} dari ${of}`,
    all: "semua data",
    session: (id: string) => `sesi ${id}`,
    run: (name: string, id: string) => `${name} di sesi ${id}`,
    attempt: (number: string) => `percobaan ke-${number}`,
    files: "Berkas",
    runs: (id: string) => `Hasil uji sesi ${id}`,
    team: "Tim",
    mostA: "Maks |A|",
    mostB: "Maks |B|",
    meanB: "Rata-rata B",
    rmsB: "RMS B",
    frequencyB: "Frekuensi B",
    samples: "Jumlah data",
    tower: "Menara",
    stands: "berdiri",
    fell: (second: string) => `roboh pada ${second} dtk`,
    standsAfterAll: "Ternyata berdiri",
    fellAfterAll: "Ternyata roboh…",
    fellOf: (name: string) => `Menara ${name} ternyata roboh…`,
    mark: "pada detik",
    markOf: (name: string) => `Detik saat menara ${name} roboh`,
    set: "Tandai",
    empty: "Tidak ada yang mengirim data.",
  },
);

const FORMS = ["csv", "json", "xlsx"] as const;

/** Links to the samples of a session, a team, a run or everything. */
export function Files(props: {
  readonly of: string;
  readonly session?: number;
  readonly team?: number;
  readonly testid: string;
}): JSX.Element {
  const { of, session, team, testid } = props;
  const query = new URLSearchParams();
  if (session !== undefined) query.set("session", String(session));
  if (team !== undefined) query.set("team", String(team));
  return (
    <span class="files">
      {FORMS.map((extension) => (
        <a
          key={extension}
          href={`${fill(uris.MEASUREMENT_EXPORT, { extension })}${query.size ? `?${query}` : ""}`}
          download
          aria-label={SAY.file(extension.toUpperCase(), of)}
          data-testid={`${testid}-${extension}`}
        >
          {extension.toUpperCase()}
        </a>
      ))}
    </span>
  );
}

interface Props {
  readonly site: Site;
  readonly measuring: Measuring;
}

export function PastSessions({ site, measuring }: Props): JSX.Element {
  const past = measuring.past.value?.filter(({ session }) => session.outcome !== "running") ?? null;
  return (
    <section aria-labelledby="past-title" data-testid="past">
      <h2 id="past-title">{SAY.title}</h2>
      {past === null && <p class="empty">{SAY.loading}</p>}
      {past?.length === 0 && <p class="empty">{SAY.none}</p>}
      {past !== null && past.length > 0 && (
        <div class="panel sessions">
          {past.map((details) => (
            <Session key={details.session.id} site={site} measuring={measuring} details={details} />
          ))}
        </div>
      )}
      <div class="row wrap spread">
        {measuring.older.value !== null && (
          <button type="button" class="quiet" data-testid="older" onClick={() => void measuring.askPast(true)}>
            {SAY.older}
          </button>
        )}
        {past !== null && past.length > 0 && (
          <p class="hint">
            {SAY.everything}: <Files of={SAY.all} testid="export-all" />
          </p>
        )}
      </div>
    </section>
  );
}

/** What a session was, in one line. */
export function SessionLine({ session }: { readonly session: MeasuredSession }): JSX.Element {
  return (
    <>
      <b class="number">{whole(session.id)}</b>
      <span>{`${decimal(session.frequency, 1)} Hz`}</span>
      <span>{categoryName(session.category)}</span>
      <span class="soft">{SAY.attempt(whole(session.attempt))}</span>
      <span class={session.partial ? "partly" : "soft"}>{outcomeText(session)}</span>
      <time class="soft" dateTime={new Date(session.started * 1000).toISOString()}>
        {dateTime(session.started)}
      </time>
    </>
  );
}

function Session({ site, measuring, details }: Props & { readonly details: SessionDetails }): JSX.Element {
  const { session, runs } = details;
  const open = useSignal(false);
  const id = whole(session.id);
  return (
    <details
      data-testid={`session-${session.id}`}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>
        <span class="line">
          <SessionLine session={session} />
        </span>
      </summary>
      {open.value && (
        <div class="within">
          <p>
            {SAY.files}: <Files of={SAY.session(id)} session={session.id} testid={`export-${session.id}`} />
          </p>
          {runs.length === 0 ? (
            <p class="empty">{SAY.empty}</p>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable to scroll it by keys
            <section class="scroll" tabIndex={0} aria-label={SAY.runs(id)}>
              <table class="rows" aria-label={SAY.runs(id)}>
                <thead>
                  <tr>
                    <th scope="col">{SAY.team}</th>
                    <th scope="col">{SAY.mostA}</th>
                    <th scope="col">{SAY.mostB}</th>
                    <th scope="col">{SAY.meanB}</th>
                    <th scope="col">{SAY.rmsB}</th>
                    <th scope="col">{SAY.frequencyB}</th>
                    <th scope="col">{SAY.samples}</th>
                    <th scope="col">{SAY.tower}</th>
                    <th scope="col">{SAY.files}</th>
                  </tr>
                </thead>
                <tbody>
                  {runs.map((run) => (
                    <RunRow key={run.team} site={site} measuring={measuring} session={session} run={run} />
                  ))}
                </tbody>
              </table>
            </section>
          )}
        </div>
      )}
    </details>
  );
}

interface RunProps extends Props {
  readonly session: MeasuredSession;
  readonly run: Run;
}

function RunRow({ site, measuring, session, run }: RunProps): JSX.Element {
  const { a, b } = run.statistics ?? {};
  const mayMark = site.may("measurement.control", "*");
  return (
    <tr>
      <th scope="row">{run.name}</th>
      <td>{figure(a?.maximum, 2, "mm")}</td>
      <td>{figure(b?.maximum, 2, "mm")}</td>
      <td>{level(b?.mean, 2, "mm")}</td>
      <td>{figure(b?.rms, 2, "mm")}</td>
      <td>{figure(b?.frequency, 3, "Hz")}</td>
      <td>{run.statistics === null ? "–" : whole(run.statistics.samples)}</td>
      <td class={run.collapsed === null ? "" : "fell"}>
        {run.collapsed === null ? SAY.stands : SAY.fell(decimal(run.collapsed, 1))}{" "}
        {mayMark && <Mark measuring={measuring} session={session} run={run} />}
      </td>
      <td>
        <Files
          of={SAY.run(run.name, whole(session.id))}
          session={session.id}
          team={run.team}
          testid={`export-${session.id}-${run.team}`}
        />
      </td>
    </tr>
  );
}

/** Mark afterwards when a tower fell, or that it stands. */
function Mark({ measuring, session, run }: Omit<RunProps, "site">): JSX.Element {
  const second = useSignal("");
  const asking = useSignal(false);
  const valid = useComputed(() => {
    const number = Number(second.value.replace(",", "."));
    return second.value.trim() !== "" && number >= 0 && number <= session.length ? number : null;
  });
  const collapse = (kwargs: object): void =>
    void measuring.act(uris.CALL_MEASUREMENT_COLLAPSE, { session: session.id, team: run.team, ...kwargs });
  if (run.collapsed !== null)
    return (
      <button type="button" class="link" onClick={() => collapse({ stands: true })}>
        {SAY.standsAfterAll}
      </button>
    );
  if (!asking.value)
    return (
      <button
        type="button"
        class="link"
        aria-label={SAY.fellOf(run.name)}
        onClick={() => {
          asking.value = true;
        }}
      >
        {SAY.fellAfterAll}
      </button>
    );
  return (
    <form
      class="mark"
      onSubmit={(event) => {
        event.preventDefault();
        if (valid.value !== null) collapse({ second: valid.value });
      }}
    >
      <input
        inputMode="decimal"
        maxLength={6}
        value={second}
        placeholder={SAY.mark}
        aria-label={SAY.markOf(run.name)}
        onInput={(event) => {
          second.value = event.currentTarget.value;
        }}
      />
      <button type="submit" class="quiet" aria-disabled={valid.value === null}>
        {SAY.set}
      </button>
    </form>
  );
}
