import { expect, test } from "vitest";
import { HOLD, type Hold, type HoldEvent, hold, IDLE, TABLE, UNWATCHED } from "../src/model/hold";

const press = (source = "pointer 1"): HoldEvent => ({ kind: "pressed", source });
const release = (source = "pointer 1"): HoldEvent => ({ kind: "released", source });
const tick: HoldEvent = { kind: "ticked" };
const cancel: HoldEvent = { kind: "cancelled" };

/** Play events at times; return the times at which the door was to be opened, and the last phase. */
function play(...script: readonly (readonly [number, HoldEvent])[]): { opened: number[]; phase: Hold["phase"] } {
  let state = IDLE;
  const opened: number[] = [];
  for (const [time, event] of script) {
    const [next, open] = hold(state, event, time);
    state = next;
    if (open) opened.push(time);
  }
  return { opened, phase: state.phase };
}

/** Ticks every 50 ms from one time to another. */
function watched(from: number, to: number): (readonly [number, HoldEvent])[] {
  const ticks = Math.round((to - from) / 0.05);
  return Array.from({ length: ticks + 1 }, (_, index) => [from + index * 0.05, tick] as const);
}

test("an unbroken hold opens once, when its time is full", () => {
  const { opened, phase } = play([0, press()], ...watched(0.05, 5));
  expect(opened).toHaveLength(1);
  expect(opened[0]).toBeGreaterThanOrEqual(HOLD);
  expect(opened[0]).toBeLessThan(HOLD + 0.06);
  expect(phase).toBe("spent");
});

test("a release before the time is full opens nothing, then or later", () => {
  expect(play([0, press()], ...watched(0.05, 0.75), [0.79, release()], ...watched(0.8, 3)).opened).toEqual([]);
});

test("a release that is seen before the due tick is a change of mind, even when it comes late", () => {
  expect(play([0, press()], ...watched(0.05, 0.75), [0.95, release()], [0.96, tick]).opened).toEqual([]);
});

test("two short holds do not add up", () => {
  const { opened } = play(
    [0, press()],
    ...watched(0.05, 0.6),
    [0.6, release()],
    [0.7, press()],
    ...watched(0.75, 1.4),
    [1.4, release()],
  );
  expect(opened).toEqual([]);
});

test("a second opening needs a release and a whole new hold", () => {
  const again = play([0, press()], ...watched(0.05, 1), [1.1, press()], ...watched(1.1, 3));
  expect(again.opened).toHaveLength(1);
  const renewed = play([0, press()], ...watched(0.05, 1), [1.1, release()], [1.2, press()], ...watched(1.25, 2.2));
  expect(renewed.opened).toHaveLength(2);
});

test("only what started a hold can end it, and nothing else shortens it", () => {
  const { opened } = play(
    [0, press("pointer 1")],
    ...watched(0.05, 0.4),
    [0.4, press("key Enter")],
    [0.45, release("key Enter")],
    ...watched(0.5, 0.9),
  );
  expect(opened).toHaveLength(1);
  expect(play([0, press("key  ")], [0.1, release("pointer 1")]).phase).toBe("holding");
});

test("losing the focus, the pointer or the page cancels a hold", () => {
  expect(play([0, press()], ...watched(0.05, 0.75), [0.78, cancel], ...watched(0.8, 2))).toEqual({
    opened: [],
    phase: "idle",
  });
});

test("a hold that the page was too busy to watch opens nothing", () => {
  expect(play([0, press()], ...watched(0.05, 0.2), [0.25 + UNWATCHED, tick], ...watched(0.7, 3)).opened).toEqual([]);
});

test("every event is decided in every phase, and only a tick of a full hold opens", () => {
  const states: Hold[] = [
    IDLE,
    { phase: "holding", source: "pointer 1", since: 0, watched: HOLD - 0.05 },
    { phase: "spent", source: "pointer 1" },
  ];
  const opening: string[] = [];
  for (const state of states)
    for (const event of [press(), release(), tick, cancel]) {
      expect(TABLE[state.phase][event.kind]).toBeTypeOf("function");
      if (hold(state, event, HOLD)[1]) opening.push(`${state.phase} ${event.kind}`);
    }
  expect(opening).toEqual(["holding ticked"]);
});
