import { expect, test } from "vitest";
import {
  begin,
  type Command,
  type Connection,
  type ConnectionEvent,
  decide,
  type Phase,
  patience,
  TABLE,
} from "../src/model/connection";
import { OWNER } from "./fixtures";

const identity = OWNER;
const recognised: ConnectionEvent = { kind: "recognised", identity };
const joined: ConnectionEvent = { kind: "joined" };
const lost: ConnectionEvent = { kind: "lost" };
const elapsed: ConnectionEvent = { kind: "elapsed" };

/** Play events, one per second from 1; return where that leads and every command on the way. */
function play(...events: ConnectionEvent[]): { connection: Connection; commands: Command[] } {
  let [connection, first] = begin(0);
  const commands = [...first];
  events.forEach((event, index) => {
    const [next, more] = decide(connection, event, index + 1);
    connection = next;
    commands.push(...more);
  });
  return { connection, commands };
}

test("a page whose cookie is good asks, dials and is connected", () => {
  const { connection, commands } = play(recognised, joined);
  expect(connection).toEqual({ phase: "open", identity, lostSince: null, attempt: 0 });
  expect(commands).toEqual(["ask", "dial"]);
});

test("a page without a cookie waits for a log-in, for ever", () => {
  const { connection } = play({ kind: "unrecognised" }, elapsed, lost, joined);
  expect(connection.phase).toBe("signedOut");
  expect(patience(connection, 0.5)).toBeNull();
  expect(play({ kind: "unrecognised" }, { kind: "loggedIn" }, recognised, joined).connection.phase).toBe("open");
});

test("after the one-time link nothing is dialled until a password is chosen", () => {
  const first: ConnectionEvent = { kind: "mustChoose", identity: { ...OWNER, mustChoosePassword: true } };
  const before = play(first, elapsed, recognised, joined, lost);
  expect(before.connection.phase).toBe("choosing");
  expect(before.commands).toEqual(["ask"]);
  expect(patience(before.connection, 0.5)).toBeNull();
  const after = play(first, { kind: "loggedIn" }, recognised, joined);
  expect(after.connection).toMatchObject({ phase: "open", identity: OWNER });
  expect(after.commands).toEqual(["ask", "ask", "dial"]);
});

test("losing the connection is remembered from its first moment, through every failed attempt", () => {
  const { connection } = play(recognised, joined, lost, elapsed, { kind: "unreachable" }, elapsed, recognised, lost);
  expect(connection).toMatchObject({ phase: "waiting", lostSince: 3, attempt: 3 });
});

test("a connection that is back knows its server again and starts its patience anew", () => {
  const { connection } = play(recognised, joined, lost, elapsed, recognised, joined);
  expect(connection).toMatchObject({ phase: "open", lostSince: null, attempt: 0 });
});

test("a silent server is hung up on", () => {
  const { connection, commands } = play(recognised, joined, elapsed);
  expect(connection.phase).toBe("waiting");
  expect(commands.at(-1)).toBe("hangUp");
});

test("a restart that forgot our cookie leads to the log-in form", () => {
  expect(play(recognised, joined, lost, elapsed, { kind: "unrecognised" }).connection).toMatchObject({
    phase: "signedOut",
    identity: null,
  });
});

test("logging out hangs up, and nothing that comes late connects again", () => {
  const { connection, commands } = play(recognised, joined, { kind: "loggedOut" }, lost, elapsed, recognised, joined);
  expect(connection.phase).toBe("signedOut");
  expect(commands).toEqual(["ask", "dial", "hangUp"]);
});

test("attempts go on for ever, half a second apart at first and five at most", () => {
  const waits = Array.from({ length: 40 }, (_, index) =>
    patience({ phase: "waiting", identity: null, lostSince: 0, attempt: index + 1 }, 0.5),
  );
  expect(waits[0]).toBeCloseTo(0.5);
  expect(waits[3]).toBeCloseTo(2.048);
  expect(waits[39]).toBe(5);
  for (const chance of [0, 0.999]) {
    const wait = patience({ phase: "waiting", identity: null, lostSince: 0, attempt: 1 }, chance);
    expect(wait).toBeGreaterThanOrEqual(0.5);
    expect(wait).toBeLessThanOrEqual(0.56);
  }
});

test("every phase but those that wait for a person or last gives up in the end", () => {
  const at = (phase: Phase): number | null => patience({ phase, identity, lostSince: 0, attempt: 1 }, 0);
  expect(at("asking")).toBe(5);
  expect(at("dialling")).toBe(5);
  expect(at("open")).toBeNull();
});

test("no event but joining opens, and no other phase has a connection to lose", () => {
  for (const [phase, row] of Object.entries(TABLE))
    for (const [kind, step] of Object.entries(row)) {
      if (step?.to === "open") expect(`${phase} ${kind}`).toBe("dialling joined");
      if (step?.commands.includes("dial")) expect(kind).toBe("recognised");
      if ((phase === "dialling" || phase === "open") && step && kind !== "lost" && step.to !== "open")
        expect(step.commands).toContain("hangUp");
    }
});
