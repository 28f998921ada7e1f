import { defineConfig } from "@playwright/test";

/** The system's browser: nothing is downloaded, and it talks to nobody but our server. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** How many times longer anything may take: for a machine that does much else meanwhile. */
const PATIENCE = Number(process.env.E2E_PATIENCE ?? 1);

export default defineConfig({
  testDir: "e2e",
  outputDir: "../artefacts/playwright",
  // A worker has a site of its own, with one lock: a file's tests share its door and come one after another.
  workers: 2,
  timeout: 60_000 * PATIENCE,
  expect: { timeout: 10_000 * PATIENCE },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 860 },
    locale: "en-GB",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
