// A tower's motion on a canvas as it comes, by uPlot, whose lines are drawn from the buffers they lie in. A picture is
// drawn at the screen's pace while samples come; none is where nothing changed, or where nobody looks.

import type uPlot from "uplot";
import { readClock } from "./clock";
import { farthest, type Line, reach, stroke } from "./model/trace";
import { decimal } from "./model/words";
import { LINES, type Look, type Made, Sheet } from "./sheet";

/** One line of a chart: `colour` is an index into the page's colours of lines. */
export interface Drawn {
  readonly line: Line;
  readonly colour: number;
  /** Of a past run: thin. */
  readonly past: boolean;
}

/** What is to be drawn at one moment: x from and to, and whether the next moment differs. */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly moves: boolean;
}

export interface Scene {
  readonly lines: readonly Drawn[];
  /** Return what is seen at this second of our clock. */
  readonly window: (now: number) => Window;
  /** Return what stands at a mark of the axis below; null for none at all. */
  readonly mark: ((x: number) => string) | null;
  /** How far each of several charts goes, whose upright axes are to be the same. */
  readonly shared: Map<object, number> | null;
}

/** Milliseconds between two pictures: for whoever wants no motion, in steps; of a small chart, one of many. */
const STEP = 500;
const SMALL = 30;

/** Pixels of the axis beside and below. */
const BESIDE = 44;
const BELOW = 26;

export class Motion {
  readonly #sheet: Sheet;
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  readonly #view: IntersectionObserver;
  readonly #seen = (): void => this.wake();
  #scene: Scene;
  #colours: readonly string[] = [];
  #reach = 0;
  #inView = true;
  #asked: number | null = null;
  #drawn = 0;
  #took = 0;
  #window: Window = { from: 0, to: 1, moves: false };

  /** `height` in pixels; null for as high as its place. */
  constructor(host: HTMLElement, height: number | null, scene: Scene) {
    this.#scene = scene;
    this.#sheet = new Sheet(host, height, (look) => this.#made(look));
    this.#look();
    this.#sheet.make();
    this.#view = new IntersectionObserver((entries) => {
      this.#inView = entries.at(-1)?.isIntersecting ?? true;
      this.wake();
    });
    this.#view.observe(host);
    document.addEventListener("visibilitychange", this.#seen);
  }

  /** Show something else: other lines, another window. */
  show(scene: Scene): void {
    this.#scene = scene;
    this.#reach = 0;
    this.wake();
  }

  /** There is something new: draw with the screen's next picture. */
  wake(): void {
    if (this.#asked !== null || !this.#inView || document.visibilityState !== "visible") return;
    this.#asked = requestAnimationFrame((time) => {
      this.#asked = null;
      if (time - this.#drawn < this.#pace) {
        this.wake();
        return;
      }
      this.#drawn = time;
      const began = performance.now();
      setTimeout(() => {
        this.#took = performance.now() - began; // painting included
      });
      this.#draw();
      if (this.#window.moves) this.wake();
    });
  }

  end(): void {
    if (this.#asked !== null) cancelAnimationFrame(this.#asked);
    this.#asked = -1;
    this.#scene.shared?.delete(this);
    this.#view.disconnect();
    document.removeEventListener("visibilitychange", this.#seen);
    this.#sheet.end();
  }

  get #pace(): number {
    if (this.#still.matches) return STEP;
    // Where pictures are drawn without a graphics card many charts leave the page half of its time.
    return this.#scene.mark === null ? Math.max(SMALL, 2 * this.#took) : 0;
  }

  /** Find out what is seen, and how far it goes. */
  #look(): void {
    this.#window = this.#scene.window(readClock());
    const { from, to } = this.#window;
    let most = 0;
    for (const { line } of this.#scene.lines) most = Math.max(most, farthest(line, from, to));
    const { shared } = this.#scene;
    shared?.set(this, most);
    this.#reach = reach(this.#reach, shared === null ? most : Math.max(...shared.values()));
  }

  #draw(): void {
    const { plot } = this.#sheet;
    if (plot === null) return;
    this.#look();
    const { from, to } = this.#window;
    plot.batch(() => {
      plot.setScale("x", { min: from, max: to }); // which has the lines drawn anew
      plot.setScale("y", { min: -this.#reach, max: this.#reach });
    });
  }

  #made({ colour, axis, width, height }: Look): Made {
    const { from, to } = this.#window;
    const { mark } = this.#scene;
    this.#colours = LINES.map(colour);
    const options: uPlot.Options = {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      padding: mark === null ? [4, 0, 4, 0] : [8, 20, 0, 0],
      scales: {
        x: { time: false, auto: false, min: from, max: to },
        y: { auto: false, min: -this.#reach, max: this.#reach },
      },
      axes: [
        {
          ...axis,
          show: mark !== null,
          size: BELOW,
          space: 50,
          values: (_, marks) => marks.map((x) => this.#scene.mark?.(x) ?? ""),
        },
        {
          ...axis,
          show: mark !== null,
          size: BESIDE,
          space: 26,
          values: (_, marks) => marks.map((value) => decimal(value, Number.isInteger(value) ? 0 : 1).replace("-", "−")),
        },
      ],
      series: [{}],
      hooks: {
        ...(mark === null && { drawClear: [(plot) => drawZero(plot, colour("--line"))] }),
        draw: [(plot) => this.#lines(plot)],
      },
    };
    return { options, data: [[from, to]] }; // uPlot knows of no line: they lie where they lie
  }

  /** Draw the lines where uPlot would draw its own, whose joins are round: that takes a third of the time more. */
  #lines(plot: uPlot): void {
    const { ctx, scales, bbox } = plot;
    const [x, y] = [scales.x, scales.y];
    if (x?.min == null || x.max == null || y?.min == null || y.max == null) return;
    const { left, top, width, height } = bbox;
    const across = width / (x.max - x.min);
    const up = -height / (y.max - y.min);
    const scale = { across, left: left - x.min * across, up, middle: top + height / 2 - ((y.max + y.min) / 2) * up };
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.lineJoin = "bevel";
    for (const { line, colour, past } of this.#scene.lines) {
      ctx.strokeStyle = this.#colours[colour % this.#colours.length] ?? "";
      ctx.lineWidth = (past ? 1 : 1.75) * devicePixelRatio;
      ctx.beginPath();
      stroke(ctx, line, x.min, x.max, scale);
      ctx.stroke();
    }
    ctx.restore();
  }
}

/** A small chart has no axes, but the line at rest. */
function drawZero(plot: uPlot, colour: string): void {
  const { ctx, bbox } = plot;
  ctx.fillStyle = colour;
  ctx.fillRect(bbox.left, bbox.top + Math.floor(bbox.height / 2), bbox.width, Math.max(1, devicePixelRatio));
}
