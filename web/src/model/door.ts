// A door's card: what the lock last said, how old that is, and what may be asked of it now.
// There is no door sensor: "unlocked" means that the relay is, and the card says so.

import { type Clock, serverTime } from "./clock";
import { spoken } from "./language";
import type { DoorState, DoorStatus, Tone } from "./types";
import { duration, moment, seconds, sentence } from "./words";

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

const SAY = spoken(
  {
    words: {
      locked: "Locked",
      unlocking: "Unlocking…",
      unlocked: "Unlocked (relay)",
      locking: "Locking…",
      jammed: "Jammed",
      unknown: "Unknown",
      unavailable: "Unavailable",
    } satisfies Record<DoorState, string>,
    why: {
      unlocking: "The lock has been told to open and has not answered yet.",
      locking: "The lock has been told to lock and has not answered yet.",
      jammed: "The lock says that it is still open; it is being locked.",
      unknown: "The lock has not said yet whether it is locked.",
      unavailable: "The lock is not connected to the server.",
    },
    acknowledgement: "the lock’s answer",
    status: "the lock’s STATUS",
    broadcast: "the lock’s report",
    never: "Never confirmed by the lock",
    confirmed: (old: string, by: string) => `Confirmed ${old} ago by ${by}`,
    unconfirmed: (old: string) => `Not confirmed; the lock last answered ${old} ago`,
    lasts: (time: string) => `An opening lasts ${time}`,
    over: "Time is up: it is being locked",
    locksIn: (time: string) => `Locks itself in ${time}`,
    openedBy: (text: string, holder: string) => `${text} · opened by ${holder}`,
    since: (state: string, time: string) => `${state} since ${time}`,
    lost: "Not known: no connection to the server",
    lostSince: (time: string) => `since ${time}`,
    leaseUnknown: "Whether an opening is running is not known",
    hold: "Hold to open",
    keep: "Hold to keep open",
    noConnection: "There is no connection to the server.",
    pending: "An order is on its way to the lock.",
    signal: { EXCELLENT: "excellent", GOOD: "good", WEAK: "weak" } as Readonly<Record<string, string>>,
  },
  {
    words: {
      locked: "Terkunci",
      unlocking: "Membuka…",
      unlocked: "Terbuka (relai)",
      locking: "Mengunci…",
      jammed: "Macet",
      unknown: "Tidak diketahui",
      unavailable: "Tidak tersedia",
    },
    why: {
      unlocking: "Kunci sudah diperintahkan membuka dan belum menjawab.",
      locking: "Kunci sudah diperintahkan mengunci dan belum menjawab.",
      jammed: "Kunci melaporkan masih terbuka; sedang dikunci lagi.",
      unknown: "Kunci belum melaporkan apakah terkunci.",
      unavailable: "Kunci tidak terhubung ke server.",
    },
    acknowledgement: "jawaban kunci",
    status: "STATUS dari kunci",
    broadcast: "laporan kunci",
    never: "Belum pernah dikonfirmasi oleh kunci",
    confirmed: (old: string, by: string) => `Dikonfirmasi ${old} lalu oleh ${by}`,
    unconfirmed: (old: string) => `Belum dikonfirmasi; kunci terakhir menjawab ${old} lalu`,
    lasts: (time: string) => `Sekali buka berlangsung ${time}`,
    over: "Waktu habis: sedang dikunci",
    locksIn: (time: string) => `Mengunci sendiri dalam ${time}`,
    openedBy: (text: string, holder: string) => `${text} · dibuka oleh ${holder}`,
    since: (state: string, time: string) => `${state} sejak ${time}`,
    lost: "Tidak diketahui: tidak ada koneksi ke server",
    lostSince: (time: string) => `sejak ${time}`,
    leaseUnknown: "Tidak diketahui apakah pintu sedang dibuka",
    hold: "Tahan untuk buka pintu",
    keep: "Tahan agar tetap terbuka",
    noConnection: "Tidak ada koneksi ke server.",
    pending: "Perintah sedang dikirim ke kunci.",
    signal: { EXCELLENT: "sangat baik", GOOD: "baik", WEAK: "lemah" },
  },
);

export const TONES: Readonly<Record<DoorState, Tone>> = {
  locked: "calm",
  unlocking: "busy",
  unlocked: "attention",
  locking: "busy",
  jammed: "alarm",
  unknown: "unknown",
  unavailable: "unknown",
};

/** Return why a door can't be opened in this state, or null when it can be asked. */
function whyNotIn(state: DoorState): string | null {
  return state === "locked" || state === "unlocked" ? null : SAY.why[state];
}

/** Return whose word it is that a state was confirmed by; undefined for nobody's. */
function source(name: string): string | undefined {
  return name === "acknowledgement" || name === "status" || name === "broadcast" ? SAY[name] : undefined;
}

function provenance(status: DoorStatus, now: number): string {
  const said = source(status.source);
  if (status.confirmed === null) return SAY.never;
  const old = duration(now - status.confirmed);
  return said ? SAY.confirmed(old, said) : SAY.unconfirmed(old);
}

export interface LeaseView {
  /** 1 when granted, 0 when over; null when nothing is granted. */
  readonly left: number | null;
  readonly text: string;
}

function lease(status: DoorStatus, now: number): LeaseView {
  if (status.lease === null)
    return {
      left: null,
      text: SAY.lasts(seconds(status.default_duration, Number.isInteger(status.default_duration) ? 0 : 1)),
    };
  const { ends, duration: whole, holder } = status.lease;
  const rest = ends - now;
  if (rest <= 0) return { left: 0, text: SAY.over };
  const text = SAY.locksIn(duration(rest));
  return { left: Math.min(1, whole > 0 ? rest / whole : 0), text: holder ? SAY.openedBy(text, holder) : text };
}

/** Return a state as it begins a sentence: without the dots of what is on its way. */
function stateName(state: DoorState): string {
  return state === "unlocked" ? SAY.words.unlocked.replace(/ \(.*/, "") : SAY.words[state].replace("…", "");
}

function history(status: DoorStatus, now: number): string {
  const since = SAY.since(stateName(status.state), moment(status.since, now));
  // On its way the state says all there is, and a longer line for a tenth of a second would move the buttons.
  return status.reason && TONES[status.state] !== "busy" ? `${since} – ${status.reason}` : since;
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
    word: SAY.words.unknown,
    tone: "unknown",
    provenance: SAY.lost,
    history: SAY.lostSince(moment(serverTime(clock, lostSince), serverTime(clock, now))),
    signal: null,
    lease: { left: null, text: SAY.leaseUnknown },
    openLabel: SAY.hold,
    whyNotOpen: SAY.noConnection,
    canLock: false,
    failure: complaint(state, clock, now),
  };
}

function whyNotOpen(state: Card): string | null {
  if (state.pending !== null) return SAY.pending;
  if (!state.status.connected) return SAY.why.unavailable;
  return whyNotIn(state.status.state);
}

/** Return what the card shows; `lostSince` is when the connection to the server was lost (our clock), null while open. */
export function viewCard(state: Card, lostSince: number | null, clock: Clock, now: number): CardView {
  if (lostSince !== null) return unknownCard(state, lostSince, clock, now);
  const today = serverTime(clock, now);
  const { status } = state;
  return {
    state: status.state,
    word: SAY.words[status.state],
    tone: TONES[status.state],
    provenance: provenance(status, today),
    history: history(status, today),
    signal: status.signal && {
      text: `${SAY.signal[status.signal.level] ?? status.signal.level.toLowerCase()} · ${status.signal.rssi < 0 ? "−" : ""}${Math.abs(status.signal.rssi)} dBm`,
      bars: BARS[status.signal.level] ?? 0,
    },
    lease: lease(status, today),
    openLabel: status.state === "unlocked" ? SAY.keep : SAY.hold,
    whyNotOpen: whyNotOpen(state),
    canLock: true,
    failure: complaint(state, clock, now),
  };
}
