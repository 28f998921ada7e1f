import { expect, test } from "vitest";
import { accountRules, generatePassword, passwordRules } from "../src/model/password";

const met = (name: string, password: string) => passwordRules(name, password).every((rule) => rule.met);

test.each([
  ["ana", "", false],
  ["ana", "123456789", false],
  ["ana", "1234567890", true],
  ["ana", "🚪🚪🚪🚪🚪", false], // five characters, whatever their length in bytes
  ["operator-ana", "Operator-Ana", false],
])("a password of %s: %s is good: %s", (name, password, good) => {
  expect(met(name, password)).toBe(good);
});

test("the rules are said before anything is typed, and count along", () => {
  expect(passwordRules("ana", "")[0]?.text).toBe("at least 10 characters");
  expect(passwordRules("ana", "abc")[0]?.text).toBe("at least 10 characters (3 so far)");
});

test.each([
  ["admin", true],
  ["ana-2", true],
  ["Ana", false],
  ["", false],
  ["ana ", false],
  ["-ana", false],
])("%s as a name: %s", (name, good) => {
  expect(accountRules(name, "a long password")[0]?.met).toBe(good);
});

test("a password that is made up is long, readable and never the same", () => {
  let next = 7;
  const random = (bytes: number) =>
    Uint8Array.from({ length: bytes }, () => {
      next = (next * 48271) % 2147483647;
      return next & 255;
    });
  const made = Array.from({ length: 50 }, () => generatePassword(random));
  expect(new Set(made).size).toBe(50);
  for (const password of made) {
    expect(password).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
    expect(password).not.toMatch(/[l01o]/);
  }
});
