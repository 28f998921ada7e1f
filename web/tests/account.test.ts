import { expect, test } from "vitest";
import { cell, clientName, expiry, isLastOwner, type Key, scopesOf, things, viewKey } from "../src/model/account";
import { camera, door, OWNER, T0, user } from "./fixtures";

const key = (changes: Partial<Key> = {}): Key => ({
  id: "1",
  label: "script",
  permissions: null,
  things: null,
  created: T0,
  expires: null,
  last_used: null,
  active: true,
  ...changes,
});

test("a key says what it may, until when, and when it was used last", () => {
  expect(viewKey(key(), T0)).toEqual({
    scope: "everything that its account may",
    standing: "never expires",
    used: "never used",
    active: true,
  });
  const narrow = key({
    permissions: ["door.lock", "door.open", "door.view", "self", "system.view"],
    things: [{ kind: "door", thing: "front" }],
    expires: T0 + 86400,
    last_used: T0 - 300,
  });
  expect(viewKey(narrow, T0)).toMatchObject({
    scope: "only see and work doors – door front only",
    standing: "good until Sat, 22 Nov 2025, 14:00",
    used: "last used 5 min ago",
  });
  expect(viewKey(key({ permissions: ["event.view"] }), T0).scope).toBe("event.view");
});

test("a key that has expired or was revoked is not active", () => {
  expect(viewKey(key({ expires: T0 - 86400 }), T0)).toMatchObject({ standing: "expired 1 d ago", active: false });
  expect(viewKey(key({ active: false }), T0)).toMatchObject({ standing: "revoked", active: false });
});

test("a key can’t be offered what its maker may not", () => {
  expect(scopesOf(["self", "system.view", "camera.view", "door.view", "event.view"]).map(({ id }) => id)).toEqual([
    "all",
    "look",
  ]);
  expect(scopesOf(["self"]).map(({ id }) => id)).toEqual(["all"]);
});

test("how long a key lasts is counted from now", () => {
  expect(expiry(7, T0)).toBe(T0 + 7 * 86400);
  expect(expiry(null, T0)).toBeNull();
});

test("things are those that exist, and those that somebody has a right on though they are gone", () => {
  const users = [
    user({
      grants: [
        { kind: "door", thing: "back" },
        { kind: "camera", thing: "*" },
      ],
    }),
  ];
  const found = things([door()], [camera()], users);
  expect(found.map(({ kind, things }) => [kind, things.map(({ id }) => id)])).toEqual([
    ["door", ["front", "back"]],
    ["camera", ["entrance"]],
  ]);
  expect(things([], [], [user({ grants: [{ kind: "gate", thing: "*" }] })])).toEqual([{ kind: "gate", things: [] }]);
});

test("a cell tells what was given from what follows", () => {
  const ana = user({
    grants: [
      { kind: "door", thing: "front" },
      { kind: "camera", thing: "*" },
    ],
  });
  expect(cell(ana, "door", "front")).toEqual({ granted: true, implied: false });
  expect(cell(ana, "door", "back")).toEqual({ granted: false, implied: false });
  expect(cell(ana, "camera", "yard")).toEqual({ granted: false, implied: true });
  expect(cell(ana, "camera", "*")).toEqual({ granted: true, implied: false });
  expect(cell(user({ role: "owner" }), "door", "front").implied).toBe(true);
});

test("the last owner who can come in is known, so that nobody locks everybody out", () => {
  const [one, two] = [user({ name: "one", role: "owner" }), user({ name: "two", role: "owner" })];
  expect(isLastOwner(one, [one, user()])).toBe(true);
  expect(isLastOwner(one, [one, two])).toBe(false);
  expect(isLastOwner(one, [one, { ...two, disabled: true }])).toBe(true);
  expect(isLastOwner(user(), [one, user()])).toBe(false);
});

test("what logged in is said as people say it", () => {
  expect(clientName("browser")).toBe("a browser");
  expect(clientName("key 12ab")).toBe("a browser, with the key 12ab");
  expect(clientName("toaster")).toBe("toaster");
});

test("an owner can give every scope that the fixture’s owner may", () => {
  expect(scopesOf(OWNER.permissions).length).toBeGreaterThan(2);
});

test("teams that measure are things that rights are given on", () => {
  const kinds = things([door()], [], [], 3);
  expect(kinds.find(({ kind }) => kind === "team")?.things.map(({ id }) => id)).toEqual(["1", "2", "3"]);
  expect(things([door()], [], []).some(({ kind }) => kind === "team")).toBe(false);
});
