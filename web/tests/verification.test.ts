// The browser's check against the vectors that the server's own tests use, with Node's WebCrypto as the browser's.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { browserCrypto } from "../src/crypto";
import {
  badge,
  type ChainRecord,
  type Crypto,
  checkPicture,
  checkRecord,
  checkStatement,
  contradiction,
  type Findings,
  hex,
  NOTHING_FOUND,
  type PictureVerdict,
  unhex,
} from "../src/model/verification";
import { event, picture, T0 } from "./fixtures";

interface Vectors {
  readonly public_key: string;
  readonly cases: readonly {
    readonly name: string;
    readonly records: readonly ChainRecord[];
    readonly statements: readonly { readonly statement: string; readonly signature: string }[];
    readonly head: { readonly statement: string; readonly signature: string } | null;
    readonly problems: readonly { readonly sequence: number; readonly fault: string }[];
  }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../tests/vectors/chain.json", import.meta.url), "utf-8"),
) as Vectors;
const crypto = (await browserCrypto()) as Crypto;
const sound = vectors.cases.find(({ name }) => name === "sound") as Vectors["cases"][0];

const shownOf = (record: ChainRecord): { id: string; sequence: number } => {
  const body = JSON.parse(record.body ?? "{}") as { id: string };
  return { id: body.id, sequence: record.sequence };
};

test("there are vectors, and Node computes what browsers do", () => {
  expect(vectors.cases.length).toBeGreaterThan(10);
  expect(crypto.ed25519).not.toBeNull();
});

test("every record of a sound chain is good, byte for byte, whatever its text", async () => {
  for (const record of sound.records) expect(await checkRecord(crypto, record, shownOf(record))).toBe("good");
});

test.each(vectors.cases.map((one) => [one.name, one] as const))("the record is judged as in %s", async (_, one) => {
  const altered = new Set(
    one.problems.filter(({ fault }) => fault === "altered" || fault === "previous").map(({ sequence }) => sequence),
  );
  const seen = new Set<number>();
  for (const record of one.records) {
    if (record.body === null || seen.has(record.sequence)) continue;
    seen.add(record.sequence);
    let shown: { id: string; sequence: number };
    try {
      shown = shownOf(record);
    } catch {
      continue; // a body that is no JSON
    }
    const verdict = await checkRecord(crypto, record, shown);
    if (altered.has(record.sequence)) expect(`${record.sequence} ${verdict}`).toBe(`${record.sequence} altered`);
    else expect(`${record.sequence} ${verdict}`).toMatch(/good|foreign/);
  }
});

test("the body of another event is not taken for the one that is shown, and an erased one is no body", async () => {
  const [first, second] = sound.records as [ChainRecord, ChainRecord];
  expect(await checkRecord(crypto, first, shownOf(second))).toBe("foreign");
  expect(await checkRecord(crypto, { ...first, body: null }, shownOf(first))).toBe("erased");
  expect(await checkRecord(crypto, { ...first, previous: "00" }, shownOf(first))).toBe("altered");
});

test("one bit of a body, its hash, or the hash before is found", async () => {
  const [, record] = sound.records as [ChainRecord, ChainRecord];
  const flip = (text: string): string => (text.startsWith("0") ? "1" : "0") + text.slice(1);
  for (const wrong of [
    { ...record, body: (record.body ?? "").replace("13.5", "13.6") },
    { ...record, hash: flip(record.hash) },
    { ...record, previous: flip(record.previous) },
  ])
    expect(await checkRecord(crypto, wrong, shownOf(record))).toBe("altered");
});

test("statements are signed by the site’s key and no other, and not a letter of them may change", async () => {
  const head = sound.head as NonNullable<typeof sound.head>;
  const key = vectors.public_key;
  for (const signed of [head, ...sound.statements])
    expect(await checkStatement(crypto, { ...signed, key })).toBe("good");
  expect(await checkStatement(crypto, { ...head, key, statement: head.statement.replace("head", "heat") })).toBe(
    "forged",
  );
  const flipped = (head.signature.startsWith("0") ? "1" : "0") + head.signature.slice(1);
  expect(await checkStatement(crypto, { ...head, key, signature: flipped })).toBe("forged");
  expect(await checkStatement(crypto, { ...head, key: "00".repeat(32) })).toBe("forged");
  expect(await checkStatement(crypto, { ...head, key: "no hex" })).toBe("forged");
  expect(await checkStatement(crypto, null)).toBe("absent");
  expect(await checkStatement({ ...crypto, ed25519: null }, { ...head, key })).toBe("unsupported");
});

test("what the page was told is held to what was recorded", () => {
  const told = event(7, { kind: "door.opened", reason: "parcel", actor: "ana", caller: null });
  const body = JSON.stringify({ ...told, caller: { name: "ana" } });
  expect(contradiction(body, { ...told })).toBeNull();
  expect(contradiction(body, { ...told, actor: "ben" })).toBe("actor");
  expect(contradiction(body, { ...told, text: "nothing happened" })).toBe("text");
  expect(contradiction(body, { ...told, time: told.time + 1 })).toBe("time");
});

test("a picture is good when its bytes hash to what the record lists", async () => {
  const bytes = new Uint8Array([255, 216, 1, 2, 3]);
  const listed = picture(1, "yard", 0, { sha256: hex(await crypto.sha256(bytes)) });
  expect(await checkPicture(crypto, listed, bytes)).toBe("good");
  expect(await checkPicture(crypto, listed, new Uint8Array([255, 216, 1, 2, 4]))).toBe("altered");
});

test("hex is read back, and what is none is none", () => {
  expect(hex(unhex("00ff10") as Uint8Array)).toBe("00ff10");
  expect(unhex("0")).toBeNull();
  expect(unhex("zz")).toBeNull();
});

// --- what the badge says -----------------------------------------------------------------------------------------------

const listed = [picture(1, "yard", -1), picture(2, "yard", 0.4)];
const verdicts = (...all: PictureVerdict[]) => new Map(all.map((verdict, at) => [at + 1, verdict]));
const whole: Findings = {
  ...NOTHING_FOUND,
  records: [{ sequence: 12, verdict: "good" }],
  signature: "good",
  pictures: verdicts("good", "good"),
  listed,
  moment: T0,
  server: { ok: true, records: 1234, proved: 1200, problems: [] },
};

test("verified says who verified what", () => {
  expect(badge(whole)).toEqual({
    tone: "calm",
    word: "Verified",
    said: [
      "Checked in this browser: the record and 2 pictures.",
      "The site’s signature is good (checked in this browser).",
      "Chain checked by the server: 1,234 records, vouched for by its signature up to record 1,200.",
    ],
    places: [],
  });
});

test("nothing is verified before everything is", () => {
  for (const missing of [
    { records: null },
    { server: null },
    { pictures: verdicts("good") },
    { pictures: new Map() },
  ] as Partial<Findings>[])
    expect(badge({ ...whole, ...missing }).word).toBe("Checking…");
  expect(badge({ ...whole, pictures: verdicts("good") }).said[0]).toContain("1 of 2 pictures so far");
});

test.each([
  ["a picture", { pictures: verdicts("good", "altered") }, "picture 2 of yard at +0.4 s"],
  ["a picture that is gone", { pictures: verdicts("missing", "good") }, "picture 1 of yard at −1.0 s"],
  ["the record", { records: [{ sequence: 12, verdict: "altered" }] }, "record 12"],
  ["another record", { records: [{ sequence: 12, verdict: "foreign" }] }, "record 12"],
  ["what is shown", { contradictions: [{ sequence: 12, field: "actor" }] }, "record 12"],
  ["the signature", { signature: "forged" }, "signature"],
  ["the chain", { server: { ...whole.server, ok: false, problems: ["record 7: missing"] } }, "chain"],
] as [string, Partial<Findings>, string][])("%s that doesn’t fit is an alarm with its place", (_, wrong, where) => {
  const view = badge({ ...whole, ...wrong });
  expect(view).toMatchObject({ tone: "alarm", word: "Not what was recorded" });
  expect(view.places.map((place) => place.where)).toContain(where);
});

test("an alarm doesn’t wait for the rest", () => {
  expect(badge({ ...whole, server: null, pictures: verdicts("altered") }).tone).toBe("alarm");
});

test("a server that finds fault is an alarm even when it names no place", () => {
  expect(badge({ ...whole, server: { ok: false, records: 0, proved: null, problems: [] } }).tone).toBe("alarm");
});

test("without a secure connection only the server checked, and that is what is said", () => {
  const view = badge({ ...whole, able: false, records: null, signature: null, pictures: new Map() });
  expect(view).toMatchObject({ tone: "calm", word: "Verified by the server" });
  expect(view.said[0]).toContain("only the server checked");
});

test("without the server’s check it is not verified", () => {
  const view = badge({ ...whole, server: null, failure: "the disk fails" });
  expect(view).toMatchObject({ tone: "attention", word: "Not fully verified" });
  expect(view.said.at(-1)).toContain("the disk fails");
});

test("a signature that nobody showed, and a record that is gone, are not verified; one that can’t be checked is said", () => {
  expect(badge({ ...whole, signature: "absent" }).word).toBe("Not fully verified");
  expect(badge({ ...whole, records: [{ sequence: 12, verdict: "erased" }] }).word).toBe("Not fully verified");
  expect(badge({ ...whole, records: [] }).word).toBe("Not fully verified");
  const old = badge({ ...whole, signature: "unsupported" });
  expect(old.word).toBe("Verified");
  expect(old.said.join()).toContain("can’t check Ed25519");
});

test("pictures that were erased, and signed for, are no alarm", () => {
  const view = badge({ ...whole, pictures: verdicts("good", "erased") });
  expect(view.word).toBe("Verified");
  expect(view.said.join()).toContain("1 picture erased");
});
