// One chart on a canvas, by uPlot: drawn again at most once a second, in the colours of the page, as wide as its place.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { type Chart, measure } from "./model/telemetry";
import { clockTime } from "./model/words";

/** Pixels. */
const HEIGHT = 150;

/** Seconds between two marks of the time axis, which shows minutes. */
const MINUTES = [60, 120, 300, 600, 900, 1800, 3600];

/** Milliseconds between two drawings of new samples. */
const PACE = 1000;

/** The page's colours of the lines, in order; the stylesheet gives the legend the same. */
const LINES = ["--accent", "--attention", "--busy"] as const;

export class Plot {
  readonly #host: HTMLElement;
  readonly #told: (index: number | null) => void;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #place: ResizeObserver;
  readonly #recolour = (): void => this.#make();
  #chart: Chart;
  #plot: uPlot | null = null;
  #drawn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `told` is given the index of the sample under the pointer, null when it is gone. */
  constructor(host: HTMLElement, chart: Chart, told: (index: number | null) => void) {
    this.#host = host;
    this.#told = told;
    this.#chart = chart;
    this.#dark.addEventListener("change", this.#recolour);
    this.#place = new ResizeObserver(() => this.#fit());
    this.#place.observe(host);
    this.#make();
  }

  /** Show these samples, now or when the last drawing is a second old. */
  update(chart: Chart): void {
    this.#chart = chart;
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#drawn + PACE - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#drawn = performance.now();
      this.#plot?.setData(aligned(this.#chart));
    }, wait);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#place.disconnect();
    this.#dark.removeEventListener("change", this.#recolour);
    this.#plot?.destroy();
  }

  #fit(): void {
    const width = this.#host.clientWidth;
    if (width > 0 && this.#plot?.width !== width) this.#plot?.setSize({ width, height: HEIGHT });
  }

  #make(): void {
    this.#plot?.destroy();
    this.#drawn = performance.now();
    this.#plot = new uPlot(this.#options(), aligned(this.#chart), this.#host);
  }

  #options(): uPlot.Options {
    const style = getComputedStyle(this.#host);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const { unit, lines } = this.#chart;
    const axis: uPlot.Axis = {
      stroke: colour("--soft"),
      font: "11px system-ui, sans-serif",
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
    };
    return {
      width: Math.max(1, this.#host.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { setScale: false }, points: { size: 6 } },
      scales: { y: { range: (_, least, most) => range(least, most, unit === "dBm") } },
      axes: [
        {
          ...axis,
          space: 60,
          size: 28,
          incrs: MINUTES,
          values: (_, times) => times.map((time) => clockTime(time).slice(0, 5)),
        },
        { ...axis, size: 64, space: 28, values: (_, values) => values.map((value) => measure(value, unit)) },
      ],
      series: [
        {},
        ...lines.map((line, at) => ({
          label: line.label,
          stroke: colour(LINES[at % LINES.length] ?? LINES[0]),
          width: 1.5,
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [(plot) => this.#told(plot.cursor.idx ?? null)] },
    };
  }
}

function aligned({ time, data }: Chart): uPlot.AlignedData {
  return [[...time], ...data.map((column) => [...column])];
}

/** Return what the upright axis spans: from 0, but for a signal, whose zero means nothing; never nothing at all. */
function range(least: number | null, most: number | null, isSignal: boolean): uPlot.Range.MinMax {
  if (least === null || most === null) return [0, 1];
  if (isSignal) return [Math.min(least, -90) - 2, Math.max(most, -40) + 2];
  return [0, most > 0 ? most * 1.1 : 1];
}
