// One event with all that belongs to it: what led to it and followed, its pictures, and whether all that is what was
// recorded. It fetches and computes; model/verification decides what follows from what was found.

import { type Signal, signal } from "@preact/signals";
import { browserCrypto } from "./crypto";
import { ask, askLong, fetchBytes, RequestFailed } from "./http";
import { type Bundle, bundleOf, type Picture } from "./model/film";
import { evidenceOf, type Told, told, type Verification, verificationOf } from "./model/told";
import type { SiteEvent } from "./model/types";
import {
  type ChainRecord,
  type Crypto,
  checkPicture,
  checkRecord,
  checkStatement,
  contradiction,
  type Findings,
  NOTHING_FOUND,
  type PictureVerdict,
} from "./model/verification";
import { fill, uris } from "./uris";

/** Pictures that are fetched at once: enough for a slow link to be busy, few enough for the live page's calls. */
const AT_ONCE = 4;

export class Case {
  readonly id: string;
  readonly told: Signal<Told | null> = signal(null);
  readonly bundle: Signal<Bundle | null> = signal(null);
  readonly failure: Signal<RequestFailed | null> = signal(null);
  readonly findings: Signal<Findings> = signal(NOTHING_FOUND);
  /** The pictures whose bytes are here, by number. */
  readonly pictures: Signal<ReadonlyMap<number, Blob>> = signal(new Map());
  #open = true;

  constructor(id: string) {
    this.id = id;
  }

  /** Learn everything, then check it. */
  async load(): Promise<void> {
    try {
      const answer = told(await ask<unknown>("GET", fill(uris.EVENT, { event: this.id })));
      if (!this.#open) return;
      this.#take(answer);
      await this.#verify(answer);
    } catch (reason) {
      if (this.#open) this.failure.value = failed(reason);
    }
  }

  /** Learn anew what may have changed: the hold, and what followed from it. The check is made anew too. */
  async reload(): Promise<void> {
    this.failure.value = null;
    await this.load();
  }

  /** Put it on hold, or don't any more; rejects with RequestFailed. */
  async hold(held: boolean): Promise<void> {
    await ask(held ? "PUT" : "DELETE", fill(uris.EVENT_HOLD, { event: this.id }));
    const answer = told(await ask<unknown>("GET", fill(uris.EVENT, { event: this.id })));
    if (this.#open) this.told.value = answer;
  }

  /** Stop fetching: the page shows something else. */
  close(): void {
    this.#open = false;
  }

  #take(answer: Told): void {
    this.told.value = answer;
    this.bundle.value = bundleOf(evidenceOf(answer)?.details ?? null);
  }

  async #verify(answer: Told): Promise<void> {
    const crypto = await browserCrypto();
    const bundle = this.bundle.value;
    this.findings.value = {
      ...NOTHING_FOUND,
      able: crypto !== null,
      listed: bundle?.pictures ?? [],
      moment: bundle?.moment ?? 0,
    };
    await Promise.all([this.#askServer(crypto, answer), this.#fetch(crypto, bundle?.pictures ?? [])]);
  }

  async #askServer(crypto: Crypto | null, answer: Told): Promise<void> {
    try {
      const said = verificationOf(await askLong<unknown>("GET", fill(uris.EVENT_VERIFY, { event: this.id })));
      if (!this.#open) return;
      this.#find({ server: said.server, pictures: this.#erased(said) });
      if (crypto !== null) await this.#checkHere(crypto, answer, said);
    } catch (reason) {
      if (this.#open) this.#find({ failure: failed(reason).message, records: [], signature: "absent" });
    }
  }

  async #checkHere(crypto: Crypto, answer: Told, said: Verification): Promise<void> {
    const shown = [answer.event, ...answer.causes, ...answer.consequences];
    const records: Findings["records"] = await Promise.all(
      said.records.map(async (record) => ({
        sequence: record.sequence,
        verdict: await checkRecord(
          crypto,
          record,
          shown.find(({ sequence }) => sequence === record.sequence) ?? NOBODY,
        ),
      })),
    );
    const contradictions = said.records.flatMap((record) => differences(record, shown));
    const signature = await checkStatement(crypto, said.signed);
    if (this.#open) this.#find({ records, contradictions, signature });
  }

  /** Pictures that a signed statement erased: they aren't missing. */
  #erased({ erased }: Verification): ReadonlyMap<number, PictureVerdict> {
    const found = new Map(this.findings.value.pictures);
    for (const { number, sha256 } of this.findings.value.listed)
      if (erased.has(sha256) && found.get(number) !== "good") found.set(number, "erased");
    return found;
  }

  async #fetch(crypto: Crypto | null, pictures: readonly Picture[]): Promise<void> {
    // Those around the action first: that is where the player stands.
    const moment = this.findings.value.moment;
    const waiting = [...pictures].sort((one, other) => distance(one, moment) - distance(other, moment));
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next && this.#open; next = waiting.shift()) await this.#fetchOne(crypto, next);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async #fetchOne(crypto: Crypto | null, picture: Picture): Promise<void> {
    const path = fill(uris.EVENT_FRAME, { event: this.id, number: picture.number });
    try {
      const bytes = await fetchBytes(path);
      const verdict = crypto === null ? null : await checkPicture(crypto, picture, bytes);
      if (!this.#open) return;
      if (verdict) this.#judge(picture.number, verdict);
      // What doesn't match is not shown: it isn't a picture of this.
      if (verdict !== "altered")
        this.pictures.value = new Map(this.pictures.value).set(
          picture.number,
          new Blob([bytes], { type: "image/jpeg" }),
        );
    } catch (reason) {
      if (this.#open) this.#judge(picture.number, absence(failed(reason)));
    }
  }

  #judge(number: number, verdict: PictureVerdict): void {
    const known = this.findings.value.pictures.get(number);
    if (known === "erased") return;
    this.#find({ pictures: new Map(this.findings.value.pictures).set(number, verdict) });
  }

  #find(more: Partial<Findings>): void {
    this.findings.value = { ...this.findings.value, ...more };
  }
}

const NOBODY = { id: "", sequence: 0 };

function distance(picture: Picture, moment: number): number {
  return Math.abs(picture.received - moment);
}

function failed(reason: unknown): RequestFailed {
  return reason instanceof RequestFailed ? reason : new RequestFailed(String(reason), "internal");
}

/** What a picture that can't be had is. */
function absence(reason: RequestFailed): PictureVerdict {
  return reason.code === "erased" ? "erased" : "missing";
}

function differences(record: ChainRecord, shown: readonly SiteEvent[]): Findings["contradictions"] {
  const event = shown.find(({ sequence }) => sequence === record.sequence);
  if (event === undefined || record.body === null) return [];
  try {
    const field = contradiction(record.body, { ...event });
    return field === null ? [] : [{ sequence: record.sequence, field }];
  } catch {
    return []; // a body that is no JSON: its hash tells
  }
}
