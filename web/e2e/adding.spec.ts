// Adding, changing and removing a camera in the page, against the real server and a camera of this test's own.

import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "./dashboard";
import { TOKEN } from "./site";

const SHOTS = process.env.SHOTS; // a folder: the page as it looks, for somebody who looks

/** A camera that streams one picture ten times a second; at /locked it wants a password. */
async function camera(jpeg: Buffer): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    if (request.url === "/locked") {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="camera"' }).end();
      return;
    }
    response.writeHead(200, { "Content-Type": "multipart/x-mixed-replace; boundary=b" });
    const timer = setInterval(() => {
      response.write(`--b\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`);
      response.write(jpeg);
      response.write("\r\n");
    }, 100);
    response.on("close", () => clearInterval(timer));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test("an owner tests a camera, adds it, changes it and removes it; nobody reloads the page", async ({
  dashboard: page,
  site,
}) => {
  await expect(page.getByTestId("camera-yard-state")).toHaveText("live");
  const answer = await fetch(`${site.url}/cameras/yard/snapshot.jpg`, {
    headers: { Authorization: `Bearer ${TOKEN}` },
  });
  const own = await camera(Buffer.from(await answer.arrayBuffer()));
  const file = join(site.data, "..", "site.toml");
  const before = await readFile(file, "utf8");
  try {
    await page.getByTestId("add-camera").click();
    await expect(page.getByRole("heading", { name: "Add a camera" })).toBeVisible();
    const outcome = page.getByTestId("camera-outcome");

    await page.getByTestId("camera-test").click();
    await expect(outcome).toContainText("Give its address");
    await page.getByTestId("camera-address").fill("http://127.0.0.1:1/");
    await page.getByTestId("camera-test").click();
    await expect(outcome).toContainText("No picture: camera at 127.0.0.1:1 refused the connection");
    await page.getByTestId("camera-address").fill(`${own.url}/locked`);
    await page.getByTestId("camera-test").click();
    await expect(outcome).toContainText("password");
    await page.getByTestId("camera-address").fill(`${site.url}/cameras/yard/stream.mjpg`);
    await page.getByTestId("camera-test").click();
    await expect(outcome).toContainText("own");
    await page.getByTestId("camera-address").fill(`${own.url}/stream`);
    await page.getByTestId("camera-test").click();
    await expect(outcome).toContainText(/A picture came: \d+ × \d+, \d+ kB/);
    const width = await page.getByTestId("camera-picture").evaluate((img) => (img as HTMLImageElement).naturalWidth);
    expect(width).toBeGreaterThan(0);

    await page.getByTestId("camera-name").fill("The Attic");
    await expect(page.getByTestId("camera-id")).toHaveValue("the-attic");
    await page.getByTestId("camera-door-front").check();
    for (const size of [360, 1280]) {
      await page.setViewportSize({ width: size, height: 860 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, `nothing is cut off at ${size} px`).toBeLessThanOrEqual(0);
      if (SHOTS) await page.screenshot({ path: `${SHOTS}/adding-${size}.png`, fullPage: true });
    }
    await page.getByTestId("camera-save").click();
    await expect(page.getByTestId("camera-the-attic-state")).toHaveText("live");
    expect(page.url()).toBe(`${site.url}/#/`);
    const added = await readFile(file, "utf8");
    expect(added.startsWith(before)).toBe(true);
    expect(added).toContain(`url = "${own.url}/stream"\n`);

    await page.getByTestId("camera-the-attic-link").click();
    await page.getByTestId("edit-camera").click();
    await page.getByTestId("camera-name").fill("Loft");
    await page.getByTestId("camera-save").click();
    await expect(page.getByTestId("camera-the-attic-link")).toHaveText("Loft");

    await page.goto(`${site.url}/#/cameras/the-attic/edit`);
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/editing-1280.png`, fullPage: true });
    await page.getByTestId("camera-remove").click();
    await expect(page.getByRole("dialog")).toContainText("Remove Loft?");
    await page.getByTestId("confirm").click();
    await expect(page.getByTestId("camera-the-attic")).toHaveCount(0);
    await expect(page.getByTestId("camera-yard-state")).toHaveText("live");
    expect((await readFile(file, "utf8")).trimEnd()).toBe(before.trimEnd());
  } finally {
    own.server.closeAllConnections();
    own.server.close();
  }
});
