// Is this record what was recorded? The browser computes it anew from the exact bytes that the server kept: the
// record's hash, each picture's, and the signature of what the server vouches for. The chain's other records are the
// server's to check. The format is that of gatekeeper/evidence/chain.py, and tests/vectors holds the two together.

import type { Picture } from "./film";
import { count, relative } from "./words";

/** What a browser offers; `ed25519` is null where it can't. Injected, so that this file runs anywhere. */
export interface Crypto {
  sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  readonly ed25519:
    | ((key: Uint8Array, signature: Uint8Array, bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>)
    | null;
}

/** One link of the chain: `body` is the exact JSON text, null where retention erased it. */
export interface ChainRecord {
  readonly sequence: number;
  readonly previous: string;
  readonly hash: string;
  readonly body: string | null;
}

/** A statement as it was signed: its exact text and, in hex, signature and public key. */
export interface SignedStatement {
  readonly statement: string;
  readonly signature: string;
  readonly key: string;
}

const EVENT = "gatekeeper-event-1\n";
const STATEMENT = "gatekeeper-statement-1\n";
const encoder = new TextEncoder();

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return bytes from hex; null if it is none. */
export function unhex(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length % 2 || !/^[0-9a-f]*$/i.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Return a record's hash in hex. */
export async function digest(crypto: Crypto, previous: Uint8Array, body: string): Promise<string> {
  return hex(await crypto.sha256(joined(encoder.encode(EVENT), previous, encoder.encode(body))));
}

export type RecordVerdict = "good" | "altered" | "erased" | "foreign";

/** Check one record: its hash, and that its body is the event that the page shows. */
export async function checkRecord(
  crypto: Crypto,
  record: ChainRecord,
  shown: { readonly id: string; readonly sequence: number },
): Promise<RecordVerdict> {
  if (record.body === null) return "erased";
  const previous = unhex(record.previous);
  if (previous?.length !== 32 || (await digest(crypto, previous, record.body)) !== record.hash) return "altered";
  try {
    const body = JSON.parse(record.body) as Record<string, unknown>;
    return body.id === shown.id && body.sequence === shown.sequence && record.sequence === shown.sequence
      ? "good"
      : "foreign";
  } catch {
    return "altered";
  }
}

/** The fields of an event that its body vouches for, and that the page shows. */
const SHOWN = ["id", "sequence", "time", "kind", "subject", "outcome", "reason", "cause", "text"] as const;

/** Return the first field in which what is shown differs from what was recorded, or null. */
export function contradiction(body: string, shown: Readonly<Record<string, unknown>>): string | null {
  const recorded = JSON.parse(body) as Record<string, unknown>;
  for (const field of SHOWN) if ((recorded[field] ?? null) !== (shown[field] ?? null)) return field;
  const actor = (recorded.caller as { name?: unknown } | null)?.name ?? null;
  return actor === (shown.actor ?? null) ? null : "actor";
}

export type SignatureVerdict = "good" | "forged" | "unsupported" | "absent";

/** Check a statement's signature, and that the key is the one that the statement names. */
export async function checkStatement(crypto: Crypto, signed: SignedStatement | null): Promise<SignatureVerdict> {
  if (signed === null) return "absent";
  if (crypto.ed25519 === null) return "unsupported";
  const [key, signature] = [unhex(signed.key), unhex(signed.signature)];
  if (key === null || signature === null) return "forged";
  const text = encoder.encode(signed.statement);
  try {
    const named = (JSON.parse(signed.statement) as { key?: unknown }).key;
    if (named !== hex(await crypto.sha256(joined(key))).slice(0, 16)) return "forged";
  } catch {
    return "forged";
  }
  return (await crypto.ed25519(key, signature, joined(encoder.encode(STATEMENT), text))) ? "good" : "forged";
}

// --- the verdict -----------------------------------------------------------------------------------------------------

/** What became of one picture. */
export type PictureVerdict = "good" | "altered" | "missing" | "erased";

export async function checkPicture(
  crypto: Crypto,
  picture: Picture,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<PictureVerdict> {
  return hex(await crypto.sha256(bytes)) === picture.sha256 ? "good" : "altered";
}

export interface Place {
  /** For people: "record 12", "picture 3 of yard at +0.4 s". */
  readonly where: string;
  readonly what: string;
}

/** What is known so far; null is not known yet. */
export interface Findings {
  /** Whether this browser can compute hashes at all: not on plain http:// pages of another machine. */
  readonly able: boolean;
  /** Of the event's own record and of those whose details it shows. */
  readonly records: readonly { readonly sequence: number; readonly verdict: RecordVerdict }[] | null;
  readonly contradictions: readonly { readonly sequence: number; readonly field: string }[];
  readonly signature: SignatureVerdict | null;
  readonly pictures: ReadonlyMap<number, PictureVerdict>;
  /** Every picture that the record lists. */
  readonly listed: readonly Picture[];
  readonly moment: number;
  readonly server: ServerVerdict | null;
  /** Why the server's verdict can't be had. */
  readonly failure: string | null;
}

export interface ServerVerdict {
  readonly ok: boolean;
  readonly records: number;
  /** The record up to which a signature vouches for. */
  readonly proved: number | null;
  readonly problems: readonly string[];
}

export const NOTHING_FOUND: Findings = {
  able: true,
  records: null,
  contradictions: [],
  signature: null,
  pictures: new Map(),
  listed: [],
  moment: 0,
  server: null,
  failure: null,
};

export interface Badge {
  readonly tone: "calm" | "busy" | "attention" | "alarm" | "unknown";
  readonly word: string;
  /** Who checked what, one sentence each. */
  readonly said: readonly string[];
  /** What is wrong, and where. */
  readonly places: readonly Place[];
}

const SAY = {
  checking: "Checking…",
  verified: "Verified",
  server: "Verified by the server",
  partly: "Not fully verified",
  alarm: "Not what was recorded",
  here: (what: string) => `Checked in this browser: ${what}.`,
  record: "the record",
  records: (many: number) => `${many} records`,
  progress: (done: number, all: number) => `${done} of ${count(all, "picture")} so far`,
  chain: (records: number, proved: number | null) =>
    `Chain checked by the server: ${count(records, "record")}${proved === null ? "" : `, vouched for by its signature up to record ${proved.toLocaleString("en-GB")}`}.`,
  unable: "This page is not on a secure connection, so the browser can’t compute hashes: only the server checked.",
  signatureGood: "The site’s signature is good (checked in this browser).",
  signatureUnsupported: "This browser can’t check Ed25519 signatures; the server did.",
  signatureAbsent: "The server gave no signed statement to check.",
  erasedPictures: (many: number) => `${count(many, "picture")} erased, as a signed statement in the record says.`,
  erasedRecord: "The record’s text was erased by retention; its hash is still in the chain.",
  unasked: (why: string) => `The server’s check of the chain is not known: ${why}`,
  placeRecord: (sequence: number) => `record ${sequence}`,
  placePicture: (picture: Picture, moment: number) =>
    `picture ${picture.number} of ${picture.camera} at ${relative(picture.received - moment)}`,
  placeHead: "signature",
  placeChain: "chain",
  alteredRecord: "its hash is not that of its text: one of the two was changed",
  foreignRecord: "its text belongs to another event",
  contradicted: (field: string) => `the page was told another ${field} than was recorded`,
  alteredPicture: "its bytes are not those that were recorded",
  missingPicture: "it is gone, and nothing in the record says why",
  forged: "the signature is forged, or its text was changed",
};

function places(found: Findings): Place[] {
  const out: Place[] = [];
  for (const { sequence, verdict } of found.records ?? []) {
    const where = SAY.placeRecord(sequence);
    if (verdict === "altered") out.push({ where, what: SAY.alteredRecord });
    if (verdict === "foreign") out.push({ where, what: SAY.foreignRecord });
  }
  for (const { sequence, field } of found.contradictions)
    out.push({ where: SAY.placeRecord(sequence), what: SAY.contradicted(field) });
  for (const picture of found.listed) {
    const verdict = found.pictures.get(picture.number);
    if (verdict !== "altered" && verdict !== "missing") continue;
    const what = verdict === "altered" ? SAY.alteredPicture : SAY.missingPicture;
    out.push({ where: SAY.placePicture(picture, found.moment), what });
  }
  if (found.signature === "forged") out.push({ where: SAY.placeHead, what: SAY.forged });
  for (const problem of found.server?.problems ?? []) out.push({ where: SAY.placeChain, what: problem });
  return out;
}

function checkedHere(found: Findings): string[] {
  if (!found.able) return [SAY.unable];
  const said: string[] = [];
  const records = found.records ?? [];
  const good = records.filter(({ verdict }) => verdict === "good").length;
  const pictures = [...found.pictures.values()].filter((verdict) => verdict === "good").length;
  const what = [
    ...(good ? [good === 1 ? SAY.record : SAY.records(good)] : []),
    ...(pictures
      ? [
          pictures < found.listed.length && !settled(found)
            ? SAY.progress(pictures, found.listed.length)
            : count(pictures, "picture"),
        ]
      : []),
  ];
  if (what.length) said.push(SAY.here(what.join(" and ")));
  if (records.some(({ verdict }) => verdict === "erased")) said.push(SAY.erasedRecord);
  if (found.signature === "good") said.push(SAY.signatureGood);
  if (found.signature === "unsupported") said.push(SAY.signatureUnsupported);
  if (found.signature === "absent") said.push(SAY.signatureAbsent);
  return said;
}

function settled(found: Findings): boolean {
  const seen = !found.able || found.listed.every(({ number }) => found.pictures.has(number));
  return seen && (found.server !== null || found.failure !== null) && (!found.able || found.records !== null);
}

/** Return what the badge says. "Verified" stands there only when all that can be checked was, and is right. */
export function badge(found: Findings): Badge {
  const wrong = places(found);
  const erased = [...found.pictures.values()].filter((verdict) => verdict === "erased").length;
  const said = [
    ...checkedHere(found),
    ...(erased ? [SAY.erasedPictures(erased)] : []),
    ...(found.server ? [SAY.chain(found.server.records, found.server.proved)] : []),
    ...(found.failure === null ? [] : [SAY.unasked(found.failure)]),
  ];
  if (wrong.length || found.server?.ok === false) return { tone: "alarm", word: SAY.alarm, said, places: wrong };
  if (!settled(found)) return { tone: "busy", word: SAY.checking, said, places: [] };
  if (found.server === null) return { tone: "attention", word: SAY.partly, said, places: [] };
  if (!found.able) return { tone: "calm", word: SAY.server, said, places: [] };
  const whole = found.records?.length && found.records.every(({ verdict }) => verdict === "good");
  const word = whole && found.signature !== "absent" ? SAY.verified : SAY.partly;
  return { tone: word === SAY.verified ? "calm" : "attention", word, said, places: [] };
}
