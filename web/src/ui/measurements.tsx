// All teams at once: sixteen rows that are live, the timer, and for an admin what starts, stops and marks.

import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { Measuring, type TeamCell } from "../measuring";
import { serverTime } from "../model/clock";
import { spoken } from "../model/language";
import {
  type Figures,
  figure,
  isSlow,
  level,
  POINTS,
  type Point,
  type PointView,
  viewPoint,
} from "../model/measurement";
import { fragment } from "../model/route";
import { clockTime, decimal, whole } from "../model/words";
import type { Site } from "../site";
import { uris } from "../uris";
import { Controls, CountLine, Timer } from "./course";
import { PastSessions } from "./past";

const SAY = spoken(
  {
    title: "Measurements",
    rows: "Towers, live",
    screen: "Screen for an audience",
    freeze: "Freeze the view",
    thaw: "Go on live",
    frozen: (time: string) => `The view is frozen since ${time}. Measuring goes on.`,
    team: "Team",
    point: "Point",
    displacement: "Displacement",
    state: "Seen",
    most: "Max",
    mean: "Mean",
    rms: "RMS",
    frequency: "Frequency",
    rate: "Samples/s",
    tower: "Tower",
    a: "A, 3rd floor",
    b: "B, top",
    collapsed: "Collapsed",
    collapsedOf: (name: string) => `The tower of ${name} collapsed now`,
    fell: (second: string) => `collapsed at ${second} s`,
    stands: "It stands",
    slow: "too slow for this frequency",
    none: "There is no team that you may see.",
    waiting: "Waiting for the server…",
  },
  {
    title: "Pengukuran",
    rows: "Menara, langsung",
    screen: "Layar untuk penonton",
    freeze: "Bekukan tampilan",
    thaw: "Lanjut langsung",
    frozen: (time: string) => `Tampilan dibekukan sejak ${time}. Pengukuran tetap berjalan.`,
    team: "Tim",
    point: "Titik",
    displacement: "Simpangan",
    state: "Terlihat",
    most: "Maks",
    mean: "Rata-rata",
    rms: "RMS",
    frequency: "Frekuensi",
    rate: "Data/dtk",
    tower: "Menara",
    a: "A, lantai 3",
    b: "B, puncak",
    collapsed: "Roboh",
    collapsedOf: (name: string) => `Menara ${name} roboh sekarang`,
    fell: (second: string) => `roboh pada ${second} dtk`,
    stands: "Ternyata berdiri",
    slow: "terlalu lambat untuk frekuensi ini",
    none: "Tidak ada tim yang boleh Anda lihat.",
    waiting: "Menunggu server…",
  },
);

/** Follow measurements while a page is open and there is a connection. */
export function useMeasuring(site: Site, follows: number | "rows" | "lines"): Measuring {
  const measuring = useMemo(() => new Measuring(site, follows), [site, follows]);
  const open = site.connection.value.phase === "open";
  useEffect(() => {
    if (!open) return;
    measuring.start();
    return () => measuring.stop();
  }, [measuring, open]);
  return measuring;
}

export function MeasurementsPage({ site }: { readonly site: Site }): JSX.Element {
  const measuring = useMeasuring(site, "rows");
  const frozen = useSignal<number | null>(null);
  const mayControl = site.may("measurement.control", "*");
  const isKnown = measuring.status.value !== null;
  return (
    <main class="pages measurements all">
      <section aria-labelledby="measurements-title">
        <div class="row wrap spread">
          <h2 id="measurements-title">{SAY.title}</h2>
          <a href={fragment({ page: "screen" })} data-testid="to-screen">
            {SAY.screen}
          </a>
        </div>
        <div class={mayControl ? "panel course" : "panel course alone"}>
          <Timer site={site} measuring={measuring} />
          {mayControl && (
            <Controls site={site} measuring={measuring}>
              <Freeze site={site} frozen={frozen} />
            </Controls>
          )}
        </div>
        {mayControl ? <CountLine measuring={measuring} /> : <Freeze site={site} frozen={frozen} />}
      </section>
      <section aria-labelledby="rows-title">
        <h2 id="rows-title">{SAY.rows}</h2>
        <p class="warning" role="status" hidden={frozen.value === null} data-testid="frozen">
          {frozen.value !== null && SAY.frozen(clockTime(serverTime(site.clock.peek(), frozen.value)))}
        </p>
        {measuring.teams.value.length > 0 ? (
          <Rows site={site} measuring={measuring} frozen={frozen.value !== null} mayMark={mayControl} />
        ) : (
          <p class="empty">{isKnown ? SAY.none : SAY.waiting}</p>
        )}
      </section>
      <PastSessions site={site} measuring={measuring} />
    </main>
  );
}

interface FreezeProps {
  readonly site: Site;
  readonly frozen: { value: number | null };
}

function Freeze({ site, frozen }: FreezeProps): JSX.Element {
  return (
    <button
      type="button"
      class="freeze"
      aria-pressed={frozen.value !== null}
      data-testid="freeze"
      onClick={() => {
        frozen.value = frozen.value === null ? site.now.peek() : null;
      }}
    >
      {frozen.value === null ? SAY.freeze : SAY.thaw}
    </button>
  );
}

interface RowsProps {
  readonly site: Site;
  readonly measuring: Measuring;
  readonly frozen: boolean;
  readonly mayMark: boolean;
}

function Rows({ site, measuring, frozen, mayMark }: RowsProps): JSX.Element {
  const teams = measuring.teams.value;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable to scroll it by keys
    <section class="panel scroll" tabIndex={0} aria-labelledby="rows-title">
      <table class="rows live" data-testid="rows">
        <thead>
          <tr>
            <th scope="col">{SAY.team}</th>
            <th scope="col">{SAY.point}</th>
            <th scope="col">{SAY.displacement}</th>
            <th scope="col">{SAY.state}</th>
            <th scope="col">{SAY.most}</th>
            <th scope="col">{SAY.mean}</th>
            <th scope="col">{SAY.rms}</th>
            <th scope="col">{SAY.frequency}</th>
            <th scope="col">{SAY.rate}</th>
            <th scope="col">{SAY.tower}</th>
          </tr>
        </thead>
        {teams.map((cell) => (
          <tbody key={cell.team}>
            {POINTS.map((point) => (
              <Row
                key={point}
                site={site}
                measuring={measuring}
                cell={cell}
                point={point}
                frozen={frozen}
                mayMark={mayMark}
              />
            ))}
          </tbody>
        ))}
      </table>
    </section>
  );
}

/** Return what a signal gives, or while it is frozen what it gave then. */
export function useFrozen<Value>(live: ReadonlySignal<Value>, frozen: boolean): Value {
  const kept = useMemo(() => (frozen ? { value: live.peek() } : null), [frozen]);
  return kept === null ? live.value : kept.value;
}

interface RowProps extends RowsProps {
  readonly cell: TeamCell;
  readonly point: Point;
}

function Row({ site, measuring, cell, point, frozen, mayMark }: RowProps): JSX.Element {
  const isFirst = point === POINTS[0];
  return (
    <tr data-testid={`row-${cell.team}-${point}`}>
      {isFirst && (
        <th scope="rowgroup" rowSpan={2}>
          <a href={fragment({ page: "team", team: cell.team })} data-testid={`to-team-${cell.team}`}>
            {cell.name}
          </a>
        </th>
      )}
      <th scope="row" class={`point ${point}`}>
        {SAY[point]}
      </th>
      <Displacement site={site} cell={cell} point={point} frozen={frozen} />
      <FigureCells measuring={measuring} cell={cell} point={point} frozen={frozen} />
      {isFirst && <Tower measuring={measuring} cell={cell} frozen={frozen} mayMark={mayMark} />}
    </tr>
  );
}

/** Millimetres at which a row's bar is full. */
const FULL = 25;

type CellProps = Pick<RowProps, "site" | "cell" | "point" | "frozen">;

function Displacement({ site, cell, point, frozen }: CellProps): JSX.Element {
  const view = useComputed<PointView>(() =>
    viewPoint(cell.reading, point, site.lostSince.value, site.clock.value, site.now.value, cell.heard.value),
  );
  const { value, unit, note, tone, at } = useFrozen(view, frozen);
  const share = at === null ? 0 : Math.max(-1, Math.min(1, at / FULL));
  return (
    <>
      <td class={`displacement ${tone}`} data-testid={`value-${cell.team}-${point}`}>
        <strong>{value}</strong> {unit}
        <span class="bar" aria-hidden="true">
          <i style={{ transform: `scaleX(${share})` }} />
        </span>
      </td>
      <td class={`note ${tone}`}>{note}</td>
    </>
  );
}

function FigureCells({
  measuring,
  cell,
  point,
  frozen,
}: Omit<CellProps, "site"> & { measuring: Measuring }): JSX.Element {
  const figures = useFrozen<Figures | null>(cell.figures, frozen);
  const frequency = useComputed(() => measuring.status.value?.session?.frequency ?? null).value;
  const of = figures?.[point];
  const slow = isSlow(figures?.rate, frequency);
  return (
    <>
      <td data-testid={`most-${cell.team}-${point}`}>{figure(of?.maximum, 2)}</td>
      <td>{level(of?.mean, 2)}</td>
      <td>{figure(of?.rms, 2)}</td>
      <td>{figure(of?.frequency, 2, "Hz")}</td>
      {point === POINTS[0] && (
        <td rowSpan={2} class={slow ? "slow" : ""} title={slow ? SAY.slow : undefined}>
          {figures?.rate == null ? "–" : whole(figures.rate)}
          {slow && <span class="hint block">{SAY.slow}</span>}
        </td>
      )}
    </>
  );
}

function Tower({ measuring, cell, frozen, mayMark }: Omit<RowProps, "site" | "point">): JSX.Element {
  const collapsed = useFrozen(cell.collapsed, frozen);
  const status = useComputed(() => {
    const { state, session } = measuring.status.value ?? {};
    return state === "running" ? (session?.id ?? null) : null;
  });
  const session = status.value;
  const mark = (kwargs: object): void =>
    void measuring.act(uris.CALL_MEASUREMENT_COLLAPSE, { session, team: cell.team, ...kwargs });
  return (
    <td rowSpan={2} class={collapsed === null ? "" : "fell"}>
      {collapsed !== null && <span class="block">{SAY.fell(decimal(collapsed, 1))}</span>}
      {mayMark && session !== null && collapsed === null && (
        <button
          type="button"
          class="quiet danger"
          aria-label={SAY.collapsedOf(cell.name.value)}
          data-testid={`collapse-${cell.team}`}
          onClick={() => mark({})}
        >
          {SAY.collapsed}
        </button>
      )}
      {mayMark && session !== null && collapsed !== null && (
        <button type="button" class="link" onClick={() => mark({ stands: true })}>
          {SAY.stands}
        </button>
      )}
      {collapsed === null && (session === null || !mayMark) && "–"}
    </td>
  );
}
