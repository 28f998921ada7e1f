// What the specs share: the site as a fixture, a page that is logged in, and a guard over everything a page does.

import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { Site, TOKEN } from "./site";

export { expect };

/** Watches one page: whom it talks to, and what it complains about. */
export class Guard {
  readonly foreign: string[] = [];
  readonly complaints: string[] = [];
  /** Complaints that a test provokes, such as the browser's own line about a server that is down. */
  readonly expected: RegExp[] = [];

  constructor(page: Page, origin: string) {
    const own = [origin, origin.replace(/^http/, "ws"), "blob:", "data:"];
    const see = (url: string): void => {
      if (!own.some((prefix) => url.startsWith(prefix))) this.foreign.push(url);
    };
    page.on("request", (request) => see(request.url()));
    page.on("websocket", (socket) => see(socket.url()));
    page.on("pageerror", (error) => this.complaints.push(`exception: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
  }

  check(): void {
    expect(this.foreign, "requests to other origins").toEqual([]);
    const surprising = this.complaints.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
    expect(surprising, "errors, and violations of the content security policy").toEqual([]);
  }
}

interface Fixtures {
  guard: Guard;
  /** A page that is logged in and connected. */
  dashboard: Page;
}

export const test = base.extend<Fixtures, { site: Site }>({
  site: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from this pattern
    async ({}, use) => {
      const site = await Site.start();
      await use(site);
      await site.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  guard: [
    async ({ page, site }, use, info) => {
      const guard = new Guard(page, site.url);
      await use(guard);
      if (info.status !== info.expectedStatus) await info.attach("server.log", { body: site.log });
      else guard.check();
    },
    { auto: true },
  ],
  dashboard: async ({ page, site }, use) => {
    await logInByKey(page, site);
    await use(page);
  },
});

/** Log a page in by the admin token, as the log-in form does with a key, and wait until it is connected. */
export async function logInByKey(page: Page, site: Site): Promise<void> {
  const answer = await page.request.post(`${site.url}/login`, { data: { key: TOKEN }, headers: { Origin: site.url } });
  expect(answer.ok(), await answer.text()).toBe(true);
  await page.goto(site.url);
  await expect(page.getByTestId("connection")).toHaveText("Connected");
}

/** Log a page in by its form. */
export async function logIn(page: Page, site: Site, name: string, password: string): Promise<void> {
  await page.goto(site.url);
  await page.getByTestId("login-name").fill(name);
  await page.getByTestId("login-password").fill(password);
  await page.getByTestId("login-submit").click();
}

/** Open a door with a reason and wait until its pictures are kept; return the id of the opening's event. */
export async function openedWithPictures(site: Site, door: string, reason: string): Promise<string> {
  await site.ask("POST", `/doors/${door}/open`, { reason });
  let id = "";
  await expect
    .poll(
      async () => {
        const { events } = await site.ask<{ events: { id: string; kind: string; reason: string; bundle: string }[] }>(
          "GET",
          "/events?kind=door.opened&limit=20",
        );
        const opened = events.find((event) => event.reason === reason);
        id = opened?.id ?? "";
        return opened?.bundle;
      },
      { timeout: 20_000 },
    )
    .toBe("complete");
  return id;
}

/** Return the age of a camera's picture in seconds, as the page shows it. */
export async function shownAge(page: Page, camera: string): Promise<number> {
  const text = (await page.getByTestId(`camera-${camera}-age`).textContent()) ?? "";
  const found = /^([\d.]+) s old$/.exec(text);
  return found ? Number(found[1]) : Number.POSITIVE_INFINITY;
}

/** Return a number that changes with the pixels of a camera's canvas. */
export async function pixels(page: Page, camera: string): Promise<number> {
  return pixelsOf(page.getByTestId(`camera-${camera}`).locator("canvas"));
}

/** Return a number that changes with the pixels of a canvas; 0 when all are black. */
export async function pixelsOf(canvas: Locator): Promise<number> {
  return canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const data = (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum = (sum * 31 + (data[at] ?? 0)) % 4294967291;
    return sum;
  });
}

/** Press and hold with the mouse. */
export async function holdMouse(page: Page, button: Locator, milliseconds: number): Promise<void> {
  await button.scrollIntoViewIfNeeded();
  await button.hover();
  await page.mouse.down();
  await page.waitForTimeout(milliseconds);
  await page.mouse.up();
}

/** Return how many events of a kind the page lists. */
export async function countEvents(page: Page, kind: string): Promise<number> {
  return page.getByTestId("events").locator("li", { hasText: kind }).count();
}

/** Wait for a door at rest, so that a test doesn't inherit the opening of another. */
export async function expectLocked(page: Page, door = "front"): Promise<void> {
  await expect(page.getByTestId(`door-${door}-state`)).toHaveText("Locked");
  await expect(page.getByTestId(`door-${door}-open`)).toBeEnabled();
}
