// One event with all that belongs to it: what led to it and followed, its pictures, and whether all that is what was
// recorded. It fetches and computes; model/verification decides what follows from what was found.

import { type Signal, signal } from "@preact/signals";
import { browserCrypto } from "./crypto";
import { ask, askLong, fetchBytes, RequestFailed } from "./http";
import { type Crypto, checkRun, contradiction, type Run, read } from "./model/chain";
import { type Bundle, bundleOf, type Picture } from "./model/film";
import { evidenceOf, followed, pictureHashes, type Told, type Verification, verificationOf } from "./model/told";
import type { SiteEvent } from "./model/types";
import { checkPicture, type Findings, NOTHING_FOUND, type PictureVerdict } from "./model/verification";
import { fill, uris } from "./uris";

/** Pictures that are fetched at once: enough for a slow link to be busy, few enough for the live page's calls. */
const AT_ONCE = 4;

/** Causes that are followed back; the longest real chain has four. */
const MOST_CAUSES = 20;

/** Seconds in which what follows from an event happens: an opening ends within its lease of an hour at most. */
const AFTERMATH = 3700;

/** Events that are looked through for what followed; the most that the server gives at once. */
const LOOKED_THROUGH = 500;

/** The kind of event by which something is put on hold, and how many of them are looked through for who it was. */
const HELD = "evidence.held";
const HOLDS = 50;

/** Where the key is remembered that a site's statements were signed with when this browser first saw one. */
const KEY_STORE = "gatekeeper.key.";

export class Case {
  readonly id: string;
  readonly told: Signal<Told | null> = signal(null);
  readonly bundle: Signal<Bundle | null> = signal(null);
  readonly failure: Signal<RequestFailed | null> = signal(null);
  readonly findings: Signal<Findings> = signal(NOTHING_FOUND);
  /** The pictures whose bytes are here, by number. */
  readonly pictures: Signal<ReadonlyMap<number, Blob>> = signal(new Map());
  /** The event that the pictures are kept with. */
  #filmed: string;
  #open = true;
  /** Which load is the newest: an older one that is still under way says nothing more. */
  #load = 0;

  constructor(id: string) {
    this.id = id;
    this.#filmed = id;
  }

  /** Learn everything, then check it; again when something followed. */
  async load(): Promise<void> {
    const load = ++this.#load;
    const isNewest = (): boolean => this.#open && load === this.#load;
    try {
      const told = await tell(this.id);
      if (!isNewest()) return;
      this.failure.value = null;
      const evidence = evidenceOf(told);
      const bundle = bundleOf(evidence?.details ?? null);
      this.told.value = told;
      this.#filmed = evidence?.cause ?? this.id;
      if (JSON.stringify(bundle) !== JSON.stringify(this.bundle.value)) this.bundle.value = bundle;
      await this.#verify(told, bundle, evidence, isNewest);
    } catch (reason) {
      if (isNewest()) this.failure.value = failed(reason);
    }
  }

  /** Put it on hold, or don't any more; rejects with RequestFailed. */
  async hold(held: boolean): Promise<void> {
    await ask(held ? "PUT" : "DELETE", fill(uris.EVENT_HOLD, { event: this.id }));
    const told = await tell(this.id);
    if (this.#open) this.told.value = told;
  }

  /** Erase a picture for ever; a signed statement stays. Rejects with RequestFailed. */
  async erase(number: number): Promise<void> {
    await ask("DELETE", fill(uris.EVENT_FRAME, { event: this.#filmed, number }));
    const without = <Value>(map: ReadonlyMap<number, Value>): Map<number, Value> =>
      new Map([...map].filter(([one]) => one !== number));
    this.pictures.value = without(this.pictures.value);
    this.findings.value = { ...this.findings.value, pictures: without(this.findings.value.pictures) };
    await this.load();
  }

  /** Stop fetching: the page shows something else. */
  close(): void {
    this.#open = false;
  }

  async #verify(told: Told, bundle: Bundle | null, evidence: SiteEvent | null, isNewest: () => boolean): Promise<void> {
    const crypto = await browserCrypto();
    const listed = bundle?.pictures ?? [];
    // What was found good before is: its bytes are here.
    const before = [...this.findings.value.pictures].filter(
      ([number, verdict]) => verdict === "good" && this.pictures.value.has(number),
    );
    const start = { able: crypto !== null, listed, moment: bundle?.moment ?? 0, pictures: new Map(before) };
    this.findings.value = { ...NOTHING_FOUND, ...start };
    const find = (more: Partial<Findings>): void => {
      if (isNewest()) this.findings.value = { ...this.findings.value, ...more };
    };
    await Promise.all([this.#checkChain(crypto, told, evidence, find), this.#fetch(crypto, listed, find, isNewest)]);
  }

  async #checkChain(
    crypto: Crypto | null,
    told: Told,
    evidence: SiteEvent | null,
    find: (more: Partial<Findings>) => void,
  ): Promise<void> {
    try {
      const said = await verification(this.id);
      const run = await withEvidence(said.run, evidence);
      const computed = crypto && (await checkRun(crypto, run));
      // What is signed for is known also where it can't be checked here: then it is the server's word.
      const erased = computed?.erased ?? run.statements.flatMap((one) => read(one, run.site) ?? []);
      find({
        server: said.server,
        run: computed,
        contradictions: crypto ? contradictions(run, evidence ? [told.event, evidence] : [told.event]) : [],
        sameKey: sameKey(said),
      });
      const gone = pictureHashes(erased, this.#filmed);
      find({ pictures: withErased(this.findings.value, gone) });
    } catch (reason) {
      find({ failure: failed(reason).message });
    }
  }

  async #fetch(
    crypto: Crypto | null,
    pictures: readonly Picture[],
    find: (more: Partial<Findings>) => void,
    isNewest: () => boolean,
  ): Promise<void> {
    // Those around the action first: that is where the player stands.
    const { moment, pictures: known } = this.findings.value;
    const wanted = pictures.filter(({ number }) => !known.has(number));
    const waiting = wanted.sort((one, other) => distance(one, moment) - distance(other, moment));
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next && isNewest(); next = waiting.shift()) {
        const verdict = await this.#fetchOne(crypto, next, find);
        const known = this.findings.value.pictures;
        if (verdict && known.get(next.number) !== "erased")
          find({ pictures: new Map(known).set(next.number, verdict) });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async #fetchOne(
    crypto: Crypto | null,
    picture: Picture,
    find: (more: Partial<Findings>) => void,
  ): Promise<PictureVerdict | null> {
    const path = fill(uris.EVENT_FRAME, { event: this.#filmed, number: picture.number });
    try {
      const bytes = await fetchBytes(path);
      const verdict = crypto && (await checkPicture(crypto, picture, bytes));
      // What doesn't match is not shown: it isn't a picture of this.
      if (this.#open && verdict !== "altered") this.#keep(picture.number, new Blob([bytes], { type: "image/jpeg" }));
      return verdict;
    } catch (reason) {
      const { code, message } = failed(reason);
      if (code === "denied") return "hidden";
      find({ reasons: new Map(this.findings.value.reasons).set(picture.number, message) });
      return "missing";
    }
  }

  #keep(number: number, picture: Blob): void {
    this.pictures.value = new Map(this.pictures.value).set(number, picture);
  }
}

/** Ask for an event, what led to it, and what followed. */
async function tell(id: string): Promise<Told> {
  const event = await ask<SiteEvent>("GET", fill(uris.EVENT, { event: id }));
  const [causes, consequences, holding] = await Promise.all([causesOf(event), consequencesOf(event), holdingOf(event)]);
  return { event, causes, consequences, holding };
}

/** Return the event by which it was put on hold; null where that can't be told. */
async function holdingOf(event: SiteEvent): Promise<SiteEvent | null> {
  if (!event.held) return null;
  const subject = event.subject === null ? {} : { subject: event.subject };
  const found = await list({ kind: HELD, ...subject, limit: String(HOLDS) }).catch(() => []);
  return found.find(({ details }) => Array.isArray(details.events) && details.events.includes(event.id)) ?? null;
}

async function causesOf(event: SiteEvent): Promise<readonly SiteEvent[]> {
  const found: SiteEvent[] = [];
  for (let next = event.cause; next !== null && found.length < MOST_CAUSES; next = found[0]?.cause ?? null)
    try {
      found.unshift(await ask<SiteEvent>("GET", fill(uris.EVENT, { event: next })));
    } catch {
      break; // it isn't kept any more, or isn't for us to see
    }
  return found;
}

async function consequencesOf(event: SiteEvent): Promise<readonly SiteEvent[]> {
  const later = await list({
    after: String(event.sequence),
    until: String(event.time + AFTERMATH),
    order: "oldest",
    limit: String(LOOKED_THROUGH),
  });
  return followed(event.id, later);
}

async function list(query: Readonly<Record<string, string>>): Promise<readonly SiteEvent[]> {
  const path = `${uris.EVENTS}?${new URLSearchParams(query)}`;
  const answer = await ask<{ readonly events: readonly SiteEvent[] } | readonly SiteEvent[]>("GET", path);
  return "events" in answer ? answer.events : answer;
}

async function verification(id: string): Promise<Verification> {
  return verificationOf(await askLong<unknown>("GET", fill(uris.EVENT_VERIFY, { event: id })));
}

/** Whoever may not see a whole piece of the chain gets one record; the one that lists the pictures is asked for too. */
async function withEvidence(run: Run, evidence: SiteEvent | null): Promise<Run> {
  if (evidence === null || run.records.some(({ sequence }) => sequence === evidence.sequence)) return run;
  const other = (await verification(evidence.id)).run;
  const records = other.records.filter(({ sequence }) => sequence === evidence.sequence);
  return {
    ...run,
    whole: false,
    records: [...run.records, ...records],
    statements: [...run.statements, ...other.statements],
  };
}

/** Hold what the page shows to what was recorded; what wasn't recorded at all is the first contradiction. */
function contradictions(run: Run, shown: readonly SiteEvent[]): Findings["contradictions"] {
  return shown.flatMap((event) => {
    const record = run.records.find(({ sequence }) => sequence === event.sequence);
    if (record === undefined) return [{ sequence: event.sequence, field: "record" }];
    const field = record.body === null ? null : contradiction(record.body, { ...event });
    return field === null ? [] : [{ sequence: event.sequence, field }];
  });
}

function withErased(found: Findings, gone: ReadonlySet<string>): ReadonlyMap<number, PictureVerdict> {
  const verdicts = new Map(found.pictures);
  for (const { number, sha256 } of found.listed)
    if (gone.has(sha256) && verdicts.get(number) !== "good") verdicts.set(number, "erased");
  return verdicts;
}

/** Return whether this browser knows the site by a key that still vouches; null, and remember it, if it knew none. */
function sameKey({ run, key }: Verification): boolean | null {
  try {
    const known = localStorage.getItem(KEY_STORE + run.site);
    if (known === null) localStorage.setItem(KEY_STORE + run.site, key);
    return known === null ? null : known === key || known in run.keys;
  } catch {
    return null; // a browser that keeps nothing
  }
}

function distance(picture: Picture, moment: number): number {
  return Math.abs(picture.received - moment);
}

function failed(reason: unknown): RequestFailed {
  return reason instanceof RequestFailed ? reason : new RequestFailed(String(reason), "internal");
}
