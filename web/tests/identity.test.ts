import { expect, test } from "vitest";
import { type Identity, identityOf, may } from "../src/model/identity";
import { OWNER } from "./fixtures";

const operator: Identity = {
  name: "ana",
  role: "operator",
  permissions: ["self", "door.view", "door.open", "camera.view", "event.view"],
  grants: [
    { kind: "door", thing: "front" },
    { kind: "camera", thing: "*" },
  ],
  things: null,
  mustChoosePassword: false,
};

test("what the server says of us is read, and what is no identity is none", () => {
  const said = {
    name: "ana",
    role: "operator",
    permissions: operator.permissions,
    grants: [
      { kind: "door", thing: "front" },
      { kind: "camera", thing: "*" },
    ],
    things: null,
    must_choose_password: false,
    something: "new",
  };
  expect(identityOf(said)).toEqual(operator);
  for (const nothing of [null, "ana", {}, { name: "ana" }, { role: "owner" }]) expect(identityOf(nothing)).toBeNull();
});

test("an owner may everything that the permissions hold, on everything, with no grant", () => {
  expect(may(OWNER, "door.open", "back")).toBe(true);
  expect(may(OWNER, "access.admin")).toBe(true);
  expect(may(OWNER, "script")).toBe(false);
  expect(may(null, "self")).toBe(false);
});

test.each([
  ["door.open", "front", true],
  ["door.open", "back", false],
  ["door.open", null, true],
  ["door.lock", "front", false],
  ["camera.view", "yard", true],
  ["event.view", null, true],
  ["access.admin", null, false],
])("an operator with one door: %s on %s is %s", (permission, thing, expected) => {
  expect(may(operator, permission, thing)).toBe(expected);
});

test("a key that is limited to some things shows no controls for others, even an owner’s", () => {
  const limited = { ...OWNER, things: [{ kind: "door", thing: "front" }] };
  expect(may(limited, "door.open", "front")).toBe(true);
  expect(may(limited, "door.open", "back")).toBe(false);
  expect(may(limited, "camera.view")).toBe(false);
  expect(may(limited, "event.view")).toBe(true);
});
