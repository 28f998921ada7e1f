// The gallery of kept pictures, with a real server and its files: kept, looked at, deleted, and played as a video.

import { expect, test } from "./dashboard";

const SHOTS = process.env.SHOTS; // a folder: the page as it looks, for somebody who looks

interface Kept {
  readonly id: string;
  readonly day: string;
  readonly width: number;
}

test("pictures are kept by a button, looked at by keys, deleted, and played as a video", async ({
  dashboard,
  site,
  guard,
}) => {
  await dashboard.getByTestId("to-pictures").click();
  await expect(dashboard.getByTestId("gallery")).toContainText("No picture is kept of this camera yet.");
  await expect(dashboard.getByTestId("gallery")).toContainText("Days and times are the server’s:");
  await dashboard.getByTestId("gallery-keep").click();
  const small = dashboard.locator("[data-testid^=picture-]");
  await expect(small).toHaveCount(1);
  const kept = new Set<string>();
  await expect
    .poll(async () => {
      kept.add((await site.ask<Kept>("POST", "/cameras/entrance/pictures")).id);
      return kept.size;
    })
    .toBeGreaterThanOrEqual(4);
  await dashboard.reload();
  const count = (await site.ask<{ pictures: Kept[] }>("GET", "/pictures?camera=entrance")).pictures.length;
  await expect(small).toHaveCount(count);
  const image = small.first().locator("img");
  await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(100);
  if (SHOTS) {
    await dashboard.screenshot({ path: `${SHOTS}/gallery-1280.png`, fullPage: true });
    await dashboard.setViewportSize({ width: 360, height: 740 });
    await dashboard.screenshot({ path: `${SHOTS}/gallery-360.png`, fullPage: true });
  }

  await small.first().click();
  const large = dashboard.getByTestId("large");
  await expect(large).toBeVisible();
  await expect(dashboard.getByTestId("large-why")).toContainText("Today · asked for by admin");
  const shown = dashboard.getByTestId("large-image");
  const first = await shown.getAttribute("src");
  await expect(dashboard.getByTestId("large-back")).toHaveAttribute("aria-disabled", "true");
  await dashboard.keyboard.press("ArrowRight");
  await expect(shown).not.toHaveAttribute("src", first ?? "");
  await dashboard.keyboard.press("End");
  await expect(dashboard.getByTestId("large-on")).toHaveAttribute("aria-disabled", "true");
  await dashboard.keyboard.press("Home");
  await expect(shown).toHaveAttribute("src", first ?? "");
  await expect.poll(() => shown.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(640);
  if (SHOTS) {
    await dashboard.screenshot({ path: `${SHOTS}/large-360.png` });
    await dashboard.setViewportSize({ width: 1280, height: 800 });
    await dashboard.screenshot({ path: `${SHOTS}/large-1280.png` });
  }
  await dashboard.getByTestId("large-delete").click();
  await dashboard.getByTestId("confirm").click();
  await expect(shown).not.toHaveAttribute("src", first ?? "");
  await expect(large).toBeVisible();
  await dashboard.keyboard.press("Escape");
  await expect(large).toHaveCount(0);
  await expect(small).toHaveCount(count - 1);

  const downloading = dashboard.waitForEvent("download");
  await dashboard.getByTestId("gallery-film").click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^entrance \d{4}-\d{2}-\d{2}\.mp4$/);
  await expect(dashboard.getByTestId("gallery-film-state")).toContainText("The video is ready.");
  const film = new URL(download.url()).pathname;
  const played = await dashboard.evaluate(async (path) => {
    const video = document.createElement("video");
    video.muted = true;
    video.src = `${path}?fps=24`;
    await video.play();
    await new Promise((resolve) => video.addEventListener("ended", resolve, { once: true }));
    return { width: video.videoWidth, height: video.videoHeight, seconds: video.duration };
  }, film);
  expect([played.width, played.height]).toEqual([640, 480]);
  expect(played.seconds).toBeCloseTo((count - 1) / 24, 1);
  guard.check();
});

test("who may only look has no button to keep or delete, and sees only what is theirs", async ({
  page,
  site,
  guard,
}) => {
  guard.expected.push(/401/); // the page asks who it is before it is logged in
  for (const camera of ["entrance", "yard"])
    await expect(async () => site.ask("POST", `/cameras/${camera}/pictures`)).toPass();
  await site.addUser("greta", "viewer", "correct horse battery", "camera:yard");
  await page.goto(site.url);
  await page.getByTestId("login-name").fill("greta");
  await page.getByTestId("login-password").fill("correct horse battery");
  await page.getByTestId("login-submit").click();
  await page.getByTestId("to-pictures").click();
  await expect(page.locator("[data-testid^=picture-]").first()).toBeVisible();
  await expect(page.getByTestId("gallery-camera").locator("option")).toHaveText(["Yard"]);
  await expect(page.getByTestId("gallery-keep")).toHaveCount(0);
  await page.locator("[data-testid^=picture-]").first().click();
  await expect(page.getByTestId("large")).toBeVisible();
  await expect(page.getByTestId("large-delete")).toHaveCount(0);
});
