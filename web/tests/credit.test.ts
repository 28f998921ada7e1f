import { expect, test } from "vitest";
import { decide, NOTHING, type Screen, type ScreenCommand, type ScreenEvent } from "../src/model/credit";

class Play {
  screen: Screen = NOTHING;
  commands: string[] = [];

  on(...events: ScreenEvent[]): string[] {
    this.commands = [];
    for (const event of events) {
      const [screen, commands] = decide(this.screen, event);
      this.screen = screen;
      this.commands.push(...commands.map(spell));
    }
    return this.commands;
  }
}

function spell(command: ScreenCommand): string {
  switch (command.kind) {
    case "watch": {
      const { tile, camera, rate, ahead } = command.watch;
      return `watch ${tile} ${camera} rate ${rate} ahead ${ahead} at ${command.place}`;
    }
    case "cancel":
      return `cancel ${command.tile}`;
    case "credit":
      return `credit ${JSON.stringify(command.painted)}`;
    default:
      return command.kind;
  }
}

const joined: ScreenEvent = { kind: "joined" };
const lost: ScreenEvent = { kind: "lost" };
const flushing: ScreenEvent = { kind: "flushing" };
const hidden: ScreenEvent = { kind: "tab", isSeen: false };
const seen: ScreenEvent = { kind: "tab", isSeen: true };
const mounted = (place: number, camera = "yard"): ScreenEvent => ({ kind: "mounted", place, camera });
const unmounted = (place: number): ScreenEvent => ({ kind: "unmounted", place });
const inView = (place: number, width: number | null = 320): ScreenEvent => ({ kind: "inView", place, width });
const painted = (tile: number, sequence: number): ScreenEvent => ({ kind: "painted", tile, sequence });
const ended = (tile: number): ScreenEvent => ({ kind: "ended", tile });

function watching(): Play {
  const play = new Play();
  play.on(joined, mounted(7), mounted(8, "hall"), inView(7), inView(8));
  return play;
}

test("a tile is watched once it is in view and the session is joined", () => {
  const play = new Play();
  expect(play.on(mounted(7), inView(7))).toEqual([]);
  expect(play.on(joined)).toEqual(["watch 1 yard rate null ahead 1 at 7"]);
  expect(play.on(mounted(8, "hall"))).toEqual([]);
  expect(play.on(inView(8))).toEqual(["watch 2 hall rate null ahead 1 at 8"]);
  expect(play.on(inView(8))).toEqual([]);
});

test("a small tile takes fewer pictures, a large one is sent the next while it paints", () => {
  const play = new Play();
  play.on(joined, mounted(7), mounted(8));
  expect(play.on(inView(7, 180))).toEqual(["watch 1 yard rate 10 ahead 1 at 7"]);
  expect(play.on(inView(8, 1200))).toEqual(["watch 2 yard rate null ahead 2 at 8"]);
});

test("a tile that is scrolled away, or unmounted, costs nothing; back in view it is watched anew", () => {
  const play = watching();
  expect(play.on(inView(7, null))).toEqual(["cancel 1"]);
  expect(play.on(inView(7))).toEqual(["watch 3 yard rate null ahead 1 at 7"]);
  expect(play.on(unmounted(7))).toEqual(["cancel 3"]);
  expect(play.on(inView(7))).toEqual([]);
  expect(play.screen.places.size).toBe(1);
});

test("a tab that nobody sees watches nothing", () => {
  const play = watching();
  expect(play.on(hidden)).toEqual(["cancel 1", "cancel 2"]);
  expect(play.on(mounted(9), inView(9))).toEqual([]);
  expect(play.on(seen)).toHaveLength(3);
});

test("credit of all that was painted together goes back in one message, the newest of each", () => {
  const play = watching();
  expect(play.on(painted(1, 5), painted(2, 80), painted(1, 6))).toEqual(["requestFlush"]);
  expect(play.on(flushing)).toEqual(["credit [[1,6],[2,80]]"]);
  expect(play.on(flushing)).toEqual([]);
  expect(play.on(painted(1, 7))).toEqual(["requestFlush"]);
});

test("what is painted late for a tile that is not watched any more gives no credit", () => {
  const play = watching();
  play.on(painted(1, 5));
  play.on(inView(7, null));
  expect(play.on(painted(1, 6), flushing)).toEqual([]);
  expect(play.on(inView(7), painted(1, 6))).toEqual(["watch 3 yard rate null ahead 1 at 7"]);
});

test("after a reconnection everything is watched anew, under other numbers, and old credit is forgotten", () => {
  const play = watching();
  play.on(painted(1, 5));
  expect(play.on(lost)).toEqual([]);
  expect(play.on(flushing, inView(8, null), inView(8), hidden, seen)).toEqual([]);
  expect(play.on(joined)).toEqual(["watch 3 yard rate null ahead 1 at 7", "watch 4 hall rate null ahead 1 at 8"]);
});

test("a tile that the server ended is not asked for again in this session", () => {
  const play = watching();
  expect(play.on(painted(1, 5), ended(1), flushing)).toEqual(["requestFlush"]);
  expect(play.on(inView(7, null), inView(7), hidden, seen)).toEqual([
    "cancel 2",
    "watch 3 hall rate null ahead 1 at 8",
  ]);
  expect(play.on(ended(1))).toEqual([]);
  expect(play.on(lost, joined)).toHaveLength(2);
});
