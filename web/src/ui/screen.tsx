// For a beamer: every team at once, large and dark, with nothing that can be pressed.

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Measuring, TeamCell } from "../measuring";
import { spoken } from "../model/language";
import { figure, ranking, viewPoint } from "../model/measurement";
import { fragment } from "../model/route";
import { decimal } from "../model/words";
import type { Site } from "../site";
import { Timer } from "./course";
import { useMeasuring } from "./measurements";
import { Moving } from "./moving";

const SAY = spoken(
  {
    title: "Measurements",
    leave: "Back to the measurements",
    most: "Max at the top",
    now: "Top now",
    rank: (place: string) => `Place ${place}`,
    rankWhy: "Place 1 moved least at the top.",
    fell: (second: string) => `collapsed at ${second} s`,
    a: "A, 3rd floor",
    b: "B, top",
    waiting: "Waiting for the server…",
  },
  {
    title: "Pengukuran",
    leave: "Kembali ke pengukuran",
    most: "Maks di puncak",
    now: "Puncak sekarang",
    rank: (place: string) => `Peringkat ${place}`,
    rankWhy: "Peringkat 1: puncaknya paling sedikit bergerak.",
    fell: (second: string) => `roboh pada ${second} dtk`,
    a: "A, lantai 3",
    b: "B, puncak",
    waiting: "Menunggu server…",
  },
);

const BOTH = ["a", "b"] as const;

export function ScreenPage({ site }: { readonly site: Site }): JSX.Element {
  const measuring = useMeasuring(site, "lines");
  const scale = useMemo(() => new Map<object, number>(), []);
  useEffect(() => {
    document.documentElement.classList.add("beamer");
    const full = (event: KeyboardEvent): void => {
      if (event.key === "f") void document.documentElement.requestFullscreen().catch(() => {});
    };
    addEventListener("keydown", full);
    return () => {
      document.documentElement.classList.remove("beamer");
      removeEventListener("keydown", full);
      if (document.fullscreenElement) void document.exitFullscreen().catch(() => {});
    };
  }, []);
  const places = useComputed(() =>
    ranking(
      measuring.teams.value.map(({ team, collapsed, figures }) => ({
        team,
        collapsed: collapsed.value,
        most: figures.value?.b.maximum ?? null,
      })),
    ),
  );
  return (
    <main class="screen" data-testid="screen">
      <header>
        <h1>{site.system.value?.name ?? SAY.title}</h1>
        <p class="key">
          <span class="point a">{SAY.a}</span> <span class="point b">{SAY.b}</span>
        </p>
        <Timer site={site} measuring={measuring} />
      </header>
      <div class="towers">
        {measuring.teams.value.map((cell) => (
          <Tower
            key={cell.team}
            site={site}
            measuring={measuring}
            cell={cell}
            scale={scale}
            place={places.value.get(cell.team) ?? null}
          />
        ))}
        {measuring.teams.value.length === 0 && <p class="empty">{SAY.waiting}</p>}
      </div>
      <footer>
        <span>{SAY.rankWhy}</span>
        <a class="leave" href={fragment({ page: "measurements" })}>
          {SAY.leave}
        </a>
      </footer>
    </main>
  );
}

interface TowerProps {
  readonly site: Site;
  readonly measuring: Measuring;
  readonly cell: TeamCell;
  /** Of all towers: who moves more is drawn larger. */
  readonly scale: Map<object, number>;
  readonly place: number | null;
}

function Tower({ site, measuring, cell, scale, place }: TowerProps): JSX.Element {
  const view = useComputed(() => viewPoint(cell.reading, "b", site.lostSince.value, site.clock.value, site.now.value));
  const value = useComputed(() => view.value.value);
  const unit = useComputed(() => view.value.unit);
  const tone = useComputed(() => view.value.tone);
  const collapsed = cell.collapsed.value;
  return (
    <article
      class={`tower ${collapsed === null ? tone.value : "alarm"}`}
      aria-label={cell.name.value}
      data-testid={`tower-${cell.team}`}
    >
      <h2>
        {cell.name}
        {place !== null && (
          <span class={place === 1 ? "place first" : "place"} title={SAY.rank(String(place))}>
            <span class="spoken">{SAY.rank(String(place))}</span>
            <span aria-hidden="true">{place}</span>
          </span>
        )}
      </h2>
      <Moving site={site} measuring={measuring} cell={cell} points={BOTH} height={null} small={true} shared={scale} />
      {collapsed === null ? (
        <dl>
          <div>
            <dt>{SAY.most}</dt>
            <dd data-testid={`tower-${cell.team}-most`}>{figure(cell.figures.value?.b.maximum, 1, "mm")}</dd>
          </div>
          <div>
            <dt>{SAY.now}</dt>
            <dd>
              <span class="now">{value}</span> {unit}
            </dd>
          </div>
        </dl>
      ) : (
        <p class="fell">{SAY.fell(decimal(collapsed, 1))}</p>
      )}
    </article>
  );
}
