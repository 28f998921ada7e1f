import { expect, test } from "vitest";
import { farthest, GAP, LEAST_REACH, type Line, type Pen, place, reach, stroke, Trace } from "../src/model/trace";

/** A pen that remembers: "M" where it is put down, "L" where it draws to. */
class Paper implements Pen {
  readonly drawn: (readonly ["M" | "L", number, number])[] = [];
  moveTo(x: number, y: number): void {
    this.drawn.push(["M", x, y]);
  }
  lineTo(x: number, y: number): void {
    this.drawn.push(["L", x, y]);
  }
  get pieces(): number {
    return this.drawn.filter(([verb]) => verb === "M").length;
  }
}

const PLAIN = { across: 100, left: 0, up: -1, middle: 0 };

function draw(line: Line, from = 0, to = 10, scale = PLAIN): Paper {
  const paper = new Paper();
  stroke(paper, line, from, to, scale);
  return paper;
}

function filled(most: number, ...samples: readonly (readonly [number, number])[]): Trace {
  const trace = new Trace(most);
  for (const [x, v] of samples) trace.add(x, v);
  return trace;
}

test("samples are kept in their order, the newest of them, however many come", () => {
  const trace = new Trace(5);
  for (let at = 0; at < 103; at++) {
    trace.add(at, at * 2);
    expect(trace.length).toBe(Math.min(5, at + 1));
    expect(trace.newest).toBe(at);
  }
  expect([...trace.x]).toEqual([98, 99, 100, 101, 102]);
  expect([...trace.v]).toEqual([196, 198, 200, 202, 204]);
});

test("a sample that comes late goes where it belongs, at every turn of the buffer", () => {
  for (let many = 2; many < 25; many++) {
    const trace = new Trace(6);
    for (let at = 0; at < many; at++) trace.add(at * 2, at);
    trace.add(many * 2 - 3, 99); // between the last two
    const xs = [...trace.x];
    expect(xs).toEqual([...xs].sort((one, other) => one - other));
    expect(trace.v[xs.indexOf(many * 2 - 3)]).toBe(99);
    expect(trace.newest).toBe(many * 2 - 2);
  }
});

test("one that is older than all that is kept by a full buffer is dropped", () => {
  const trace = filled(3, [5, 1], [6, 2], [7, 3]);
  trace.add(1, 9);
  expect([...trace.x]).toEqual([5, 6, 7]);
});

test("what was before goes in front, without what is there already, and as much as there is room for", () => {
  const trace = filled(5, [3, 30], [4, 40]);
  trace.before({ x: [0, 1, 2, 3, 4], v: [0, 10, 20, -1, -1] });
  expect([...trace.x]).toEqual([0, 1, 2, 3, 4]);
  expect([...trace.v]).toEqual([0, 10, 20, 30, 40]);
  trace.before({ x: [-1], v: [7] });
  expect(trace.length).toBe(5);
  const narrow = filled(3, [3, 30]);
  narrow.before({ x: [0, 1, 2], v: [0, 10, 20] });
  expect([...narrow.x]).toEqual([1, 2, 3]);
});

test("what was before goes into an empty buffer, and into one that was cleared and moved", () => {
  const empty = new Trace(4);
  empty.before({ x: [1, 2], v: [3, 4] });
  expect([...empty.v]).toEqual([3, 4]);
  const used = new Trace(4);
  for (let at = 0; at < 11; at++) used.add(at, at);
  used.clear();
  expect([used.length, used.newest]).toEqual([0, null]);
  used.add(9, 9);
  used.before({ x: [7, 8], v: [7, 8] });
  expect([...used.x]).toEqual([7, 8, 9]);
  used.add(10, 10);
  used.add(11, 11);
  expect([...used.x]).toEqual([8, 9, 10, 11]);
});

test("a place is found by halving", () => {
  expect([-1, 0, 0.5, 1, 3, 9].map((x) => place([0, 1, 1, 3], x))).toEqual([0, 0, 1, 1, 3, 4]);
});

test("the farthest is of what is seen, and of what was detected", () => {
  const line = { x: [0, 1, 2, 3], v: [-50, 3, Number.NaN, -7] };
  expect(farthest(line, 1, 3)).toBe(7);
  expect(farthest(line, 0, 3)).toBe(50);
  expect(farthest(line, 2, 2.5)).toBe(0);
});

test("a line goes through every sample where there is room", () => {
  const paper = draw({ x: [1, 1.1, 1.2], v: [0, 5, -5] });
  expect(paper.drawn.map(([verb, x, y]) => [verb, Math.round(x), y])).toEqual([
    ["M", 100, 0],
    ["L", 110, -5],
    ["L", 120, 5],
  ]);
});

test("where a point was not seen there is a gap, never a line across it", () => {
  const paper = draw({ x: [1, 1.1, 1.2, 1.3, 1.4], v: [1, 2, Number.NaN, 3, 4] });
  expect(paper.pieces).toBe(2);
  const across = paper.drawn.some(([verb, x], at) => verb === "L" && x - (paper.drawn[at - 1]?.[1] ?? x) > 15);
  expect(across).toBe(false);
});

test("where nothing came for a while there is a gap too", () => {
  expect(draw({ x: [1, 1 + GAP * 0.9], v: [1, 2] }).pieces).toBe(1);
  expect(draw({ x: [1, 1 + GAP * 1.1], v: [1, 2] }).pieces).toBe(2);
});

test("a sample alone between gaps is a dot", () => {
  const paper = draw({ x: [1, 2, 3], v: [Number.NaN, 7, Number.NaN] });
  expect(paper.drawn).toEqual([
    ["M", 200, -7],
    ["L", 201, -7],
  ]);
});

test("many samples on few columns make few strokes, and no peak is lost", () => {
  const many = 20_000;
  const x = Array.from({ length: many }, (_, at) => (at / many) * 10);
  const v = x.map((t) => Math.sin(t * 30));
  v[7777] = 55;
  v[3300] = -66;
  const paper = draw({ x, v }, 0, 10, { across: 30, left: 0, up: -1, middle: 0 });
  expect(paper.drawn.length).toBeLessThan(4 * 300 + 10);
  expect(Math.min(...paper.drawn.map(([, , y]) => y))).toBe(-55);
  expect(Math.max(...paper.drawn.map(([, , y]) => y))).toBe(66);
});

test("only what is in the window is drawn, and one more on either side", () => {
  const x = Array.from({ length: 100 }, (_, at) => at / 10);
  const paper = draw({ x, v: x.map(() => 1) }, 3, 4);
  const drawn = paper.drawn.map(([, px]) => px / 100);
  expect(Math.min(...drawn)).toBeCloseTo(2.9);
  expect(Math.max(...drawn)).toBeCloseTo(4);
  expect(drawn.length).toBeLessThan(15);
});

test("the axis grows at once, shrinks only with room to spare, and blows up no noise", () => {
  expect(reach(0, 0)).toBe(LEAST_REACH);
  expect(reach(0, 10.4)).toBe(15);
  expect(reach(15, 16)).toBe(20);
  expect(reach(15, 13)).toBe(15);
  expect(reach(15, 10)).toBe(15); // 14 would still be wanted soon
  expect(reach(15, 2)).toBe(3);
  for (let most = 0.1; most < 2000; most *= 1.07) expect(reach(0, most)).toBeGreaterThan(most);
});
