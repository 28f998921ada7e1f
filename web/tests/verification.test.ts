import { expect, test } from "vitest";
import { browserCrypto } from "../src/crypto";
import { type Crypto, hex, type RunVerdict } from "../src/model/chain";
import { badge, checkPicture, type Findings, NOTHING_FOUND, type PictureVerdict } from "../src/model/verification";
import { picture, T0 } from "./fixtures";

const crypto = (await browserCrypto()) as Crypto;

test("a picture is good when its bytes hash to what the record lists", async () => {
  const bytes = new Uint8Array([255, 216, 1, 2, 3]);
  const good = picture(1, "yard", 0, { sha256: hex(await crypto.sha256(bytes)) });
  expect(await checkPicture(crypto, good, bytes)).toBe("good");
  expect(await checkPicture(crypto, good, new Uint8Array([255, 216, 1, 2, 4]))).toBe("altered");
});

const listed = [picture(1, "yard", -1), picture(2, "yard", 0.4)];
const verdicts = (...all: PictureVerdict[]) => new Map(all.map((verdict, at) => [at + 1, verdict]));
const run: RunVerdict = {
  good: 1234,
  first: 1,
  last: 1234,
  whole: true,
  signature: "good",
  signed: T0,
  problems: [],
  erased: [],
};
const whole: Findings = {
  ...NOTHING_FOUND,
  run,
  pictures: verdicts("good", "good"),
  listed,
  moment: T0,
  server: { sound: true, checked: 1234, first: 1, last: 1234, signed: T0, problems: [] },
};

test("verified says who verified what", () => {
  expect(badge(whole)).toEqual({
    tone: "calm",
    word: "Verified",
    said: [
      "Checked in this browser: the chain of 1,234 records around it (1 to 1,234), " +
        "the site’s signature of Fri, 21 Nov 2025, 14:00, 2 pictures.",
    ],
    places: [],
  });
});

test("whoever sees only this record is told that the server checked the chain", () => {
  expect(badge({ ...whole, run: { ...run, whole: false, good: 1 } }).said).toEqual([
    "Checked in this browser: this record, the site’s signature of Fri, 21 Nov 2025, 14:00, 2 pictures.",
    "You may not see the records around it, so the chain was checked by the server alone.",
    "Chain checked by the server: 1,234 records (1 to 1,234), up to what it signed on Fri, 21 Nov 2025, 14:00.",
  ]);
});

test("nothing is verified before everything is", () => {
  for (const missing of [
    { run: null },
    { server: null },
    { pictures: verdicts("good") },
    { pictures: new Map() },
  ] as Partial<Findings>[])
    expect(badge({ ...whole, ...missing }).word).toBe("Checking…");
  expect(badge({ ...whole, pictures: verdicts("good") }).said[0]).toContain("1 of 2 pictures so far");
});

const fault = (name: string) => ({ run: { ...run, problems: [{ sequence: 12, last: 12, fault: name }] } });

test.each([
  ["a picture", { pictures: verdicts("good", "altered") }, "picture 2 of yard at +0.4 s"],
  ["a picture that is gone", { pictures: verdicts("missing", "good") }, "picture 1 of yard at −1.0 s"],
  ["a record", fault("altered"), "record 12"],
  ["a signature", fault("signature"), "record 12"],
  ["what is cut off", { run: { ...run, problems: [{ sequence: 3, last: 9, fault: "truncated" }] } }, "records 3 to 9"],
  ["what is shown", { contradictions: [{ sequence: 12, field: "actor" }] }, "record 12"],
  [
    "what the server found",
    { server: { ...whole.server, sound: false, problems: ["record 7: x"] } },
    "the server’s check",
  ],
  ["what the server found and didn’t place", { server: { ...whole.server, sound: false } }, "the server’s check"],
] as [string, Partial<Findings>, string][])("%s that doesn’t fit is an alarm with its place", (_, wrong, where) => {
  const view = badge({ ...whole, ...wrong });
  expect(view).toMatchObject({ tone: "alarm", word: "Not what was recorded" });
  expect(view.places.map((place) => place.where)).toEqual([where]);
});

test("an alarm doesn’t wait for the rest; a picture that may have been erased does", () => {
  expect(badge({ ...whole, server: null, pictures: verdicts("altered") }).tone).toBe("alarm");
  expect(badge({ ...whole, server: null, pictures: verdicts("missing", "good") }).tone).toBe("busy");
});

test("without a secure connection only the server checked, and that is what is said", () => {
  const view = badge({ ...whole, able: false, run: null, pictures: new Map() });
  expect(view).toMatchObject({ tone: "calm", word: "Verified by the server" });
  expect(view.said[0]).toContain("only the server checked");
  expect(view.said[1]).toContain("Chain checked by the server");
});

test("without the server’s check it is not verified", () => {
  const view = badge({ ...whole, server: null, run: null, failure: "the disk fails" });
  expect(view).toMatchObject({ tone: "attention", word: "Not fully verified" });
  expect(view.said.at(-1)).toContain("the disk fails");
});

test("what nobody signed is not verified, nor what another key signed than this browser knows", () => {
  const unsigned = { ...whole, run: { ...run, signature: "absent" as const, signed: null } };
  expect(badge(unsigned).word).toBe("Not fully verified");
  const other = badge({ ...whole, sameKey: false });
  expect(other.word).toBe("Not fully verified");
  expect(other.said.join()).toContain("another key");
  expect(badge({ ...whole, sameKey: true }).word).toBe("Verified");
});

test("a browser that can’t check the signature says that the server did", () => {
  const old = badge({ ...whole, run: { ...run, signature: "unsupported" } });
  expect(old.word).toBe("Verified");
  expect(old.said.join()).toContain("can’t check Ed25519");
  expect(old.said.join()).toContain("Chain checked by the server");
});

test("pictures that were erased, and signed for, are no alarm", () => {
  const view = badge({ ...whole, pictures: verdicts("good", "erased") });
  expect(view.word).toBe("Verified");
  expect(view.said.join()).toContain("1 picture erased");
});

test("no picture listed is nothing to wait for", () => {
  expect(badge({ ...whole, listed: [], pictures: new Map() }).word).toBe("Verified");
});
