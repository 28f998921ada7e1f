// What every chart on a page is drawn on: uPlot in the colours of the page, as wide as its place, made anew when the
// page turns dark or light.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** The page's colours of the lines, in order; the stylesheet gives the legend the same. */
export const LINES = ["--accent", "--attention", "--busy", "--unknown", "--alarm"] as const;

/** What a chart is made with. */
export interface Look {
  /** Return one of the page's colours, such as "--soft". */
  readonly colour: (name: string) => string;
  /** An axis in the page's manner. */
  readonly axis: uPlot.Axis;
  readonly width: number;
  readonly height: number;
}

export interface Made {
  readonly options: uPlot.Options;
  readonly data: uPlot.AlignedData;
}

export class Sheet {
  readonly host: HTMLElement;
  readonly #make: (look: Look) => Made;
  readonly #height: number | null;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #place: ResizeObserver;
  readonly #again = (): void => this.make();
  #plot: uPlot | null = null;

  /** `height` in pixels; null for as high as its place. */
  constructor(host: HTMLElement, height: number | null, make: (look: Look) => Made) {
    this.host = host;
    this.#make = make;
    this.#height = height;
    this.#dark.addEventListener("change", this.#again);
    this.#place = new ResizeObserver(() => this.#fit());
    this.#place.observe(host);
  }

  get plot(): uPlot | null {
    return this.#plot;
  }

  /** Make the chart, anew if there is one. */
  make(): void {
    this.#plot?.destroy();
    const style = getComputedStyle(this.host);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis: uPlot.Axis = {
      stroke: colour("--soft"),
      font: "11px system-ui, sans-serif",
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
    };
    const { options, data } = this.#make({ colour, axis, ...this.#size() });
    this.#plot = new uPlot(options, data, this.host);
  }

  end(): void {
    this.#place.disconnect();
    this.#dark.removeEventListener("change", this.#again);
    this.#plot?.destroy();
    this.#plot = null;
  }

  #size(): { width: number; height: number } {
    const { clientWidth, clientHeight } = this.host;
    return { width: Math.max(1, clientWidth), height: this.#height ?? Math.max(1, clientHeight) };
  }

  #fit(): void {
    const { width, height } = this.#size();
    if (this.host.clientWidth === 0) return;
    if (this.#plot?.width !== width || this.#plot?.height !== height) this.#plot?.setSize({ width, height });
  }
}
