// What a new name and password must be: said before anybody types, and checked again by the server.

import { spoken } from "./language";

/** Characters that a password has at least. The server's own rule. */
export const SHORTEST = 10;

/** What names of accounts look like: those of gatekeeper/uris.py. */
const NAME = /^[a-z0-9]+(?:[_-][a-z0-9]+)*$/;

export interface Rule {
  readonly text: string;
  readonly met: boolean;
}

const SAY = spoken(
  {
    long: (length: number) => `at least ${SHORTEST} characters${length ? ` (${length} so far)` : ""}`,
    notName: "not the name itself",
    name: "a name of lower-case letters and digits, with - or _ between",
  },
  {
    long: (length: number) => `minimal ${SHORTEST} karakter${length ? ` (baru ${length})` : ""}`,
    notName: "bukan nama itu sendiri",
    name: "nama dari huruf kecil dan angka, dengan - atau _ di antaranya",
  },
);

/** Return the rules for a password, each with whether it is met. */
export function passwordRules(name: string, password: string): readonly Rule[] {
  const length = [...password].length;
  return [
    { text: SAY.long(length), met: length >= SHORTEST },
    { text: SAY.notName, met: password !== "" && password.toLowerCase() !== name.toLowerCase() },
  ];
}

/** Return the rules for a new account. */
export function accountRules(name: string, password: string): readonly Rule[] {
  return [{ text: SAY.name, met: NAME.test(name) }, ...passwordRules(name, password)];
}

/** Without what is mistaken for something else when read aloud or copied by hand. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"; // no l, o, 0, 1

/** Return a password that nobody has to think up; `random` gives that many bytes. 32 letters: no byte is wasted. */
export function generatePassword(random: (bytes: number) => Uint8Array): string {
  const letters = Array.from(random(20), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return letters.replace(/(.{5})(?=.)/g, "$1-");
}
