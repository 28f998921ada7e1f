// The timeline and the evidence of a real opening: virtual cameras and locks, a server, its files.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, expectLocked, openedWithPictures, pixelsOf, test } from "./dashboard";

test.beforeEach(async ({ dashboard }) => expectLocked(dashboard));

test("the timeline lists what happened, and shows what happens while it is looked at", async ({ dashboard, site }) => {
  await dashboard.getByTestId("to-events").click();
  const timeline = dashboard.getByTestId("timeline");
  await expect(timeline).toContainText("Today");
  await expect(timeline.locator('a[data-kind="system.started"]').first()).toBeVisible();
  await site.ask("POST", "/doors/back/open", { reason: "seen live" });
  await expect(timeline.locator('a[data-kind="door.opened"]', { hasText: "seen live" })).toHaveCount(1);
  await expectLockedOver(site, "back");
});

test("filters are in the address, hold for what comes, and the back button leaves the timeline", async ({
  dashboard,
  site,
}) => {
  await dashboard.getByTestId("to-events").click();
  const lines = dashboard.getByTestId("timeline").locator("a[data-kind]");
  await expect(lines.first()).toBeVisible();
  await dashboard.getByTestId("filter-group").selectOption("cameras");
  await expect(dashboard).toHaveURL(/#\/events\?group=cameras$/);
  await expect(lines.filter({ hasText: "camera.live" }).first()).toBeVisible();
  await expect.poll(async () => (await kindsOf(lines)).every((kind) => kind.startsWith("camera."))).toBe(true);
  await dashboard.getByTestId("filter-group").selectOption("doors");
  await dashboard.getByTestId("filter-subject").selectOption("front");
  await dashboard.getByTestId("filter-outcome").selectOption("ok");
  await site.ask("POST", "/doors/back/open", { reason: "not wanted" });
  await site.ask("POST", "/doors/front/open", { reason: "wanted" });
  await expect(lines.filter({ hasText: "wanted" }).first()).toBeVisible();
  expect((await kindsOf(lines)).every((kind) => kind.startsWith("door."))).toBe(true);
  await expect(lines.filter({ hasText: "not wanted" })).toHaveCount(0);

  const address = dashboard.url();
  await dashboard.reload();
  await expect(dashboard.getByTestId("filter-subject")).toHaveValue("front");
  await expect(lines.filter({ hasText: "wanted" }).first()).toBeVisible();
  expect(dashboard.url()).toBe(address);

  await dashboard.getByTestId("filter-clear").click();
  await expect(lines.filter({ hasText: "not wanted" }).first()).toBeVisible();
  await dashboard.getByTestId("filter-day").fill("2020-01-01");
  await expect(dashboard.getByTestId("timeline")).toContainText("Nothing that happened is like that.");
  await dashboard.getByTestId("filter-clear").click();
  await expect(lines.first()).toBeVisible();
  await expectLockedOver(site, "front");
  await expectLockedOver(site, "back");
});

test("an opening shows who, why and its pictures, and is verified in the browser", async ({ dashboard, site }) => {
  const id = await openedWithPictures(site, "front", "parcel for number 7");
  await dashboard.goto(`${site.url}/#/events/${id}`);
  const event = dashboard.getByTestId("event");
  await expect(event.getByTestId("event-who")).toHaveText("admin");
  await expect(event.getByTestId("event-why")).toHaveText("parcel for number 7");
  await expect(event.getByTestId("event-outcome")).toHaveText("ok");
  await expect(event.getByTestId("chain").locator('a[data-kind="evidence.stored"]')).toBeVisible();
  await expect(event.getByTestId("chain").locator('a[data-kind="door.open_requested"]')).toBeVisible();

  await expect(event.getByTestId("verified-word")).toHaveText("Verified");
  const said = event.getByTestId("verified-said");
  await expect(said).toContainText(/Checked in this browser: the chain of \d+ records/);
  await expect(said).toContainText(/the site’s signature of /);
  const { details } = await site.ask<{ details: { pictures: unknown[] } }>(
    "GET",
    `/events/${await storedOf(site, id)}`,
  );
  await expect(said).toContainText(`${details.pictures.length} pictures`);

  const screen = event.getByTestId("screen-entrance");
  await expect.poll(() => pixelsOf(screen)).not.toBe(0);
  const first = await pixelsOf(screen);
  await event.getByTestId("film-axis").focus();
  for (let step = 0; step < 5; step++) await dashboard.keyboard.press("ArrowRight");
  await expect(event.getByTestId("film-at")).toHaveText(/\+0\.\d s/);
  await expect.poll(() => pixelsOf(screen)).not.toBe(first);
  await dashboard.keyboard.press("Home");
  await expect(event.getByTestId("film-at")).toHaveText(/−2\.\d s/);
  await dashboard.keyboard.press("End");
  await expect(event.getByTestId("film-at")).toHaveText(/\+2\.\d s/);
  await dashboard.keyboard.press("Home");
  await dashboard.keyboard.press("Space");
  await expect(event.getByTestId("film-play")).toHaveText("Pause");
  await expect(event.getByTestId("film-at")).toHaveText(/\+1\.\d s/);
  await dashboard.keyboard.press("Space");
  await expect(event.getByTestId("film-play")).toHaveText("Play");
  const axis = await event.getByTestId("film-axis").boundingBox();
  if (axis) await dashboard.mouse.click(axis.x + axis.width / 2, axis.y + 10);
  await expect(event.getByTestId("film-at")).toHaveText(/[+−]0\.[01] s/);

  await event.getByTestId("chain").locator('a[data-kind="evidence.stored"]').click();
  await expect(dashboard.getByTestId("event-outcome")).toHaveText("ok");
  await expect(dashboard.getByTestId("film")).toBeVisible();
  await expect(dashboard.getByTestId("verified-word")).toHaveText("Verified");
});

test("a camera that was blind during an opening is drawn and said to have been", async ({ dashboard, site }) => {
  await site.cameras.entrance.fault("silent");
  await expect(dashboard.getByTestId("camera-entrance-state")).toHaveText(/stalled|offline/);
  const id = await openedWithPictures(site, "front", "in the dark");
  await site.cameras.entrance.fault("none");
  await dashboard.goto(`${site.url}/#/events/${id}`);
  await expect(dashboard.getByTestId("gap-entrance")).toContainText(/Blind for \d/);
  await expect(dashboard.getByTestId("verified-word")).toHaveText("Verified");
  await dashboard.screenshot({ path: "../artefacts/event-blind.png", fullPage: true });
  await dashboard.goto(site.url);
  await expect(dashboard.getByTestId("camera-entrance-state")).toHaveText("live", { timeout: 20_000 });
});

test("a picture that was changed on the disk is a loud alarm with its place, and is not shown", async ({
  dashboard,
  site,
  guard,
}) => {
  guard.expected.push(/404|409|500|502|503/); // a server that looks itself gives no such picture
  const id = await openedWithPictures(site, "front", "tampered picture");
  const file = await aPictureOf(site, id);
  const bytes = await readFile(file);
  const changed = Buffer.from(bytes);
  changed[changed.length - 20] = (changed[changed.length - 20] ?? 0) ^ 1;
  await writeFile(file, changed);
  await dashboard.goto(`${site.url}/#/events/${id}`);
  await expect(dashboard.getByTestId("verified")).toHaveAttribute("data-tone", "alarm");
  await expect(dashboard.getByTestId("verified-word")).toHaveText("Not what was recorded");
  await expect(dashboard.getByTestId("verified-places")).toContainText(/picture \d+ of entrance at [+−]\d/);
  await dashboard.screenshot({ path: "../artefacts/event-tampered.png", fullPage: true });

  await writeFile(file, bytes);
  await dashboard.reload();
  await expect(dashboard.getByTestId("verified-word")).toHaveText("Verified");
});

test("a record that was changed in the database is an alarm with its number", async ({ dashboard, site }) => {
  const id = await openedWithPictures(site, "front", "tampered record");
  const rewrite = (from: string, to: string): Promise<string> =>
    site.python(
      "-c",
      "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); " +
        "c.execute('update events set body = cast(replace(cast(body as text), ?, ?) as blob) where id = ?', sys.argv[2:]); " +
        "c.commit()",
      join(site.data, "gatekeeper.sqlite"),
      from,
      to,
      id,
    );
  await rewrite("tampered record", "something else.");
  await dashboard.goto(`${site.url}/#/events/${id}`);
  const { sequence } = await site.ask<{ sequence: number }>("GET", `/events/${id}`);
  await expect(dashboard.getByTestId("verified")).toHaveAttribute("data-tone", "alarm");
  await expect(dashboard.getByTestId("verified-places")).toContainText(`record ${sequence}`);
  await rewrite("something else.", "tampered record");
  await dashboard.reload();
  await expect(dashboard.getByTestId("verified-word")).toHaveText("Verified");
});

test("a picture is erased by who may, and the record still verifies", async ({ dashboard, site, guard }) => {
  guard.expected.push(/404|410/);
  const id = await openedWithPictures(site, "front", "not to be kept");
  await dashboard.goto(`${site.url}/#/events/${id}`);
  await expect(dashboard.getByTestId("verified-word")).toHaveText("Verified");
  await dashboard.getByTestId("erase-entrance").click();
  await dashboard.getByTestId("confirm").click();
  await expect(dashboard.getByTestId("film")).toContainText("This picture was erased");
  await expect(dashboard.getByTestId("verified-word")).toHaveText("Verified");
  await expect(dashboard.getByTestId("verified-said")).toContainText("1 picture erased, as a signed statement says.");
});

test("an event is put on hold by somebody, and let go again", async ({ dashboard, site }) => {
  const id = await openedWithPictures(site, "front", "to be kept");
  await dashboard.goto(`${site.url}/#/events/${id}`);
  await dashboard.getByTestId("event-hold").click();
  await expect(dashboard.getByTestId("event-held")).toContainText(/On hold since .*, by admin/);
  await dashboard.getByRole("link", { name: /All events/ }).click();
  await expect(dashboard.getByTestId(`event-${id}`)).toContainText("on hold");
  await dashboard.getByTestId(`event-${id}`).click();
  await dashboard.getByTestId("event-hold").click();
  await expect(dashboard.getByTestId("event-hold")).toHaveText("Put on hold");
  await expect(dashboard.getByTestId("event-held")).toHaveCount(0);
});

test("an export is a case that anybody can check without the site", async ({ dashboard, site }) => {
  const id = await openedWithPictures(site, "front", "for the police");
  await dashboard.goto(`${site.url}/#/events/${id}`);
  const downloading = dashboard.waitForEvent("download");
  await dashboard.getByTestId("event-export").click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe(`${id}.zip`);
  const printed = await site.python("-m", "gatekeeper.evidence.verify", await download.path());
  expect(printed).toMatch(/\w/);
});

test("an event that isn’t there is said to be so", async ({ dashboard, site, guard }) => {
  guard.expected.push(/404/);
  await dashboard.goto(`${site.url}/#/events/01K00000000000000000000000`);
  await expect(dashboard.getByTestId("event")).toContainText("There is no such event");
});

type Asks = { ask<Answer>(method: string, path: string, body?: object): Promise<Answer> };

async function expectLockedOver(site: Asks, door: string): Promise<void> {
  await expect
    .poll(async () => (await site.ask<{ state: string }>("GET", `/doors/${door}`)).state, { timeout: 15_000 })
    .toBe("locked");
}

async function kindsOf(lines: ReturnType<import("@playwright/test").Page["locator"]>): Promise<string[]> {
  return lines.evaluateAll((all) => all.map((line) => line.getAttribute("data-kind") ?? ""));
}

/** Return the id of the event that lists an opening's pictures. */
async function storedOf(site: Asks, id: string): Promise<string> {
  const { events } = await site.ask<{ events: { id: string; cause: string | null }[] }>(
    "GET",
    "/events?kind=evidence.stored&limit=50",
  );
  return events.find(({ cause }) => cause === id)?.id ?? "";
}

/** Return the file of a picture of the camera `entrance` that belongs to an opening. */
async function aPictureOf(site: Asks & { data: string }, id: string): Promise<string> {
  const stored = await storedOf(site, id);
  const { details } = await site.ask<{ details: { pictures: { camera: string; sha256: string }[] } }>(
    "GET",
    `/events/${stored}`,
  );
  const hash = details.pictures.find(({ camera }) => camera === "entrance")?.sha256 ?? "";
  const folder = join(site.data, "pictures", hash.slice(0, 2));
  const file = (await readdir(folder)).find((name) => name.startsWith(hash)) ?? "";
  return join(folder, file);
}
