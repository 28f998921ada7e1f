// One chart of telemetry: drawn again at most once a second.

import type uPlot from "uplot";
import { type Chart, measure } from "./model/telemetry";
import { clockTime } from "./model/words";
import { LINES, type Look, type Made, Sheet } from "./sheet";

/** Pixels. */
const HEIGHT = 150;

/** Seconds between two marks of the time axis, which shows minutes. */
const MINUTES = [60, 120, 300, 600, 900, 1800, 3600];

/** Milliseconds between two drawings of new samples. */
const PACE = 1000;

export class Plot {
  readonly #told: (index: number | null) => void;
  readonly #sheet: Sheet;
  #chart: Chart;
  #drawn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `told` is given the index of the sample under the pointer, null when it is gone. */
  constructor(host: HTMLElement, chart: Chart, told: (index: number | null) => void) {
    this.#told = told;
    this.#chart = chart;
    this.#sheet = new Sheet(host, HEIGHT, (look) => this.#made(look));
    this.#sheet.make();
  }

  /** Show these samples, now or when the last drawing is a second old. */
  update(chart: Chart): void {
    this.#chart = chart;
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#drawn + PACE - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#drawn = performance.now();
      this.#sheet.plot?.setData(aligned(this.#chart));
    }, wait);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#sheet.end();
  }

  #made({ colour, axis, width, height }: Look): Made {
    this.#drawn = performance.now();
    const { unit, lines } = this.#chart;
    const options: uPlot.Options = {
      width,
      height,
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
    return { options, data: aligned(this.#chart) };
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
