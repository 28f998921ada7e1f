// Press and hold to open: one opening for one unbroken hold, and never another before everything is released.
// A source is what presses ("pointer 3", "key Enter"): only what started a hold can continue or complete it.

/** Seconds: long enough that no touch in passing opens a door, short enough for somebody who means it. */
export const HOLD = 0.8;

/** Seconds between two ticks past which the hold was not watched (a busy page): a release may be waiting unseen. */
export const UNWATCHED = 0.4;

export type Hold =
  | { readonly phase: "idle" }
  | { readonly phase: "holding"; readonly source: string; readonly since: number; readonly watched: number }
  | { readonly phase: "spent"; readonly source: string };

export type HoldEvent =
  | { readonly kind: "pressed"; readonly source: string }
  | { readonly kind: "released"; readonly source: string }
  | { readonly kind: "ticked" }
  | { readonly kind: "cancelled" }; // focus lost, finger slid off, button disabled, page hidden

export const IDLE: Hold = { phase: "idle" };

type Rule = (hold: never, event: never, now: number) => [Hold, boolean];
type Holding = Extract<Hold, { phase: "holding" }>;
type Spent = Extract<Hold, { phase: "spent" }>;
type Sourced = { readonly source: string };

const stay = (hold: Hold): [Hold, boolean] => [hold, false];

function tick(hold: Holding, _: HoldEvent, now: number): [Hold, boolean] {
  if (now - hold.watched > UNWATCHED) return [IDLE, false];
  if (now - hold.since >= HOLD) return [{ phase: "spent", source: hold.source }, true];
  return [{ ...hold, watched: now }, false];
}

/** Each rule returns the next phase and whether the door is to be opened now. */
export const TABLE: Readonly<Record<Hold["phase"], Readonly<Record<HoldEvent["kind"], Rule>>>> = {
  idle: {
    pressed: (_: Hold, event: Sourced, now) => [
      { phase: "holding", source: event.source, since: now, watched: now },
      false,
    ],
    released: stay,
    ticked: stay,
    cancelled: stay,
  },
  holding: {
    pressed: stay,
    // A release is a change of mind, even when it comes late: only a tick with the button down opens.
    released: (hold: Holding, event: Sourced) => (event.source === hold.source ? [IDLE, false] : [hold, false]),
    ticked: tick,
    cancelled: () => [IDLE, false],
  },
  spent: {
    pressed: stay,
    released: (hold: Spent, event: Sourced) => (event.source === hold.source ? [IDLE, false] : [hold, false]),
    ticked: stay,
    cancelled: () => [IDLE, false],
  },
};

/** Decide one event: the next phase, and whether to open the door. */
export function hold(state: Hold, event: HoldEvent, now: number): [Hold, boolean] {
  return TABLE[state.phase][event.kind](state as never, event as never, now);
}
