// A door's card: what the lock last said, how old that is, and what may be asked of it now.
// There is no door sensor: "unlocked" means that the relay is, and the card says so.

import { type Clock, serverTime } from "./clock";
import type { DoorState, DoorStatus, Tone } from "./types";
import { duration, moment, sentence } from "./words";

export type Order = "open" | "lock";

export interface Card {
  readonly status: DoorStatus;
  /** Orders on their way to the server and back. */
  readonly pending: Order | null;
  /** The last order's failure, in the server's own sentence, until the next order. */
  readonly failure: { readonly order: Order; readonly text: string; readonly time: number } | null;
}

export function card(status: DoorStatus, before?: Card): Card {
  return before ? { ...before, status } : { status, pending: null, failure: null };
}

export function ordered(state: Card, order: Order): Card {
  return { ...state, pending: order, failure: null };
}

export function answered(state: Card, order: Order): Card {
  return state.pending === order ? { ...state, pending: null } : state;
}

export function failed(state: Card, order: Order, text: string, now: number): Card {
  return { ...answered(state, order), failure: { order, text, time: now } };
}

interface Face {
  readonly word: string;
  readonly tone: Tone;
  /** Why the door can't be opened in this state, or null when it can be asked. */
  readonly why: string | null;
}

export const FACES: Readonly<Record<DoorState, Face>> = {
  locked: { word: "Locked", tone: "calm", why: null },
  unlocking: { word: "Unlocking…", tone: "busy", why: "The lock has been told to open and has not answered yet." },
  unlocked: { word: "Unlocked (relay)", tone: "attention", why: null },
  locking: { word: "Locking…", tone: "busy", why: "The lock has been told to lock and has not answered yet." },
  jammed: { word: "Jammed", tone: "alarm", why: "The lock says that it is still open; it is being locked." },
  unknown: { word: "Unknown", tone: "unknown", why: "The lock has not said yet whether it is locked." },
  unavailable: { word: "Unavailable", tone: "unknown", why: "The lock is not connected to the server." },
};

const SOURCES: Readonly<Record<string, string>> = {
  acknowledgement: "the lock’s answer",
  status: "the lock’s STATUS",
  broadcast: "the lock’s report",
};

function provenance(status: DoorStatus, now: number): string {
  const said = SOURCES[status.source];
  if (status.confirmed === null) return "Never confirmed by the lock";
  const old = duration(now - status.confirmed);
  return said ? `Confirmed ${old} ago by ${said}` : `Not confirmed; the lock last answered ${old} ago`;
}

export interface LeaseView {
  /** 1 when granted, 0 when over; null when nothing is granted. */
  readonly left: number | null;
  readonly text: string;
}

function lease(status: DoorStatus, now: number): LeaseView {
  if (status.lease === null)
    return { left: null, text: `An opening lasts ${Number(status.default_duration.toFixed(1))} s` };
  const { ends, duration: whole, holder } = status.lease;
  const seconds = ends - now;
  if (seconds <= 0) return { left: 0, text: "Time is up: it is being locked" };
  const text = `Locks itself in ${duration(seconds)}`;
  return { left: Math.min(1, whole > 0 ? seconds / whole : 0), text: holder ? `${text} · opened by ${holder}` : text };
}

function history(status: DoorStatus, now: number): string {
  const since = `${sentence(status.state)} since ${moment(status.since, now)}`;
  // On its way the state says all there is, and a longer line for a tenth of a second would move the buttons.
  return status.reason && FACES[status.state].tone !== "busy" ? `${since} – ${status.reason}` : since;
}

export interface CardView {
  readonly state: DoorState;
  readonly word: string;
  readonly tone: Tone;
  readonly provenance: string;
  readonly history: string;
  readonly signal: { readonly text: string; readonly bars: number } | null;
  readonly lease: LeaseView;
  readonly openLabel: string;
  /** Why the door can't be opened now; null when it can. */
  readonly whyNotOpen: string | null;
  readonly canLock: boolean;
  readonly failure: string | null;
}

const BARS: Readonly<Record<string, number>> = { EXCELLENT: 3, GOOD: 2, WEAK: 1 };

function complaint({ failure }: Card, clock: Clock, now: number): string | null {
  if (failure === null) return null;
  const time = moment(serverTime(clock, failure.time), serverTime(clock, now));
  return `${time} · ${sentence(failure.text)}`;
}

/** Return a card about which nothing is known, because the server can't be asked. */
function unknownCard(state: Card, lostSince: number, clock: Clock, now: number): CardView {
  return {
    state: "unknown",
    word: FACES.unknown.word,
    tone: "unknown",
    provenance: "Not known: no connection to the server",
    history: `since ${moment(serverTime(clock, lostSince), serverTime(clock, now))}`,
    signal: null,
    lease: { left: null, text: "Whether an opening is running is not known" },
    openLabel: "Hold to open",
    whyNotOpen: "There is no connection to the server.",
    canLock: false,
    failure: complaint(state, clock, now),
  };
}

function whyNotOpen(state: Card): string | null {
  if (state.pending !== null) return "An order is on its way to the lock.";
  if (!state.status.connected) return "The lock is not connected to the server.";
  return FACES[state.status.state].why;
}

/** Return what the card shows; `lostSince` is when the connection to the server was lost (our clock), null while open. */
export function viewCard(state: Card, lostSince: number | null, clock: Clock, now: number): CardView {
  if (lostSince !== null) return unknownCard(state, lostSince, clock, now);
  const today = serverTime(clock, now);
  const { status } = state;
  const face = FACES[status.state];
  return {
    state: status.state,
    word: face.word,
    tone: face.tone,
    provenance: provenance(status, today),
    history: history(status, today),
    signal: status.signal && {
      text: `${status.signal.level.toLowerCase()} · ${status.signal.rssi < 0 ? "−" : ""}${Math.abs(status.signal.rssi)} dBm`,
      bars: BARS[status.signal.level] ?? 0,
    },
    lease: lease(status, today),
    openLabel: status.state === "unlocked" ? "Hold to keep open" : "Hold to open",
    whyNotOpen: whyNotOpen(state),
    canLock: true,
    failure: complaint(state, clock, now),
  };
}
