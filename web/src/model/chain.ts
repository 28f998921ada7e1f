// The record as a chain: what is hashed and signed, and where it isn't what was recorded. The browser computes anew
// what gatekeeper/evidence/chain.py computed, from the exact bytes; tests/vectors/chain.json holds the two together.

/** What a browser offers; `ed25519` is null where it can't. Injected, so that this file runs anywhere. */
export interface Crypto {
  sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  readonly ed25519:
    | ((key: Uint8Array, signature: Uint8Array, bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>)
    | null;
}

/** One link of the chain, hashes in hex: `body` is the exact JSON text, null where retention erased it. */
export interface ChainRecord {
  readonly sequence: number;
  readonly previous: string;
  readonly hash: string;
  readonly body: string | null;
}

/** A statement as it was signed: its exact text, and the signature in hex. */
export interface Signed {
  readonly statement: string;
  readonly signature: string;
}

/** A piece of the chain between two signed statements. */
export interface Run {
  readonly site: string;
  /** In their order: all of the piece, or where `whole` is false only some. */
  readonly records: readonly ChainRecord[];
  readonly whole: boolean;
  /** The checkpoint before the first record; null where that is the first of all. */
  readonly begin: Signed | null;
  /** The checkpoint or head about the last record. */
  readonly end: Signed | null;
  /** What else is signed about these records: checkpoints in between, what was pruned, what was erased. */
  readonly statements: readonly Signed[];
  /** Key id -> public key, hex. */
  readonly keys: Readonly<Record<string, string>>;
}

const ZERO = "00".repeat(32);
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

/** Return whether a record's hash is that of its body and the hash before. */
export async function isHashed(crypto: Crypto, { previous, hash, body }: ChainRecord): Promise<boolean> {
  const before = unhex(previous);
  if (before?.length !== 32 || body === null) return false;
  return hex(await crypto.sha256(joined(encoder.encode(EVENT), before, encoder.encode(body)))) === hash;
}

// --- statements ------------------------------------------------------------------------------------------------------

export interface Statement {
  readonly type: string;
  readonly sequence: number;
  readonly hash: string;
  readonly first: number;
  readonly previous: string;
  readonly event: string | null;
  readonly pictures: readonly string[];
  readonly time: number;
}

export type SignatureVerdict = "good" | "forged" | "unsupported";

function fieldsOf({ statement }: Signed): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(statement);
    return typeof fields === "object" && fields !== null ? (fields as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Return what a statement says; null if it is none, or another site's. Its signature is for `checkSigned`. */
export function read(signed: Signed, site: string): Statement | null {
  const said = fieldsOf(signed);
  if (typeof said.type !== "string" || typeof said.sequence !== "number" || typeof said.hash !== "string") return null;
  if (said.site !== site) return null;
  return {
    type: said.type,
    sequence: said.sequence,
    hash: said.hash,
    first: typeof said.first === "number" ? said.first : said.sequence,
    previous: String(said.previous ?? ""),
    event: typeof said.event === "string" ? said.event : null,
    pictures: Array.isArray(said.pictures) ? said.pictures.map(String) : [],
    time: Number(said.time),
  };
}

/** Check a statement's signature, and that the key is the one that the statement names. */
export async function checkSigned(crypto: Crypto, signed: Signed, keys: Run["keys"]): Promise<SignatureVerdict> {
  const name = fieldsOf(signed).key;
  const [key, signature] = [unhex(keys[String(name)] ?? ""), unhex(signed.signature)];
  if (key === null || key.length === 0 || signature === null) return "forged";
  if (hex(await crypto.sha256(key)).slice(0, 16) !== name) return "forged";
  if (crypto.ed25519 === null) return "unsupported";
  const text = joined(encoder.encode(STATEMENT), encoder.encode(signed.statement));
  return (await crypto.ed25519(key, signature, text)) ? "good" : "forged";
}

// --- the check -------------------------------------------------------------------------------------------------------

export type Fault =
  | "altered" // the hash isn't that of the body
  | "link" // it doesn't follow the record before
  | "missing"
  | "truncated" // something signed knows of later records
  | "order"
  | "foreign" // another site's, or its body says another number
  | "body" // the body is gone, and nothing signed says why
  | "signature"
  | "unsigned" // after the last record that something signed vouches for
  | "contradicted"; // something signed knows another hash here

export interface Problem {
  readonly sequence: number;
  readonly last: number;
  readonly fault: Fault;
}

export interface RunVerdict {
  /** Records whose hash was computed and is right. */
  readonly good: number;
  readonly first: number;
  readonly last: number;
  readonly whole: boolean;
  readonly signature: SignatureVerdict | "absent";
  /** When what vouches for the last record was signed, unix seconds; null where nothing does. */
  readonly signed: number | null;
  readonly problems: readonly Problem[];
  /** What was signed about pictures that are gone. */
  readonly erased: readonly Statement[];
}

interface Walk {
  sequence: number;
  /** The hash of the record before; null where it isn't known, after a fault. */
  hash: string | null;
  readonly problems: Problem[];
}

/** Check a piece of the chain: every hash, every link, and that both ends are what was signed. */
export async function checkRun(crypto: Crypto, run: Run): Promise<RunVerdict> {
  const problems: Problem[] = [];
  const all = [...(run.begin ? [run.begin] : []), ...run.statements, ...(run.end ? [run.end] : [])];
  const verdicts = await Promise.all(all.map((signed) => checkSigned(crypto, signed, run.keys)));
  const known = all.flatMap((signed, at) => {
    const statement = read(signed, run.site);
    if (statement !== null && verdicts[at] !== "forged") return [statement];
    const place = Number(fieldsOf(signed).sequence) || 0;
    problems.push({ sequence: place, last: place, fault: "signature" });
    return [];
  });
  const hashed = await Promise.all(run.records.map((record) => isHashed(crypto, record)));
  const begin = run.begin && read(run.begin, run.site);
  if (run.whole) walk(run, begin, known, hashed, problems);
  else
    for (const [at, record] of run.records.entries())
      if (!hashed[at]) problems.push(problem(record.sequence, record.body === null ? "body" : "altered"));
  return {
    good: hashed.filter(Boolean).length,
    first: run.records[0]?.sequence ?? 0,
    last: run.records.at(-1)?.sequence ?? 0,
    whole: run.whole,
    signature: run.end === null ? "absent" : worst(verdicts),
    signed: run.end === null ? null : (read(run.end, run.site)?.time ?? null),
    problems,
    erased: known.filter(({ type }) => type === "erased"),
  };
}

function worst(verdicts: readonly SignatureVerdict[]): SignatureVerdict {
  return verdicts.includes("forged") ? "forged" : verdicts.includes("unsupported") ? "unsupported" : "good";
}

function problem(sequence: number, fault: Fault, last = sequence): Problem {
  return { sequence, last, fault };
}

function walk(
  run: Run,
  begin: Statement | null,
  known: readonly Statement[],
  hashed: readonly boolean[],
  problems: Problem[],
): void {
  const pruned = known.filter(({ type }) => type === "pruned");
  const points = known.filter(({ type }) => type === "checkpoint" || type === "head" || type === "export");
  const at: Walk = { sequence: begin?.sequence ?? 0, hash: begin?.hash ?? ZERO, problems };
  for (const [index, record] of run.records.entries()) {
    if (record.sequence <= at.sequence) {
      problems.push(problem(record.sequence, "order"));
      continue;
    }
    bridge(at, record.sequence, pruned, "missing");
    const fault = faultOf(record, run.site, hashed[index] === true, at.hash, pruned);
    if (fault !== null) problems.push(problem(record.sequence, fault));
    at.sequence = record.sequence;
    at.hash = fault === "altered" ? null : record.hash; // which of the two was changed isn't known
    for (const point of points)
      if (point.sequence === record.sequence && point.hash !== record.hash)
        problems.push(problem(point.sequence, "contradicted"));
  }
  const reach = Math.max(0, ...points.map(({ sequence }) => sequence));
  const end = run.end && read(run.end, run.site);
  if (reach > at.sequence) bridge(at, reach + 1, pruned, "truncated");
  else if (end && end.sequence < at.sequence) problems.push(problem(end.sequence + 1, "unsigned", at.sequence));
}

/** Account for the records before `until` that aren't there: pruned and signed for, or gone. */
function bridge(at: Walk, until: number, pruned: readonly Statement[], fault: Fault): void {
  while (at.sequence + 1 < until) {
    const next = at.sequence + 1;
    const stone = pruned
      .filter(({ first, sequence }) => first === next && sequence < until)
      .reduce<Statement | null>((longest, one) => (longest && longest.sequence > one.sequence ? longest : one), null);
    if (stone === null) {
      const ahead = pruned.map(({ first }) => first).filter((first) => first > next && first < until);
      const last = Math.min(until, ...ahead) - 1;
      at.problems.push(problem(next, fault, last));
      at.sequence = last;
      at.hash = null;
      continue;
    }
    if (at.hash !== null && stone.previous !== at.hash) at.problems.push(problem(next, "link"));
    at.sequence = stone.sequence;
    at.hash = stone.hash;
  }
}

function faultOf(
  record: ChainRecord,
  site: string,
  hashed: boolean,
  before: string | null,
  pruned: readonly Statement[],
): Fault | null {
  const follows = before === null || record.previous === before;
  if (record.body === null) {
    const covered = pruned.some(({ first, sequence }) => first <= record.sequence && record.sequence <= sequence);
    return !covered ? "body" : follows ? null : "link";
  }
  if (!hashed) return "altered";
  if (!follows) return "link";
  try {
    const body = JSON.parse(record.body) as { sequence?: unknown; site?: unknown };
    return body.sequence === record.sequence && body.site === site ? null : "foreign";
  } catch {
    return "foreign";
  }
}

// --- one event -------------------------------------------------------------------------------------------------------

/** The fields of an event that its body vouches for, and that the page shows. */
const SHOWN = ["id", "sequence", "time", "kind", "subject", "outcome", "reason", "cause", "text"] as const;

/** Return the first field in which what is shown differs from what was recorded, or null. */
export function contradiction(body: string, shown: Readonly<Record<string, unknown>>): string | null {
  let recorded: Record<string, unknown>;
  try {
    recorded = JSON.parse(body) as Record<string, unknown>;
  } catch {
    return null; // its hash tells
  }
  for (const field of SHOWN) if ((recorded[field] ?? null) !== (shown[field] ?? null)) return field;
  const actor = (recorded.caller as { name?: unknown } | null)?.name ?? null;
  if (actor !== (shown.actor ?? null)) return "actor";
  return sorted(recorded.details) === sorted(shown.details) ? null : "details";
}

/** Return JSON text of a value with its keys in one order: over MessagePack or JSON they may come in another. */
function sorted(value: unknown): string {
  return JSON.stringify(value ?? {}, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
