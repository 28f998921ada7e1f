// One point's motion as a line: a buffer that keeps the newest, and the strokes that draw it. Nothing is copied to draw.

/** Two columns of one line, ascending in x; a value that is NaN was not seen. */
export interface Line {
  readonly x: ArrayLike<number>;
  readonly v: ArrayLike<number>;
}

/** The newest samples of one point, at most `most` of them. */
export class Trace implements Line {
  readonly most: number;
  // Twice as long as what is kept: what is kept lies in one piece, and is moved to the front once in `most` samples.
  readonly #x: Float64Array;
  readonly #v: Float32Array;
  #from = 0;
  #to = 0;

  constructor(most: number) {
    this.most = most;
    this.#x = new Float64Array(2 * most);
    this.#v = new Float32Array(2 * most);
  }

  get length(): number {
    return this.#to - this.#from;
  }

  get x(): Float64Array {
    return this.#x.subarray(this.#from, this.#to);
  }

  get v(): Float32Array {
    return this.#v.subarray(this.#from, this.#to);
  }

  /** The x of the newest, or null. */
  get newest(): number | null {
    return this.length === 0 ? null : (this.#x[this.#to - 1] ?? null);
  }

  /** Take a sample in; one that comes late goes where it belongs. */
  add(x: number, v: number): void {
    if (this.#to === this.#x.length) this.#compact(0);
    let at = this.#to;
    while (at > this.#from && (this.#x[at - 1] ?? 0) > x) at--;
    if (at < this.#to) {
      this.#x.copyWithin(at + 1, at, this.#to);
      this.#v.copyWithin(at + 1, at, this.#to);
    }
    this.#x[at] = x;
    this.#v[at] = v;
    this.#to++;
    if (this.length > this.most) this.#from++;
  }

  /** Take in what was before everything that is here; what overlaps is left out. */
  before({ x, v }: Line): void {
    const first = this.length > 0 ? (this.#x[this.#from] ?? 0) : Number.POSITIVE_INFINITY;
    let to = x.length;
    while (to > 0 && (x[to - 1] ?? 0) >= first) to--;
    const from = Math.max(0, to - (this.most - this.length));
    this.#compact(to - from);
    this.#from = 0;
    for (let at = from; at < to; at++) {
      this.#x[at - from] = x[at] ?? 0;
      this.#v[at - from] = v[at] ?? Number.NaN;
    }
  }

  clear(): void {
    this.#from = this.#to = 0;
  }

  /** Move what is kept so that it begins at a place. */
  #compact(place: number): void {
    this.#x.copyWithin(place, this.#from, this.#to);
    this.#v.copyWithin(place, this.#from, this.#to);
    this.#to = place + this.length;
    this.#from = place;
  }
}

/** Return the first place at which x is no less. */
export function place(x: ArrayLike<number>, wanted: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Return the greatest absolute value between two x; 0 if there is none. */
export function farthest({ x, v }: Line, from: number, to: number): number {
  let most = 0;
  for (let at = place(x, from); at < x.length && (x[at] ?? 0) <= to; at++) {
    const size = Math.abs(v[at] ?? Number.NaN);
    if (size > most) most = size;
  }
  return most;
}

export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

/** Where a sample lies on the canvas: `x * across + left`, `v * up + middle`, in pixels. */
export interface Scale {
  readonly across: number;
  readonly left: number;
  readonly up: number;
  readonly middle: number;
}

/** Seconds without a sample over which no line is drawn: a camera at its slowest, 5 fps, leaves 0.2. */
export const GAP = 0.5;

/**
 * Draw a line between two x: no more strokes than the canvas has columns allow, and no peak is lost.
 *
 * Where the point was not seen, and where nothing came, there is a gap.
 */
export function stroke(pen: Pen, { x, v }: Line, from: number, to: number, scale: Scale): void {
  const { across, left, up, middle } = scale;
  let [open, column, low, high, last, before] = [false, 0, 0, 0, 0, Number.NEGATIVE_INFINITY];
  let [lastX, strokes] = [0, 0];
  const close = (): void => {
    if (!open) return;
    if (low !== high) {
      pen.lineTo(lastX, low);
      pen.lineTo(lastX, high);
      pen.lineTo(lastX, last);
    } else if (strokes === 0) pen.lineTo(lastX + 1, last); // one sample alone is a dot
  };
  // One more on either side: a line leaves the picture at its edge.
  const end = Math.min(x.length, place(x, to) + 1);
  for (let at = Math.max(0, place(x, from) - 1); at < end; at++) {
    const [moment, value] = [x[at] ?? 0, v[at] ?? Number.NaN];
    if (Number.isNaN(value) || moment - before > GAP) {
      close();
      open = false;
    }
    before = moment;
    if (Number.isNaN(value)) continue;
    const [px, py] = [moment * across + left, value * up + middle];
    if (open && Math.floor(px) === column) {
      if (py < low) low = py;
      if (py > high) high = py;
    } else {
      if (open) {
        if (low !== high) {
          pen.lineTo(lastX, low);
          pen.lineTo(lastX, high);
          pen.lineTo(lastX, last);
        }
        pen.lineTo(px, py);
        strokes++;
      } else {
        pen.moveTo(px, py);
        strokes = 0;
      }
      open = true;
      column = Math.floor(px);
      low = high = py;
      lastX = px;
    }
    last = py;
  }
  close();
}

/** Millimetres that the upright axis shows at least: noise isn't blown up to a quake. */
export const LEAST_REACH = 1;

/** Steps of the upright axis, times a power of ten. */
const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** Return a round number that is no less. */
function nice(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return (STEPS.find((step) => step * power >= least * 0.999999) ?? 10) * power;
}

/** Return how far the upright axis goes from zero: it grows at once, and shrinks only when there is room to spare. */
export function reach(before: number, most: number): number {
  const wanted = nice(Math.max(LEAST_REACH, most * 1.05));
  return wanted >= before ? wanted : Math.min(before, nice(Math.max(LEAST_REACH, most * 1.4)));
}
