// The timer, and for whoever may: frequency and category, start and stop, the tap.

import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Measuring } from "../measuring";
import { spoken } from "../model/language";
import { categoryName, viewTimer } from "../model/measurement";
import { decimal, whole } from "../model/words";
import type { Site } from "../site";
import { uris } from "../uris";

const SAY = spoken(
  {
    of: (seconds: string) => `of ${seconds} s`,
    progress: "Time of the session",
    session: (id: string, attempt: string) => `Session ${id}, attempt ${attempt}`,
    last: (id: string) => `Last: session ${id}`,
    frequency: "Frequency of the table",
    category: "Towers",
    start: "Start",
    starting: "Starting…",
    stop: "Stop",
    stopping: "Stopping…",
    tap: "Record without a session",
    tapHint: "The master tap: what comes while no session runs is kept, too.",
    counts: (stored: string, waiting: string) => `${stored} samples stored, ${waiting} waiting`,
    refused: (many: string) => `${many} refused`,
    failed: (many: string) => `${many} could not be stored`,
    paused: "Senders are held back: the database can’t keep up.",
  },
  {
    of: (seconds: string) => `dari ${seconds} dtk`,
    progress: "Waktu sesi",
    session: (id: string, attempt: string) => `Sesi ${id}, percobaan ke-${attempt}`,
    last: (id: string) => `Terakhir: sesi ${id}`,
    frequency: "Frekuensi meja getar",
    category: "Menara",
    start: "Mulai",
    starting: "Memulai…",
    stop: "Berhenti",
    stopping: "Menghentikan…",
    tap: "Rekam tanpa sesi",
    tapHint: "Keran induk: data yang masuk saat tidak ada sesi ikut disimpan.",
    counts: (stored: string, waiting: string) => `${stored} data tersimpan, ${waiting} menunggu`,
    refused: (many: string) => `${many} ditolak`,
    failed: (many: string) => `${many} gagal disimpan`,
    paused: "Pengirim ditahan dulu: basis data tidak sanggup mengejar.",
  },
);

interface Props {
  readonly site: Site;
  readonly measuring: Measuring;
}

/** How far the session is, by the server's clock. */
export function Timer({ site, measuring }: Props): JSX.Element {
  const view = useComputed(() =>
    viewTimer(measuring.status.value, site.lostSince.value, site.clock.value, site.now.value),
  );
  const about = useComputed(() => JSON.stringify({ ...view.value, seconds: "", share: 0 }));
  const seconds = useComputed(() => view.value.seconds);
  const share = useComputed(() => view.value.share);
  about.value; // what follows is drawn again only when this changes; the seconds are a text node of their own
  const { word, tone, whole: length, about: note } = view.peek();
  const status = measuring.status.value;
  const session = status?.session ?? null;
  const shown = session ?? status?.last ?? null;
  return (
    <div class={`timer ${tone}`} data-testid="timer" data-state={view.peek().state}>
      <p class="digits" role="timer" aria-live="off">
        <b data-testid="timer-seconds">{seconds}</b> <span>{SAY.of(length)}</span>
      </p>
      <progress max={1} value={share} aria-label={SAY.progress} />
      <p class="state">
        <span class={`pill ${tone}`} role="status" data-testid="timer-word">
          {word}
        </span>
        {shown !== null && (
          <span>
            <b>{`${decimal(shown.frequency, 1)} Hz`}</b>, {categoryName(shown.category)}
          </span>
        )}
        {shown !== null && (
          <span class="soft">
            {session === null ? SAY.last(whole(shown.id)) : SAY.session(whole(shown.id), whole(shown.attempt))}
          </span>
        )}
      </p>
      {note && <p class="hint">{note}</p>}
    </div>
  );
}

interface ChoiceProps {
  readonly legend: string;
  readonly name: string;
  readonly disabled: boolean;
  readonly choices: readonly { readonly id: string; readonly text: string }[];
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
}

/** One of a few, as buttons side by side. */
function Choice({ legend, name, disabled, choices, chosen, onChoose }: ChoiceProps): JSX.Element {
  return (
    <fieldset class="choice" disabled={disabled}>
      <legend>{legend}</legend>
      <div>
        {choices.map(({ id, text }) => (
          <label key={id}>
            <input
              type="radio"
              name={name}
              value={id}
              checked={id === chosen}
              data-testid={`${name}-${id}`}
              onChange={() => onChoose(id)}
            />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** What an admin does with the session of all teams. */
export function Controls({ site, measuring, children }: Props & { readonly children: ComponentChildren }): JSX.Element {
  const status = measuring.status.value;
  const wish = useSignal<number | null>(null);
  const busy = useSignal<"start" | "stop" | null>(null);
  const running = status?.state === "running" || status?.state === "ending";
  useEffect(() => {
    // The next session begins with what the last one had.
    const last = status?.session ?? status?.last;
    if (last) wish.value = last.frequency;
  }, [status?.session?.id ?? status?.last?.id]);
  if (status === null) return <div class="orders" />;
  const frequency = status.session?.frequency ?? wish.value ?? status.frequencies[0] ?? null;
  const known = site.lostSince.value === null;
  const act = async (what: "start" | "stop", procedure: string, kwargs: object): Promise<void> => {
    if (busy.value !== null) return;
    busy.value = what;
    await measuring.act(procedure, kwargs);
    busy.value = null;
  };
  const mayStart = known && status.state === "idle" && frequency !== null && busy.value === null;
  const mayStop = known && status.state === "running" && busy.value === null;
  return (
    <div class="orders" data-testid="controls">
      <Choice
        legend={SAY.frequency}
        name="frequency"
        disabled={running || !known}
        choices={status.frequencies.map((one) => ({ id: String(one), text: `${decimal(one, 1)} Hz` }))}
        chosen={frequency === null ? null : String(frequency)}
        onChoose={(id) => {
          wish.value = Number(id);
        }}
      />
      <Choice
        legend={SAY.category}
        name="category"
        disabled={running || !known}
        choices={status.categories.map((one) => ({ id: one, text: categoryName(one) }))}
        chosen={status.session?.category ?? status.category}
        onChoose={(category) => void measuring.act(uris.CALL_MEASUREMENT_CATEGORY, { category })}
      />
      <div class="row wrap">
        <button
          type="button"
          class="main large"
          data-testid="start"
          aria-disabled={!mayStart}
          onClick={() =>
            mayStart && act("start", uris.CALL_MEASUREMENT_START, { frequency, category: status.category })
          }
        >
          {busy.value === "start" ? SAY.starting : SAY.start}
        </button>
        <button
          type="button"
          class="danger large"
          data-testid="stop"
          aria-disabled={!mayStop}
          onClick={() => mayStop && act("stop", uris.CALL_MEASUREMENT_STOP, {})}
        >
          {busy.value === "stop" ? SAY.stopping : SAY.stop}
        </button>
        {children}
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={status.tap}
          disabled={!known}
          aria-describedby="tap-hint"
          data-testid="tap"
          onChange={(event) => void measuring.act(uris.CALL_MEASUREMENT_TAP, { open: event.currentTarget.checked })}
        />
        <span>
          {SAY.tap}
          <span id="tap-hint" class="hint block">
            {SAY.tapHint}
          </span>
        </span>
      </label>
      {measuring.failure.value !== null && (
        <p class="problem" role="alert" data-testid="controls-error">
          {measuring.failure}
        </p>
      )}
    </div>
  );
}

/** What came in since the server's start. */
export function CountLine({ measuring }: { readonly measuring: Measuring }): JSX.Element {
  const text = useComputed(() => {
    const counts = measuring.status.value?.counts;
    if (counts === undefined) return "";
    const refused = Object.values(counts.refused).reduce((sum, many) => sum + many, 0);
    return [
      SAY.counts(whole(counts.stored), whole(counts.waiting)),
      ...(refused ? [SAY.refused(whole(refused))] : []),
      ...(counts.failed ? [SAY.failed(whole(counts.failed))] : []),
      ...(counts.paused ? [SAY.paused] : []),
    ].join(" · ");
  });
  return (
    <p class="hint" data-testid="counts">
      {text}
    </p>
  );
}
