import { expect, test } from "vitest";
import { asked, LOGGED_OUT, missing, refused, switched, viewLogin } from "../src/model/login";

test("a wrong password and a wrong key are told apart, and neither says which part was wrong", () => {
  const byPassword = refused(asked(LOGGED_OUT), "not_authenticated", "no", null, 0);
  expect(viewLogin(byPassword, 0)).toMatchObject({
    failure: expect.stringContaining("don’t belong together"),
    mayTry: true,
  });
  const byKey = refused(asked(switched(LOGGED_OUT)), "not_authenticated", "no", null, 0);
  expect(viewLogin(byKey, 0).failure).toContain("key is not valid");
});

test("too many attempts are counted down, and then the next is allowed", () => {
  const state = refused(asked(LOGGED_OUT), "too_many_attempts", "wait", 12, 100);
  expect(viewLogin(state, 100)).toEqual({
    failure: "Too many wrong attempts. Wait 12 s before the next one.",
    mayTry: false,
    button: "Wait 12 s",
  });
  expect(viewLogin(state, 109.5)).toMatchObject({ mayTry: false, button: "Wait 3 s" });
  expect(viewLogin(state, 112)).toMatchObject({ mayTry: true, button: "Log in" });
  expect(viewLogin(state, 112).failure).toContain("try again now");
});

test("too many attempts without a time wait a little too", () => {
  const state = refused(asked(LOGGED_OUT), "too_many_attempts", "wait", null, 0);
  expect(viewLogin(state, 1).mayTry).toBe(false);
  expect(viewLogin(state, 60).mayTry).toBe(true);
});

test.each([
  ["insecure", "not encrypted"],
  ["unreachable", "can’t be reached"],
  ["storage_unavailable", "the database is locked"],
])("%s is told in words", (code, words) => {
  expect(viewLogin(refused(LOGGED_OUT, code, "the database is locked", null, 0), 0).failure).toContain(words);
});

test("while one attempt is asked about there is no other, and a new one forgets the last failure", () => {
  const state = asked(refused(LOGGED_OUT, "not_authenticated", "no", null, 0));
  expect(viewLogin(state, 0)).toEqual({ failure: null, mayTry: false, button: "Logging in…" });
});

test("what is missing is said before the server is asked", () => {
  expect(missing("password", "", "x")).toContain("name");
  expect(missing("password", "ana", "")).toContain("password");
  expect(missing("key", "", "")).toContain("key");
  expect(missing("password", "ana", "x")).toBeNull();
  expect(missing("key", "", "gk_")).toBeNull();
});
