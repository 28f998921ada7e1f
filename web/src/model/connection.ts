// Are we connected to the server? One table: (phase, event) -> phase and commands. It never gives up; without a
// connection nothing on the page is known, so every way out of "open" is decided here and nowhere else.

import type { Identity } from "./identity";

export type Phase = "asking" | "signedOut" | "choosing" | "dialling" | "open" | "waiting";

export type ConnectionEvent =
  | { readonly kind: "recognised"; readonly identity: Identity } // the server knows our cookie
  | { readonly kind: "unrecognised" }
  | { readonly kind: "mustChoose"; readonly identity: Identity } // by the one-time link: a password must be chosen first
  | { readonly kind: "unreachable" }
  | { readonly kind: "joined" } // the WAMP session is open
  | { readonly kind: "lost" } // the WebSocket closed, or the router refused the session
  | { readonly kind: "elapsed" } // the phase's own patience is over; in "open": the server fell silent
  | { readonly kind: "loggedIn" }
  | { readonly kind: "loggedOut" };

export type Command = "ask" | "dial" | "hangUp";

export interface Connection {
  readonly phase: Phase;
  readonly identity: Identity | null;
  /** When the connection was last lost, by our clock; the page's start before the first one; null while open. */
  readonly lostSince: number | null;
  /** Attempts since the connection was last open. */
  readonly attempt: number;
}

interface Step {
  readonly to: Phase;
  readonly commands: readonly Command[];
}

type Kind = ConnectionEvent["kind"];

const go = (to: Phase, ...commands: Command[]): Step => ({ to, commands });

/** null: the event means nothing in this phase, such as an answer that comes after its deadline. */
export const TABLE: Readonly<Record<Phase, Readonly<Record<Kind, Step | null>>>> = {
  asking: {
    recognised: go("dialling", "dial"),
    unrecognised: go("signedOut"),
    mustChoose: go("choosing"),
    unreachable: go("waiting"),
    joined: null,
    lost: null,
    elapsed: go("waiting"),
    loggedIn: null,
    loggedOut: go("signedOut"),
  },
  signedOut: {
    recognised: null,
    unrecognised: null,
    mustChoose: null,
    unreachable: null,
    joined: null,
    lost: null,
    elapsed: null,
    loggedIn: go("asking", "ask"),
    loggedOut: null,
  },
  choosing: {
    recognised: null,
    unrecognised: null,
    mustChoose: null,
    unreachable: null,
    joined: null,
    lost: null,
    elapsed: null,
    loggedIn: go("asking", "ask"), // what was chosen is good
    loggedOut: go("signedOut"),
  },
  dialling: {
    recognised: null,
    unrecognised: null,
    mustChoose: null,
    unreachable: null,
    joined: go("open"),
    lost: go("waiting"),
    elapsed: go("waiting", "hangUp"),
    loggedIn: null,
    loggedOut: go("signedOut", "hangUp"),
  },
  open: {
    recognised: null,
    unrecognised: null,
    mustChoose: null,
    unreachable: null,
    joined: null,
    lost: go("waiting"),
    elapsed: go("waiting", "hangUp"),
    loggedIn: null,
    loggedOut: go("signedOut", "hangUp"),
  },
  waiting: {
    recognised: null,
    unrecognised: null,
    mustChoose: null,
    unreachable: null,
    joined: null,
    lost: null,
    elapsed: go("asking", "ask"),
    loggedIn: null,
    loggedOut: go("signedOut"),
  },
};

/** Return the connection of a page that was just opened, and what to do first. */
export function begin(now: number): [Connection, readonly Command[]] {
  return [{ phase: "asking", identity: null, lostSince: now, attempt: 0 }, ["ask"]];
}

/** Decide one event. */
export function decide(connection: Connection, event: ConnectionEvent, now: number): [Connection, readonly Command[]] {
  const step = TABLE[connection.phase][event.kind];
  if (step === null) return [connection, []];
  const identity = "identity" in event ? event.identity : step.to === "signedOut" ? null : connection.identity;
  const next: Connection = {
    phase: step.to,
    identity,
    lostSince: step.to === "open" ? null : (connection.lostSince ?? now),
    attempt:
      step.to === "open" || step.to === "signedOut" || step.to === "choosing"
        ? 0
        : connection.attempt + (step.to === "waiting" ? 1 : 0),
  };
  return [next, step.commands];
}

/** An answer to a small request on one network takes milliseconds; past this, another attempt serves better. */
const ANSWER_WITHIN = 5;

const FIRST_WAIT = 0.5;
const LONGEST_WAIT = 5;
const GROWTH = 1.6;

/**
 * Return how long a phase may last before "elapsed", in seconds, or null for ever.
 *
 * `chance` in [0, 1) spreads the attempts of many pages when their server comes back.
 */
export function patience(connection: Connection, chance: number): number | null {
  switch (connection.phase) {
    case "asking":
    case "dialling":
      return ANSWER_WITHIN;
    case "waiting": {
      const wait = FIRST_WAIT * GROWTH ** (connection.attempt - 1) * (0.9 + 0.2 * chance);
      return Math.min(LONGEST_WAIT, Math.max(FIRST_WAIT, wait));
    }
    default:
      return null;
  }
}
