import { expect, test } from "vitest";
import { decide, EMPTY, type PictureCommand, type PictureEvent, type Slot } from "../src/model/picture";

type Event = PictureEvent<number, string>;

const arrived = (frame: number): Event => ({ kind: "arrived", frame });
const decoded = (picture: string): Event => ({ kind: "decoded", picture });
const repainting: Event = { kind: "repainting" };
const undecodable: Event = { kind: "undecodable" };

function spell(command: PictureCommand<number, string>): string {
  switch (command.kind) {
    case "decode":
      return `decode ${command.frame}`;
    case "draw":
      return `draw ${command.picture} of ${command.frame}`;
    case "free":
      return `free ${command.picture}`;
    default:
      return command.kind;
  }
}

function play(...events: Event[]): { commands: string[]; slot: Slot<number, string> } {
  let slot: Slot<number, string> = EMPTY;
  const commands: string[] = [];
  for (const event of events) {
    const [next, more] = decide(slot, event);
    slot = next;
    commands.push(...more.map(spell));
  }
  return { commands, slot };
}

test("a frame is decoded, waits for the repaint and is drawn", () => {
  expect(play(arrived(1), decoded("a"), repainting)).toEqual({
    commands: ["decode 1", "requestRepaint", "draw a of 1"],
    slot: EMPTY,
  });
});

test("while one frame is decoded only the newest of those that arrive is kept", () => {
  expect(play(arrived(1), arrived(2), arrived(3), arrived(4), decoded("a")).commands).toEqual([
    "decode 1",
    "requestRepaint",
    "decode 4",
  ]);
});

test("a picture that no repaint has fetched yet is freed for the newer one, with one repaint for both", () => {
  const { commands } = play(arrived(1), decoded("a"), arrived(2), decoded("b"), repainting);
  expect(commands).toEqual(["decode 1", "requestRepaint", "decode 2", "free a", "draw b of 2"]);
});

test("a frame that is no picture is passed over", () => {
  expect(play(arrived(1), arrived(2), undecodable, decoded("b"), repainting).commands).toEqual([
    "decode 1",
    "decode 2",
    "requestRepaint",
    "draw b of 2",
  ]);
  expect(play(arrived(1), undecodable).slot).toEqual(EMPTY);
});

test("a repaint with nothing new draws nothing", () => {
  expect(play(repainting)).toEqual({ commands: [], slot: EMPTY });
});

test("in any order of events every decoded picture is drawn or freed exactly once, but for the one that waits", () => {
  let random = 1;
  const next = (below: number): number => {
    random = (random * 48271) % 2147483647;
    return random % below;
  };
  for (let round = 0; round < 200; round++) {
    let slot: Slot<number, string> = EMPTY;
    const made = new Set<string>();
    const gone: string[] = [];
    let repaint = false;
    for (let n = 0; n < 60; n++) {
      const choices: Event[] = [arrived(n)];
      if (slot.decoding !== null) choices.push(decoded(`p${n}`), undecodable);
      if (repaint) choices.push(repainting);
      const event = choices[next(choices.length)] as Event;
      if (event.kind === "decoded") made.add(event.picture);
      if (event.kind === "repainting") repaint = false;
      const [after, commands] = decide<number, string>(slot, event);
      slot = after;
      for (const command of commands) {
        if (command.kind === "requestRepaint") {
          expect(repaint).toBe(false);
          repaint = true;
        }
        if (command.kind === "draw" || command.kind === "free") gone.push(command.picture);
      }
    }
    expect(new Set(gone).size).toBe(gone.length);
    expect(made.size - gone.length).toBe(slot.ready === null ? 0 : 1);
  }
});
