import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  // autobahn's session and log modules speak of Node's `global`; nothing else of Node is needed by what we import.
  define: { global: "globalThis" },
  build: {
    outDir: fileURLToPath(new URL("../gatekeeper/http/dashboard", import.meta.url)),
    emptyOutDir: true,
    assetsDir: "assets",
    // Files, never data: URLs or inline scripts: the server's content security policy is `default-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ["chrome109", "firefox115", "safari16.4"],
    cssTarget: ["chrome111", "firefox115", "safari16.4"],
    reportCompressedSize: true,
  },
  server: {
    proxy: {
      "/api": "http://localhost:8000",
      "/events": "http://localhost:8000",
      "/login": "http://localhost:8000",
      "/logout": "http://localhost:8000",
      "/ws": { target: "ws://localhost:8000", ws: true },
    },
  },
});
