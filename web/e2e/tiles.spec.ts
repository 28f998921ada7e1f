// A wall of 60 cameras on one page and one connection. They are few virtual cameras, each at many addresses' end.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect, type Page } from "@playwright/test";
import type { LineProcess } from "./process";
import { Device, freePort, SERVING, TOKEN, twistd } from "./site";

const TILES = 60;
const DEVICES = 3;

/** Of each camera. Where there is a machine for it, more can be asked for, to measure. */
const FPS = Number(process.env.TILES_FPS ?? 4);

/** All 60 in one view. */
const WALL = { width: 2600, height: 1700 };

/** Looks at the wall, four a second. */
const LOOKS = 32;

interface Status {
  readonly id: string;
  readonly state: string;
  readonly viewers: number;
}

class Wall {
  constructor(
    readonly url: string,
    readonly server: LineProcess,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<Wall> {
    const folder = await mkdtemp(join(tmpdir(), "gatekeeper-e2e-"));
    const fps = ["--serve-all", "--fps", String(FPS)];
    const seeds = Array.from({ length: DEVICES }, (_, index) => String(index + 1));
    const devices = await Promise.all(seeds.map((seed) => Device.start("camera", folder, ...fps, "--seed", seed)));
    const port = await freePort();
    const cameras = Array.from({ length: TILES }, (_, index) => {
      const device = devices[index % DEVICES]?.port;
      return `[[cameras]]\nid = "c${index}"\nurl = "http://127.0.0.1:${device}/stream?camera=${index}"\n`;
    });
    const head = `listen = "tcp:${port}:interface=127.0.0.1"\n[access]\nadmin_token = {env = "GATEKEEPER_E2E_TOKEN"}\n`;
    await writeFile(join(folder, "site.toml"), [head, ...cameras].join("\n"));
    const server = twistd(folder, { GATEKEEPER_E2E_TOKEN: TOKEN }, "--config", join(folder, "site.toml"));
    await server.line(SERVING);
    return new Wall(`http://127.0.0.1:${port}`, server, async () => {
      await server.stop();
      await Promise.all(devices.map((device) => device.stop()));
      await rm(folder, { recursive: true, force: true });
    });
  }

  async cameras(): Promise<readonly Status[]> {
    const answer = await fetch(`${this.url}/cameras`, { headers: { Authorization: `Bearer ${TOKEN}` } });
    return (await answer.json()) as Status[];
  }

  /** Return the cameras whose pictures somebody takes now. */
  async watched(): Promise<string[]> {
    return (await this.cameras()).filter(({ viewers }) => viewers > 0).map(({ id }) => id);
  }

  /** Return the seconds of CPU that the server has used, its threads included. */
  async cpu(): Promise<number> {
    const fields = (await readFile(`/proc/${this.server.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }
}

const test = base.extend<{ wallPage: Page }, { wall: Wall }>({
  wall: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from this pattern
    async ({}, use) => {
      const wall = await Wall.start();
      await use(wall);
      await wall.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  wallPage: async ({ page, wall }, use) => {
    await page.request.post(`${wall.url}/login`, { data: { key: TOKEN }, headers: { Origin: wall.url } });
    await page.goto(wall.url);
    await expect(page.getByTestId("connection")).toHaveText("Connected");
    await use(page);
  },
});

/** Return the ids of the tiles that are in view, in part at least. */
async function inView(page: Page): Promise<string[]> {
  return page.locator("article.camera canvas").evaluateAll((canvases) =>
    canvases
      .filter((canvas) => {
        const { top, bottom } = canvas.getBoundingClientRect();
        return bottom > 0 && top < window.innerHeight;
      })
      .map((canvas) => canvas.closest("article")?.dataset.testid?.replace("camera-", "") ?? ""),
  );
}

test("only the tiles in view bring pictures, and scrolling takes them along", async ({ wallPage: page, wall }) => {
  await expect(page.locator("article.camera")).toHaveCount(TILES);
  const first = await inView(page);
  expect(first.length).toBeLessThan(TILES / 2);
  await expect.poll(async () => (await wall.watched()).sort()).toEqual([...first].sort());
  for (const id of first) await expect(page.getByTestId(`camera-${id}-state`)).toHaveText("live");

  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await expect(page.getByTestId(`camera-c${TILES - 1}-state`)).toHaveText("live");
  const last = await inView(page);
  expect(last).not.toContain("c0");
  await expect.poll(async () => (await wall.watched()).sort()).toEqual([...last].sort());

  await page.evaluate(() => window.scrollTo(0, 0));
  await expect(page.getByTestId("camera-c0-state")).toHaveText("live");
});

test("a tab in the background brings nothing, and its pictures are back with it", async ({ wallPage: page, wall }) => {
  const turn = (state: string): Promise<void> =>
    page.evaluate((to) => {
      Object.defineProperty(document, "visibilityState", { value: to, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await expect.poll(async () => (await wall.watched()).length).toBeGreaterThan(0);
  await turn("hidden");
  await expect.poll(() => wall.watched()).toEqual([]);
  await expect(page.getByTestId("connection")).toHaveText("Connected");
  await turn("visible");
  await expect.poll(async () => (await wall.watched()).length).toBeGreaterThan(0);
  await expect(page.getByTestId("camera-c0-state")).toHaveText("live");
});

test("60 tiles in one view each show new pictures, with their measured ages", async ({ wallPage: page, wall }) => {
  await page.evaluate(() => {
    const { drawImage } = CanvasRenderingContext2D.prototype;
    const counted = window as unknown as { drawn: number };
    counted.drawn = 0;
    CanvasRenderingContext2D.prototype.drawImage = function (...given: unknown[]): void {
      counted.drawn += 1;
      Reflect.apply(drawImage, this, given);
    };
  });
  await page.setViewportSize(WALL);
  await expect.poll(async () => (await wall.watched()).length, { timeout: 20_000 }).toBe(TILES);
  const [cpu, began] = [await wall.cpu(), Date.now()];
  const measured = await page.evaluate(async (looks) => {
    const read = (what: string): string[] =>
      [...document.querySelectorAll(`[data-testid$="-${what}"]`)].map((span) => span.textContent ?? "");
    const seen = new Map<number, Set<string>>();
    const delays: number[] = [];
    const counted = window as unknown as { drawn: number };
    const [before, began] = [counted.drawn, performance.now()];
    for (let look = 0; look < looks; look++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      read("delay").forEach((delay, tile) => {
        const known = seen.get(tile) ?? new Set();
        if (Number.isFinite(Number.parseFloat(delay)) && !known.has(delay)) delays.push(Number.parseFloat(delay));
        seen.set(tile, known.add(delay));
      });
    }
    const drawn = ((counted.drawn - before) / (performance.now() - began)) * 1e3;
    const fewest = Math.min(...[...seen.values()].map(({ size }) => size));
    return { delays: delays.sort((a, b) => a - b), drawn, fewest };
  }, LOOKS);
  const used = ((await wall.cpu()) - cpu) / ((Date.now() - began) / 1e3);
  const { delays, drawn, fewest } = measured;
  const at = (share: number): number => delays[Math.floor(delays.length * share)] ?? Number.NaN;
  const told =
    `${TILES} tiles: ${drawn.toFixed(0)} pictures/s drawn; age p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ` +
    `server ${used.toFixed(2)} s CPU/s`;
  test.info().annotations.push({ type: "measured", description: told });
  console.log(told);
  expect(fewest, "different pictures of the tile that changed least").toBeGreaterThanOrEqual(2);
  expect(at(0.5)).toBeLessThan(2000);
});
