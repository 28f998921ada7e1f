// What the page says of proofs that a real site can't be brought to on demand: a chain that was tampered with, pictures
// that were erased, a bundle that was cut short, and a page on an insecure channel.

import { createHash } from "node:crypto";
import { expect, type Page, test } from "@playwright/test";
import type { SiteEvent } from "../src/model/types";
import { event, T0 } from "../tests/fixtures";
import { FakeChain, FakeSite } from "./fake";

interface Told {
  readonly site: FakeSite;
  readonly chain: FakeChain;
  readonly opened: SiteEvent;
  readonly hashes: readonly string[];
}

/** A site with one opening on record, and eight pictures of it by two cameras, of which one was blind. */
async function tell(page: Page, url?: string): Promise<Told> {
  const site = new FakeSite(url);
  const chain = new FakeChain();
  const jpegs: Buffer[] = [];
  for (let number = 1; number <= 8; number++) {
    await page.setContent(`<body><h1>picture ${number}</h1>`);
    jpegs.push(await page.screenshot({ type: "jpeg", clip: { x: 0, y: 0, width: 320, height: 240 } }));
  }
  const hashes = jpegs.map((jpeg) => createHash("sha256").update(jpeg).digest("hex"));
  const opened = chain.record(
    event(1, {
      kind: "door.opened",
      actor: "ana",
      reason: "parcel",
      text: "ana opened",
      caller: CALLER,
      bundle: "partial",
    }),
  );
  const pictures = jpegs.map((_, at) => ({
    number: at + 1,
    camera: at % 2 ? "yard" : "entrance",
    received: opened.time - 2 + at / 2,
    width: 320,
    height: 240,
    size: 9,
    sha256: hashes[at],
  }));
  const details = {
    state: "partial",
    reasons: ["the server was stopped"],
    moment: opened.time,
    from: opened.time - 2,
    to: opened.time + 2,
    cameras: {
      entrance: { frames: 4, lost: 0, blind: [] },
      yard: { frames: 4, lost: 0, blind: [[opened.time + 0.2, opened.time + 1, "no picture came"]] },
    },
    pictures,
  };
  const stored = chain.record(
    event(2, { kind: "evidence.partial", cause: opened.id, text: "8 pictures kept", details }),
  );
  site.http.set(`GET /events/${opened.id}`, { body: opened });
  site.http.set("GET /events", { body: { events: [stored], next: null } });
  site.http.set(`GET /events/${opened.id}/verification`, { body: chain.verification() });
  for (const [at, bytes] of jpegs.entries()) site.http.set(`GET /events/${opened.id}/frames/${at + 1}.jpg`, { bytes });
  await site.serve(page);
  return { site, chain, opened, hashes };
}

const CALLER = { name: "ana", address: "192.0.2.7", client: "http", method: "key", key: "12ab", session: null };

async function show(page: Page, { site, opened }: Told): Promise<void> {
  await page.goto(`${site.url}/#/events/${opened.id}`);
}

const word = (page: Page) => page.getByTestId("verified-word");

test("a whole chain and its pictures are verified here; a bundle that was cut short says so", async ({ page }) => {
  const told = await tell(page);
  await show(page, told);
  await expect(word(page)).toHaveText("Verified");
  await expect(page.getByTestId("verified-said")).toContainText("8 pictures");
  await expect(page.getByTestId("film-whole")).toHaveText("Not all pictures are there: the server was stopped.");
  await expect(page.getByTestId("gap-yard")).toContainText("Blind for 0.8 s, from +0.2 s to +1.0 s: no picture came");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: "../artefacts/event-partial-dark.png", fullPage: true });
  await page.setViewportSize({ width: 360, height: 800 });
  await page.screenshot({ path: "../artefacts/event-partial-360-dark.png", fullPage: true });
});

test("a record that was changed with its hash made anew is found by its neighbour", async ({ page }) => {
  const told = await tell(page);
  const other = new FakeChain();
  other.record({ ...told.opened, reason: "something else" });
  const [first] = other.records;
  const [, second] = told.chain.records;
  const said = told.chain.verification();
  told.site.http.set(`GET /events/${told.opened.id}/verification`, { body: { ...said, records: [first, second] } });
  await show(page, told);
  await expect(word(page)).toHaveText("Not what was recorded");
  await expect(page.getByTestId("verified-places")).toContainText("record 2: it does not follow the record before");
  await expect(page.getByTestId("verified-places")).toContainText("record 1: the page was told another reason");
});

test("a signature by another key than the one that it names is an alarm", async ({ page }) => {
  const told = await tell(page);
  const said = told.chain.verification() as { end: { statement: string; signature: string } };
  const end = { ...said.end, signature: said.end.signature.replace(/^../, (byte) => (byte === "00" ? "01" : "00")) };
  told.site.http.set(`GET /events/${told.opened.id}/verification`, { body: { ...said, end } });
  await show(page, told);
  await expect(page.getByTestId("verified-places")).toContainText("the signature of what vouches for it is forged");
});

test("a picture that isn’t the recorded one is an alarm and isn’t shown", async ({ page }) => {
  const told = await tell(page);
  const frame = (number: number) => `GET /events/${told.opened.id}/frames/${number}.jpg`;
  told.site.http.set(frame(5), told.site.http.get(frame(6)) ?? {});
  await show(page, told);
  await expect(word(page)).toHaveText("Not what was recorded");
  await expect(page.getByTestId("verified-places")).toContainText("picture 5 of entrance at +0.0 s: its bytes are not");
  await expect(page.getByTestId("film")).toContainText("not those that were recorded: it is not shown");
});

test("pictures that were erased, and signed for, are shown as erased and are no alarm", async ({ page }) => {
  const told = await tell(page);
  const gone = [1, 2, 3];
  for (const number of gone) told.site.http.delete(`GET /events/${told.opened.id}/frames/${number}.jpg`);
  const pictures = gone.map((number) => told.hashes[number - 1] ?? "");
  const said = told.chain.verification({ event: told.opened.id, pictures });
  told.site.http.set(`GET /events/${told.opened.id}/verification`, { body: said });
  await show(page, told);
  await expect(word(page)).toHaveText("Verified");
  await expect(page.getByTestId("verified-said")).toContainText("3 pictures erased, as a signed statement says.");
  await page.getByTestId("film-axis").press("Home");
  await expect(page.getByTestId("film")).toContainText("This picture was erased");
});

test("without a secure connection the server’s check is said to be the server’s", async ({ page }) => {
  const told = await tell(page, "http://gatekeeper.example");
  await show(page, told);
  await expect(word(page)).toHaveText("Verified by the server");
  await expect(page.getByTestId("verified-said")).toContainText("not on a secure connection");
  await expect(page.getByTestId("verified-said")).toContainText("Chain checked by the server: 2 records");
});

test("an event that follows while it is looked at appears, and what was missed comes once", async ({ page }) => {
  const told = await tell(page);
  told.site.procedures.set("gatekeeper.event.list", () => ({ events: [told.opened], next: null }));
  await page.goto(`${told.site.url}/#/events`);
  const lines = page.getByTestId("timeline").locator("a[data-kind]");
  await expect(lines).toHaveCount(1);
  const next = event(7, { kind: "door.locked", text: "locked", time: T0 + 7 });
  await expect.poll(() => told.site.happen(next)).toBe(true);
  await expect(lines).toHaveCount(2);
  told.site.happen(next);
  await expect(lines).toHaveCount(2);
});
