import { expect, test } from "vitest";
import { NO_CLOCK, sampled } from "../src/model/clock";
import { answered, card, failed, ordered, TONES, viewCard } from "../src/model/door";
import type { DoorState } from "../src/model/types";
import { door, T0 } from "./fixtures";

/** Our clock is five minutes ahead of the server's. */
const HERE = T0 + 300;
const CLOCK = sampled(NO_CLOCK, { sent: HERE, received: HERE, server: T0 });

const view = (changes = {}) => viewCard(card(door(changes)), null, CLOCK, HERE);

test("a locked door says who confirmed that and how long ago", () => {
  expect(view()).toMatchObject({
    state: "locked",
    word: "Locked",
    tone: "calm",
    provenance: "Confirmed 1.2 s ago by the lock’s STATUS",
    history: "Locked since 13:59:00",
    signal: { text: "good · −67 dBm", bars: 2 },
    lease: { left: null, text: "An opening lasts 5 s" },
    whyNotOpen: null,
    canLock: true,
    failure: null,
  });
});

test("an open relay is called just that: there is no sensor on the door", () => {
  expect(view({ state: "unlocked" }).word).toBe("Unlocked (relay)");
});

test("what the lock did not say itself is not called confirmed", () => {
  expect(view({ state: "unknown", source: "deadline" }).provenance).toBe(
    "Not confirmed; the lock last answered 1.2 s ago",
  );
  expect(view({ state: "unavailable", confirmed: null, source: "link" }).provenance).toBe(
    "Never confirmed by the lock",
  );
});

test("why a door is in its state is said when it stays there", () => {
  const reason = "OPEN_DOOR sent for admin";
  expect(view({ state: "unknown", reason: "the link was lost" }).history).toBe(
    "Unknown since 13:59:00 – the link was lost",
  );
  expect(view({ state: "unlocking", reason }).history).toBe("Unlocking since 13:59:00");
});

test("a lease runs down by the server's clock, to nothing and not below", () => {
  const lease = { ends: T0 + 4, duration: 5, holder: "admin", reason: null };
  const at = (later: number) => viewCard(card(door({ state: "unlocked", lease })), null, CLOCK, HERE + later).lease;
  expect(at(0)).toEqual({ left: 0.8, text: "Locks itself in 4.0 s · opened by admin" });
  expect(at(3.5).left).toBeCloseTo(0.1);
  expect(at(4.5)).toEqual({ left: 0, text: "Time is up: it is being locked" });
  expect(view({ state: "unlocked", lease: { ...lease, ends: T0 + 60 } }).lease.left).toBe(1);
});

test("a door can be opened only when its lock is connected and has said what it is", () => {
  const openable = (Object.keys(TONES) as DoorState[]).filter((state) => view({ state }).whyNotOpen === null);
  expect(openable).toEqual(["locked", "unlocked"]);
  expect(view({ connected: false }).whyNotOpen).toBe("The lock is not connected to the server.");
});

test("locking can be ordered in every state", () => {
  for (const state of Object.keys(TONES) as DoorState[]) expect(view({ state, connected: false }).canLock).toBe(true);
});

test("without a connection to the server nothing of a door is known, whatever was said last", () => {
  const lease = { ends: T0 + 4, duration: 5, holder: "admin", reason: null };
  for (const state of Object.keys(TONES) as DoorState[])
    expect(viewCard(card(door({ state, lease })), HERE - 5, CLOCK, HERE)).toMatchObject({
      state: "unknown",
      word: "Unknown",
      tone: "unknown",
      provenance: "Not known: no connection to the server",
      history: "since 13:59:55",
      signal: null,
      lease: { left: null },
      whyNotOpen: "There is no connection to the server.",
      canLock: false,
    });
});

test("one opening at a time: an order on its way blocks the next, an answer frees it", () => {
  const pending = ordered(card(door()), "open");
  expect(viewCard(pending, null, CLOCK, HERE).whyNotOpen).toBe("An order is on its way to the lock.");
  expect(viewCard(pending, null, CLOCK, HERE).canLock).toBe(true);
  expect(viewCard(answered(pending, "open"), null, CLOCK, HERE).whyNotOpen).toBeNull();
});

test("the late answer to an opening does not end the locking that followed it", () => {
  const locking = ordered(ordered(card(door()), "open"), "lock");
  expect(answered(locking, "open").pending).toBe("lock");
  expect(failed(locking, "open", "busy", HERE)).toMatchObject({ pending: "lock", failure: { order: "open" } });
});

test("a failure is shown in the server's words with its time, until the next order", () => {
  const refused = failed(ordered(card(door()), "open"), "open", "the lock is not connected; nothing was sent", HERE);
  expect(viewCard(refused, null, CLOCK, HERE).failure).toBe("14:00:00 · The lock is not connected; nothing was sent");
  expect(card(door({ state: "unknown" }), refused).failure).not.toBeNull();
  expect(ordered(refused, "open").failure).toBeNull();
});
