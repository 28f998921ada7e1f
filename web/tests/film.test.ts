import { expect, test } from "vitest";
import {
  bundleOf,
  film,
  gaps,
  keyEvent,
  type Player,
  type PlayerEvent,
  play,
  startPlayer,
  viewLane,
  wholeness,
} from "../src/model/film";
import { bundle, picture, T0 } from "./fixtures";

const shot = film(bundle());
const [entrance, yard] = shot.lanes as [(typeof shot.lanes)[0], (typeof shot.lanes)[0]];

test("details that hold no bundle are none", () => {
  expect(bundleOf({ latency: 0.1 })).toBeNull();
  expect(bundleOf(null)).toBeNull();
  expect(bundleOf({ ...bundle() })).toEqual(bundle());
});

test("pictures lie on a time axis relative to the action, in a lane per camera", () => {
  expect([shot.from, shot.to]).toEqual([-2, 2]);
  expect(shot.lanes.map(({ camera, frames }) => [camera, frames.map(({ at }) => at)])).toEqual([
    ["entrance", [-1.5, -0.5, 0.5, 1.5]],
    ["yard", [-1, 1.25]],
  ]);
  expect(shot.moments).toEqual([-1.5, -1, -0.5, 0.5, 1.25, 1.5]);
});

test("a camera without any picture has a lane all the same, and pictures out of order are put in order", () => {
  const cameras = { dark: { frames: 0, lost: 0, blind: [[T0 - 2, T0 + 2, "offline"]] as const } };
  const other = film(bundle({ cameras, pictures: [picture(2, "yard", 1), picture(1, "yard", -3)] }));
  expect(other.lanes.map(({ camera }) => camera)).toEqual(["dark", "yard"]);
  expect(other.lanes[1]?.frames.map(({ number }) => number)).toEqual([1, 2]);
  expect(other.from).toBe(-3);
});

function after(player: Player, ...events: PlayerEvent[]): Player {
  return events.reduce((state, event) => play(shot, state, event), player);
}
const start = startPlayer(shot);
const step = (by: 1 | -1): PlayerEvent => ({ kind: "stepped", by });

test("the player stands at the action and steps from picture to picture of any camera, both ways, to the ends", () => {
  expect(start).toEqual({ at: 0, playing: false });
  expect(after(start, step(1)).at).toBe(0.5);
  expect(after(start, step(1), step(1)).at).toBe(1.25);
  expect(after(start, step(-1), step(-1)).at).toBe(-1);
  expect(after(start, ...Array.from({ length: 9 }, () => step(1))).at).toBe(2);
  expect(after(start, ...Array.from({ length: 9 }, () => step(-1))).at).toBe(-2);
});

test("it plays with the clock, stops at the end, and plays from the start again", () => {
  const playing = after(start, { kind: "toggled" });
  expect(playing.playing).toBe(true);
  expect(after(playing, { kind: "ticked", seconds: 0.1 }).at).toBeCloseTo(0.1);
  let ended = playing;
  for (let n = 0; n < 30; n++) ended = play(shot, ended, { kind: "ticked", seconds: 0.1 });
  expect(ended).toEqual({ at: 2, playing: false });
  expect(after(ended, { kind: "toggled" })).toEqual({ at: -2, playing: true });
});

test("a tab that slept doesn’t jump over the action", () => {
  const playing = after(start, { kind: "jumped", to: "start" }, { kind: "toggled" });
  expect(after(playing, { kind: "ticked", seconds: 60 }).at).toBe(-1.75);
});

test("stepping, scrubbing and jumping stop the playing, and stay on the axis", () => {
  const playing = after(start, { kind: "toggled" });
  for (const event of [step(1), { kind: "scrubbed", at: 1 }, { kind: "jumped", to: "end" }] as PlayerEvent[])
    expect(after(playing, event).playing).toBe(false);
  expect(after(start, { kind: "scrubbed", at: 99 }).at).toBe(2);
  expect(after(start, { kind: "ticked", seconds: 0.1 })).toEqual(start);
});

test("keys work the player, and others are left alone", () => {
  expect(keyEvent(" ")).toEqual({ kind: "toggled" });
  expect(keyEvent("ArrowLeft")).toEqual({ kind: "stepped", by: -1 });
  expect(keyEvent("0")).toEqual({ kind: "jumped", to: "action" });
  expect(keyEvent("Tab")).toBeNull();
});

test("a lane shows its newest picture up to the moment", () => {
  expect(viewLane(entrance, 0).frame?.at).toBe(-0.5);
  expect(viewLane(entrance, 0.5)).toMatchObject({ frame: { at: 0.5 }, present: true, notice: null });
  expect(viewLane(entrance, -1.9)).toMatchObject({ frame: null, notice: "No picture up to here" });
});

test("while a camera was blind its last picture is not taken for the present, and why is said", () => {
  expect(viewLane(yard, -0.75)).toMatchObject({ present: true });
  expect(viewLane(yard, 0)).toMatchObject({
    frame: { at: -1 },
    present: false,
    notice: "Blind for 1.5 s, from −0.5 s to +1.0 s: no picture came",
  });
  expect(viewLane(yard, 1.25)).toMatchObject({ present: true, frame: { at: 1.25 } });
});

test("a picture that is much older than the moment is said to be so", () => {
  const sparse = film(bundle({ from: T0 - 5, pictures: [picture(1, "entrance", -4)] })).lanes[0] as typeof entrance;
  expect(viewLane(sparse, -1)).toMatchObject({ present: false, notice: "The newest picture here is 3.0 s older" });
});

test("a camera without pictures says that it has none", () => {
  const none = film(bundle({ pictures: [] })).lanes[0] as typeof entrance;
  expect(viewLane(none, 0).notice).toBe("This camera has no picture of it");
});

test("gaps and losses are said in words", () => {
  expect(gaps(yard)).toEqual(["Blind for 1.5 s, from −0.5 s to +1.0 s: no picture came"]);
  expect(gaps({ ...entrance, lost: 3 })).toEqual(["3 pictures could not be kept"]);
});

test("a bundle that isn’t whole says so plainly, with its reasons", () => {
  const { entrance: seeing } = bundle().cameras as { entrance: { frames: number; lost: number; blind: [] } };
  expect(wholeness(bundle({ cameras: { entrance: seeing } }))).toMatchObject({ whole: true });
  expect(wholeness(bundle())).toMatchObject({ whole: false, text: expect.stringContaining("they were blind") });
  expect(wholeness(bundle({ pictures: [] })).text).toContain("There is no picture of it");
  expect(wholeness(bundle({ state: "open" })).text).toContain("still being taken");
  expect(wholeness(bundle({ state: "partial", reasons: ["the server was stopped"] }))).toEqual({
    whole: false,
    text: "Not all pictures are there: the server was stopped.",
  });
  expect(wholeness(bundle({ state: "partial" })).text).toBe("Not all pictures are there.");
});
