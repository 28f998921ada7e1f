// A session of measurements from its start to its file, with laptops that send over the real listener.

import { readFile } from "node:fs/promises";
import { test as base, expect, type Page } from "@playwright/test";
import { Guard, pixelsOf } from "./dashboard";
import { TOKEN, Towers } from "./site";

const PASSWORD = "correct horse battery";

const test = base.extend<{ guard: Guard }, { towers: Towers }>({
  towers: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from this pattern
    async ({}, use) => {
      const towers = await Towers.start([1, 2, 3], 40);
      await use(towers);
      await towers.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  guard: [
    async ({ page, towers }, use, info) => {
      const guard = new Guard(page, towers.url);
      await use(guard);
      if (info.status !== info.expectedStatus) await info.attach("server.log", { body: towers.log });
      else guard.check();
    },
    { auto: true },
  ],
});

test.describe.configure({ mode: "serial" });

async function come(page: Page, towers: Towers, credentials: object, where: string): Promise<void> {
  const answer = await page.request.post(`${towers.url}/login`, { data: credentials, headers: { Origin: towers.url } });
  expect(answer.ok(), await answer.text()).toBe(true);
  await page.goto(`${towers.url}/#/${where}`);
}

/** Count how often any canvas of the page is cleared, which each drawing of a chart begins with. */
async function drawings(page: Page, during: number): Promise<number> {
  return page.evaluate(async (milliseconds) => {
    const { prototype } = CanvasRenderingContext2D;
    const clear = prototype.clearRect;
    let count = 0;
    prototype.clearRect = function (...box) {
      count++;
      clear.apply(this, box);
    };
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    prototype.clearRect = clear;
    return count;
  }, during);
}

test("an admin starts a session, sees the towers move, stops it and takes the file away", async ({ page, towers }) => {
  await come(page, towers, { key: TOKEN }, "");
  await page.getByTestId("to-measurements").click();
  await expect(page.getByTestId("timer")).toHaveAttribute("data-state", "idle");
  await page.getByTestId("frequency-2.5").check({ force: true });
  await page.getByTestId("start").click();
  await expect(page.getByTestId("timer-word")).toHaveText("Running");

  const value = page.getByTestId("value-2-b");
  await expect(value).toHaveText(/^[+−]?\d+\.\d\d mm$/);
  const first = await value.textContent();
  await expect(value).not.toHaveText(first ?? "");
  await expect(page.getByTestId("value-8-b")).toHaveText(/^–/);
  await expect(page.getByTestId("most-2-b")).toHaveText(/^\d+\.\d\d$/);

  await towers.fault(3, "blind");
  await expect(page.getByTestId("value-3-b")).toHaveText(/^not detected/);
  await page.getByTestId("collapse-3").click();
  await expect(page.getByTestId("rows")).toContainText(/collapsed at \d/);

  await page.getByTestId("freeze").click();
  await expect(page.getByTestId("frozen")).toContainText("frozen since");
  const kept = await value.textContent();
  const seconds = await page.getByTestId("timer-seconds").textContent();
  await expect(page.getByTestId("timer-seconds")).not.toHaveText(seconds ?? "");
  await expect(value).toHaveText(kept ?? "");
  await page.getByTestId("freeze").click();

  await page.getByTestId("to-team-2").click();
  await expect(page.getByTestId("team-name")).toHaveText("Tim A-2");
  const chart = page.getByTestId("motion").locator("canvas");
  await expect(chart).toBeVisible();
  await expect(page.getByTestId("big-b")).toHaveText(/^[+−]?\d+\.\d\d$/);
  const before = await pixelsOf(chart);
  await expect.poll(() => pixelsOf(chart)).not.toBe(before);
  expect(await drawings(page, 1000), "pictures of the chart in a second").toBeGreaterThan(15);

  await page.goto(`${towers.url}/#/measurements`);
  await page.getByTestId("stop").click();
  await expect(page.getByTestId("timer")).toHaveAttribute("data-state", "idle");
  await expect(page.getByTestId("session-1")).toContainText("2.5 Hz");
  await page.getByTestId("session-1").locator("summary").click();
  const download = page.waitForEvent("download");
  await page.getByTestId("export-1-2-csv").click();
  const file = await readFile(await (await download).path(), "utf8");
  const lines = file.trim().split("\r\n");
  expect(lines[0]).toContain("Laptop_ID,Team_Name,Category");
  expect(lines.length).toBeGreaterThan(30);
  expect(lines.slice(1).every((line) => line.startsWith("2,Tim A-2,baja,"))).toBe(true);
});

test("a past run is drawn beside, and a chart to which nothing comes is not drawn again", async ({ page, towers }) => {
  await come(page, towers, { key: TOKEN }, "measurements/teams/2");
  const chart = page.getByTestId("motion").locator("canvas");
  await expect(chart).toBeVisible();
  const empty = await pixelsOf(chart);
  await page.getByTestId("compare-1").check();
  await expect.poll(() => pixelsOf(chart)).not.toBe(empty);
  await expect(page.getByTestId("big-b")).toHaveText("–");
  await expect.poll(() => drawings(page, 700)).toBe(0);
});

test("the page speaks Indonesian, also after it is loaded again", async ({ page, towers }) => {
  await come(page, towers, { key: TOKEN }, "measurements");
  await expect(page.getByRole("heading", { name: "Measurements" })).toBeVisible();
  await page.getByTestId("language").click();
  await expect(page.getByRole("heading", { name: "Pengukuran" })).toBeVisible();
  await expect(page.getByTestId("session-1")).toContainText("2,5 Hz");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("lang", "id");
  await expect(page.getByTestId("start")).toHaveText("Mulai");
});

test("a spectator sees the towers of teams that were granted, and nothing to press", async ({ page, towers }) => {
  const grants = [
    { kind: "team", thing: "1" },
    { kind: "team", thing: "2" },
  ];
  await towers.ask("POST", "/api/access/users", { name: "audience", role: "viewer", password: PASSWORD, grants });
  await come(page, towers, { name: "audience", password: PASSWORD }, "measurements");
  await expect(page.getByTestId("rows").locator("tbody")).toHaveCount(2);
  for (const control of ["start", "stop", "tap", "controls", "collapse-1"])
    await expect(page.getByTestId(control)).toHaveCount(0);

  await towers.ask("POST", "/measurements/start", { frequency: 3.5 });
  await expect(page.getByTestId("value-1-b")).toHaveText(/^[+−]?\d+\.\d\d mm$/);
  await page.getByTestId("to-screen").click();
  await expect(page.getByTestId("tower-1-most")).toHaveText(/^\d+\.\d mm$/);
  await expect(page.getByTestId("screen")).toContainText("3.5 Hz");
  await expect(page.getByTestId("screen").locator("button, input, select")).toHaveCount(0);
  await expect(page.locator("header.top")).toHaveCount(0);
});
