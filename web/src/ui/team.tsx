// One team, on a phone in a hand: where its tower is, how it moves, the timer, and past runs to compare with.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { lineOf, type Measuring, type TeamCell } from "../measuring";
import { spoken } from "../model/language";
import {
  figure,
  isSlow,
  level,
  POINTS,
  type Point,
  type PointFigures,
  type RunChart,
  viewPoint,
} from "../model/measurement";
import { fragment } from "../model/route";
import { decimal, whole } from "../model/words";
import type { Drawn } from "../motion";
import type { Site } from "../site";
import { Timer } from "./course";
import { useMeasuring } from "./measurements";
import { Moving, ROLLING } from "./moving";
import { Files, SessionLine } from "./past";

const SAY = spoken(
  {
    all: "All teams",
    teams: "Teams",
    none: "There is no such team, or you may not see it.",
    waiting: "Waiting for the server…",
    a: "A, 3rd floor",
    b: "B, top",
    chart: "Displacement in millimetres",
    seen: "What is drawn",
    rolling: (seconds: string) => `Last ${seconds} s`,
    whole: "Whole run",
    collapsed: (second: string) => `The tower collapsed at ${second} s.`,
    slow: (rate: string) => `Only ${rate} samples come a second: a fast motion may be taken for a slower one.`,
    figures: "Figures of this run",
    most: "Max",
    mean: "Mean",
    rms: "RMS",
    frequency: "Frequency",
    amplitude: "Amplitude",
    past: "Compare with past runs",
    nonePast: "There is no past run of this team yet.",
    enough: (most: string) => `${most} at once.`,
    compared: (id: string) => `Draw the run of session ${id}`,
    run: (id: string) => `the run of session ${id}`,
  },
  {
    all: "Semua tim",
    teams: "Tim",
    none: "Tim itu tidak ada, atau tidak boleh Anda lihat.",
    waiting: "Menunggu server…",
    a: "A, lantai 3",
    b: "B, puncak",
    chart: "Simpangan dalam milimeter",
    seen: "Yang digambar",
    rolling: (seconds: string) => `${seconds} dtk terakhir`,
    whole: "Seluruh uji",
    collapsed: (second: string) => `Menara roboh pada ${second} dtk.`,
    slow: (rate: string) =>
      `Hanya ${rate} data per detik: gerakan cepat bisa terbaca sebagai gerakan yang lebih lambat.`,
    figures: "Angka uji ini",
    most: "Maks",
    mean: "Rata-rata",
    rms: "RMS",
    frequency: "Frekuensi",
    amplitude: "Amplitudo",
    past: "Bandingkan dengan uji sebelumnya",
    nonePast: "Belum ada uji sebelumnya untuk tim ini.",
    enough: (most: string) => `Paling banyak ${most} sekaligus.`,
    compared: (id: string) => `Gambar uji sesi ${id}`,
    run: (id: string) => `uji sesi ${id}`,
  },
);

/** Runs that are drawn beside the live one at once: more lines than that nobody tells apart. */
const MOST_COMPARED = 3;

/** Pixels. */
const HEIGHT = 260;

interface Props {
  readonly site: Site;
  readonly team: number;
}

export function TeamPage({ site, team }: Props): JSX.Element {
  const measuring = useMeasuring(site, team);
  const [cell] = measuring.teams.value;
  const others = useComputed(() => JSON.stringify(measuring.status.value?.teams.map((one) => one.team) ?? [])).value;
  const isKnown = measuring.status.value !== null;
  return (
    <main class="pages measurements team">
      <Teams all={JSON.parse(others) as number[]} team={team} />
      {cell === undefined ? (
        <p class="empty">{isKnown ? SAY.none : SAY.waiting}</p>
      ) : (
        <One key={team} site={site} measuring={measuring} cell={cell} />
      )}
    </main>
  );
}

function Teams({ all, team }: { readonly all: readonly number[]; readonly team: number }): JSX.Element {
  return (
    <nav class="teams" aria-label={SAY.teams}>
      <a href={fragment({ page: "measurements" })}>{SAY.all}</a>
      {all.map((one) => (
        <a
          key={one}
          class="one"
          href={fragment({ page: "team", team: one })}
          aria-current={one === team ? "page" : undefined}
          aria-label={`${SAY.teams} ${one}`}
        >
          {one}
        </a>
      ))}
    </nav>
  );
}

interface OneProps {
  readonly site: Site;
  readonly measuring: Measuring;
  readonly cell: TeamCell;
}

function One({ site, measuring, cell }: OneProps): JSX.Element {
  const points = useSignal<readonly Point[]>(POINTS);
  const isWhole = useSignal(false);
  const compared = useSignal<readonly RunChart[]>([]);
  const lines = useMemo(
    () =>
      compared.value.flatMap((run, at): Drawn[] =>
        points.value.map((point) => ({ line: lineOf(run[point]), colour: 2 + at, past: true })),
      ),
    [compared.value, points.value],
  );
  const collapsed = cell.collapsed.value;
  const rate = cell.figures.value?.rate ?? null;
  const slow = isSlow(rate, measuring.status.value?.session?.frequency ?? null);
  return (
    <>
      <section class="panel course alone" aria-labelledby="team-title">
        <h2 id="team-title" class="name" data-testid="team-name">
          {cell.name}
        </h2>
        <Timer site={site} measuring={measuring} />
      </section>
      {collapsed !== null && <p class="problem">{SAY.collapsed(decimal(collapsed, 1))}</p>}
      {slow && rate !== null && <p class="warning">{SAY.slow(decimal(rate, 0))}</p>}
      <div class="big">
        {POINTS.map((point) => (
          <Where key={point} site={site} cell={cell} point={point} />
        ))}
      </div>
      <section aria-labelledby="chart-title">
        <div class="row wrap spread">
          <h2 id="chart-title">{SAY.chart}</h2>
          <fieldset class="row wrap" aria-label={SAY.seen}>
            {POINTS.map((point) => (
              <label key={point} class={`check legend ${point}`}>
                <input
                  type="checkbox"
                  checked={points.value.includes(point)}
                  data-testid={`draw-${point}`}
                  onChange={(event) => {
                    const { checked } = event.currentTarget;
                    points.value = POINTS.filter((one) => (one === point ? checked : points.value.includes(one)));
                  }}
                />
                {SAY[point]}
              </label>
            ))}
            <button
              type="button"
              class="quiet"
              aria-pressed={isWhole.value}
              data-testid="whole"
              onClick={() => {
                isWhole.value = !isWhole.value;
              }}
            >
              {isWhole.value ? SAY.rolling(String(ROLLING)) : SAY.whole}
            </button>
          </fieldset>
        </div>
        <div class="panel chart">
          <Moving
            site={site}
            measuring={measuring}
            cell={cell}
            points={points.value}
            whole={isWhole.value}
            past={lines}
            height={HEIGHT}
            testid="motion"
          />
        </div>
      </section>
      <FiguresTable cell={cell} />
      <Compare
        measuring={measuring}
        cell={cell}
        compared={compared}
        chosen={() => {
          isWhole.value = true;
        }}
      />
    </>
  );
}

/** Where a point is now, large enough for an arm's length. */
function Where({ site, cell, point }: Pick<OneProps, "site" | "cell"> & { readonly point: Point }): JSX.Element {
  const view = useComputed(() =>
    viewPoint(cell.reading, point, site.lostSince.value, site.clock.value, site.now.value, cell.heard.value),
  );
  const tone = useComputed(() => view.value.tone);
  const value = useComputed(() => view.value.value);
  const unit = useComputed(() => view.value.unit);
  const note = useComputed(() => view.value.note);
  return (
    <div class={`panel where ${point} ${tone.value}`}>
      <h3>
        {SAY[point]} <span>{unit}</span>
      </h3>
      <p class={view.value.at === null ? "none" : "number"}>
        <strong data-testid={`big-${point}`}>{value}</strong>
      </p>
      <p class="note">{note}</p>
    </div>
  );
}

function FiguresTable({ cell }: { readonly cell: TeamCell }): JSX.Element {
  const figures = cell.figures.value;
  const rows: readonly (readonly [string, (of: PointFigures | undefined) => string])[] = [
    [SAY.most, (of) => figure(of?.maximum, 2, "mm")],
    [SAY.mean, (of) => level(of?.mean, 2, "mm")],
    [SAY.rms, (of) => figure(of?.rms, 2, "mm")],
    [SAY.frequency, (of) => figure(of?.frequency, 2, "Hz")],
    [SAY.amplitude, (of) => figure(of?.amplitude, 2, "mm")],
  ];
  return (
    <section aria-labelledby="figures-title">
      <h2 id="figures-title">{SAY.figures}</h2>
      <div class="panel scroll">
        <table class="rows">
          <thead>
            <tr>
              <td />
              {POINTS.map((point) => (
                <th key={point} scope="col" class={`point ${point}`}>
                  {SAY[point]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, told]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {POINTS.map((point) => (
                  <td key={point}>{told(figures?.[point])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface CompareProps {
  readonly measuring: Measuring;
  readonly cell: TeamCell;
  readonly compared: { value: readonly RunChart[] };
  readonly chosen: () => void;
}

function Compare({ measuring, cell, compared, chosen }: CompareProps): JSX.Element {
  const past = (measuring.past.value ?? []).filter(
    ({ session, runs }) => session.outcome !== "running" && runs.some(({ team }) => team === cell.team),
  );
  const drawn = compared.value.map(({ session }) => session.id);
  const choose = async (id: number, wanted: boolean): Promise<void> => {
    const kept = compared.value.filter(({ session }) => session.id !== id);
    if (!wanted) {
      compared.value = kept;
      return;
    }
    const chart = await measuring.chart(id, cell.team);
    if (chart === null) return;
    compared.value = [...kept, chart].slice(-MOST_COMPARED);
    chosen();
  };
  useEffect(() => {
    compared.value = [];
  }, [cell]);
  return (
    <section aria-labelledby="compare-title" data-testid="compare">
      <h2 id="compare-title">{SAY.past}</h2>
      {past.length === 0 && <p class="empty">{SAY.nonePast}</p>}
      {past.length > 0 && (
        <ul class="panel compare">
          {past.map(({ session, runs }) => {
            const run = runs.find(({ team }) => team === cell.team);
            const at = drawn.indexOf(session.id);
            return (
              <li key={session.id} class={at >= 0 ? `line-${2 + at}` : ""}>
                <label class="check">
                  <input
                    type="checkbox"
                    checked={at >= 0}
                    aria-label={SAY.compared(whole(session.id))}
                    data-testid={`compare-${session.id}`}
                    onChange={(event) => void choose(session.id, event.currentTarget.checked)}
                  />
                  <SessionLine session={session} />
                </label>
                <span class="soft">
                  B {SAY.most} {figure(run?.statistics?.b.maximum, 2, "mm")}
                </span>
                <Files
                  of={SAY.run(whole(session.id))}
                  session={session.id}
                  team={cell.team}
                  testid={`export-${session.id}-${cell.team}`}
                />
              </li>
            );
          })}
        </ul>
      )}
      {past.length > 0 && <p class="hint">{SAY.enough(whole(MOST_COMPARED))}</p>}
    </section>
  );
}
