// A camera's own page, against the virtual ESP32-S3 camera: the one of the demo site, and one that can be given faults.

import { test as base, type Page } from "@playwright/test";
import { expect, Guard, pixelsOf } from "./dashboard";
import { Demo, Garden, TOKEN } from "./site";

const SHOTS = process.env.SHOTS; // a folder: the page as it looks, for somebody who looks

async function open(page: Page, url: string): Promise<void> {
  await page.getByTestId("camera-garden-link").click();
  await expect(page.getByTestId("closeup-garden")).toBeVisible();
  expect(page.url()).toBe(`${url}/#/cameras/garden`);
  await expect(page.getByTestId("closeup-state")).toHaveText("live");
}

/** Return how many pixels of a chart are neither grid nor ground: those of its lines. */
async function drawn(page: Page, chart: string): Promise<number> {
  return page
    .getByTestId(`chart-${chart}`)
    .locator("canvas")
    .evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const data = (canvas as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
      let coloured = 0;
      for (let at = 0; at < data.length; at += 4) {
        const [red = 0, green = 0, blue = 0, alpha = 0] = data.slice(at, at + 4);
        if (alpha > 100 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) coloured++;
      }
      return coloured;
    });
}

base("a slider sets the demo's camera, and the page shows what it really took", async ({ page }) => {
  const demo = await Demo.start();
  try {
    const guard = new Guard(page, demo.url);
    await page.goto(demo.link);
    await page.getByTestId("setup-password").fill("correct horse battery");
    await page.getByTestId("setup-submit").click();
    await open(page, demo.url);
    await expect(page.getByTestId("fact-model")).toHaveText("OV3660");
    await expect.poll(() => pixelsOf(page.locator(".camera.large canvas"))).not.toBe(0);

    await expect(page.getByTestId("setting-fps-took")).toContainText("camera: 20");
    const slider = page.locator("#setting-fps");
    await slider.focus();
    for (let step = 0; step < 5; step++) await page.keyboard.press("ArrowLeft");
    await expect(page.getByTestId("setting-fps-took")).toHaveText("set to 15camera: 15 (actual: 14.5)");
    await page.locator("#setting-resolution").selectOption("VGA 640x480");
    await expect(page.getByTestId("setting-resolution-took")).toHaveText("set to VGA 640x480camera: VGA 640x480");
    await expect(page.getByTestId("fact-size")).toHaveText("640 × 480");
    await page.locator("#setting-vflip").press("Space");
    await expect(page.getByTestId("setting-vflip-took")).toHaveText("set to oncamera: on");
    await expect(page.getByTestId("lately")).toContainText("set camera garden: vflip on");

    for (const chart of ["pictures", "memory"]) await expect.poll(() => drawn(page, chart)).toBeGreaterThan(0);
    await expect(page.getByTestId("chart-memory-text")).toContainText(/Now: \d+ kB now, /);
    if (SHOTS) {
      await page.waitForTimeout(60_000);
      for (const colorScheme of ["light", "dark"] as const)
        for (const width of [360, 1280]) {
          await page.setViewportSize({ width, height: 860 });
          await page.emulateMedia({ colorScheme });
          await page.waitForTimeout(1500);
          await page.screenshot({ path: `${SHOTS}/camera-${colorScheme}-${width}.png`, fullPage: true });
        }
    }

    await page.getByTestId("reboot").click();
    await page.getByTestId("reboot-sure").click();
    await expect(page.getByTestId("lately")).toContainText("Camera garden has restarted");
    await expect(page.getByTestId("fact-restarts")).toContainText(/^1, last \d\d:\d\d:\d\d$/);
    await expect(page.getByTestId("setting-fps-took"), "set again").toHaveText("set to 15camera: 15 (actual: 14.5)");
    guard.check();
  } finally {
    await demo.stop();
  }
});

base(
  "a value that the device refuses shows the device's word; a camera that is away can't be set",
  async ({ page }) => {
    const garden = await Garden.start();
    try {
      const guard = new Guard(page, garden.url);
      await page.request.post(`${garden.url}/login`, { data: { key: TOKEN }, headers: { Origin: garden.url } });
      await page.goto(garden.url);
      await open(page, garden.url);
      await expect(page.getByTestId("setting-contrast-took")).toContainText("not set here");
      const link = page.getByTestId("facts").locator("div", { hasText: "Feed “small”" }).locator("a").last();
      const made = await page.request.get(new URL((await link.getAttribute("href")) ?? "", garden.url).href);
      expect([made.status(), made.headers()["content-type"]]).toEqual([200, "image/jpeg"]);
      await garden.fault("unwilling");
      await page.locator("#setting-contrast").focus();
      await page.keyboard.press("ArrowRight");
      const failure = page.getByTestId("setting-contrast-failure");
      await expect(failure).toHaveText('contrast: the camera answered "sensor no disponible"');
      await garden.fault("none");
      await page.keyboard.press("ArrowRight");
      await expect(page.getByTestId("setting-contrast-took")).toContainText(/^set to (\d)camera: \1$/);
      await expect(failure).toBeHidden();

      await garden.unplug();
      await expect(page.getByTestId("settings-why")).toHaveText("Camera garden is not connected.");
      await expect(page.locator("#setting-contrast")).toBeDisabled();
      guard.check();
    } finally {
      await garden.stop();
    }
  },
);
