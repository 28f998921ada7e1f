// The browser's check against the vectors that the server's own tests use, with Node's WebCrypto as the browser's.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { browserCrypto } from "../src/crypto";
import {
  type ChainRecord,
  type Crypto,
  checkRun,
  checkSigned,
  contradiction,
  hex,
  isHashed,
  type Run,
  type Signed,
  unhex,
} from "../src/model/chain";
import { event } from "./fixtures";

interface Vectors {
  readonly site: string;
  readonly key: string;
  readonly public_key: string;
  readonly cases: readonly {
    readonly name: string;
    readonly records: readonly ChainRecord[];
    readonly statements: readonly Signed[];
    readonly head: Signed | null;
    readonly problems: readonly { readonly sequence: number; readonly last: number; readonly fault: string }[];
  }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../tests/vectors/chain.json", import.meta.url), "utf-8"),
) as Vectors;
const crypto = (await browserCrypto()) as Crypto;
const keys = { [vectors.key]: vectors.public_key };

function run(one: Vectors["cases"][0], changes: Partial<Run> = {}): Run {
  const { records, statements, head } = one;
  return { site: vectors.site, records, whole: true, begin: null, end: head, statements, keys, ...changes };
}

const sound = vectors.cases.find(({ name }) => name === "sound") as Vectors["cases"][0];

test("there are vectors, and Node computes what browsers do", () => {
  expect(vectors.cases.length).toBeGreaterThan(10);
  expect(crypto.ed25519).not.toBeNull();
});

/** What the server calls otherwise, or tells apart and a page needn't. */
const NAMES: Readonly<Record<string, string>> = { previous: "altered", duplicate: "order" };

test.each(vectors.cases.map((one) => [one.name, one] as const))(
  "%s: the browser finds what the server finds",
  async (_, one) => {
    const { problems } = await checkRun(crypto, run(one));
    const places = (list: readonly { sequence: number; last: number; fault: string }[]) =>
      [...new Set(list.map(({ sequence, last, fault }) => `${sequence}-${last} ${NAMES[fault] ?? fault}`))].sort();
    if (one.name === "a record of another site") {
      // Here one problem per record is told, the first one.
      expect(places(problems)).toEqual(["5-5 link", "6-6 link"]);
      return;
    }
    expect(places(problems)).toEqual(places(one.problems));
  },
);

test("a sound chain says how much of it was computed, and when it was signed", async () => {
  expect(await checkRun(crypto, run(sound))).toMatchObject({
    good: 8,
    first: 1,
    last: 8,
    whole: true,
    signature: "good",
    signed: expect.any(Number),
    problems: [],
  });
});

test("a piece from one checkpoint on is held to both its ends", async () => {
  const [begin] = sound.statements as [Signed];
  const piece = run(sound, { begin, statements: [], records: sound.records.slice(4) });
  expect((await checkRun(crypto, piece)).problems).toEqual([]);
  const cut = { ...piece, records: sound.records.slice(5) };
  expect((await checkRun(crypto, cut)).problems).toEqual([{ sequence: 5, last: 5, fault: "missing" }]);
  const other = { ...piece, begin: null };
  expect((await checkRun(crypto, other)).problems).toEqual([{ sequence: 1, last: 4, fault: "missing" }]);
});

test("where only one record may be seen its own hash is checked, and nothing is said of its neighbours", async () => {
  const one = run(sound, { whole: false, records: sound.records.slice(3, 4) });
  expect(await checkRun(crypto, one)).toMatchObject({ good: 1, whole: false, signature: "good", problems: [] });
  const [record] = one.records as [ChainRecord];
  const changed = { ...one, records: [{ ...record, body: `${record.body} ` }] };
  expect((await checkRun(crypto, changed)).problems).toEqual([{ sequence: 4, last: 4, fault: "altered" }]);
});

test("a browser without Ed25519 computes the hashes and says that it can’t check signatures", async () => {
  const old = { ...crypto, ed25519: null };
  expect(await checkRun(old, run(sound))).toMatchObject({ good: 8, signature: "unsupported", problems: [] });
  expect(await checkRun(crypto, run(sound, { end: null }))).toMatchObject({ signature: "absent", signed: null });
});

test("statements are signed by the site’s key and no other, and not a letter of them may change", async () => {
  const head = sound.head as Signed;
  for (const signed of [head, ...sound.statements]) expect(await checkSigned(crypto, signed, keys)).toBe("good");
  const changed = { ...head, statement: head.statement.replace('"head"', '"heat"') };
  expect(await checkSigned(crypto, changed, keys)).toBe("forged");
  const flipped = (head.signature.startsWith("0") ? "1" : "0") + head.signature.slice(1);
  expect(await checkSigned(crypto, { ...head, signature: flipped }, keys)).toBe("forged");
  for (const wrong of [{}, { [vectors.key]: "00".repeat(32) }, { [vectors.key]: "no hex" }, { [vectors.key]: "" }])
    expect(await checkSigned(crypto, head, wrong)).toBe("forged");
  expect(await checkSigned(crypto, { statement: "no statement", signature: head.signature }, keys)).toBe("forged");
});

test("one bit of a body, its hash, or the hash before is found", async () => {
  const [, record] = sound.records as [ChainRecord, ChainRecord];
  const flip = (text: string): string => (text.startsWith("0") ? "1" : "0") + text.slice(1);
  expect(await isHashed(crypto, record)).toBe(true);
  for (const wrong of [
    { ...record, body: (record.body ?? "").replace("13.5", "13.6") },
    { ...record, hash: flip(record.hash) },
    { ...record, previous: flip(record.previous) },
    { ...record, previous: "00" },
    { ...record, body: null },
  ])
    expect(await isHashed(crypto, wrong)).toBe(false);
});

test("what the page was told is held to what was recorded", () => {
  const told = event(7, { kind: "door.opened", reason: "parcel", actor: "ana", details: { b: 1, a: { d: 2, c: 3 } } });
  const body = JSON.stringify({ ...told, caller: { name: "ana" }, details: { a: { c: 3, d: 2 }, b: 1 } });
  expect(contradiction(body, { ...told })).toBeNull();
  expect(contradiction(body, { ...told, actor: "ben" })).toBe("actor");
  expect(contradiction(body, { ...told, text: "nothing happened" })).toBe("text");
  expect(contradiction(body, { ...told, time: told.time + 1 })).toBe("time");
  expect(contradiction(body, { ...told, details: { b: 1, a: { d: 2, c: 4 } } })).toBe("details");
});

test("hex is read back, and what is none is none", () => {
  expect(hex(unhex("00ff10") as Uint8Array)).toBe("00ff10");
  expect(unhex("0")).toBeNull();
  expect(unhex("zz")).toBeNull();
});
