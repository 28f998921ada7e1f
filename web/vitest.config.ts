import { defineConfig } from "vitest/config";

// Sentences with a clock in them are tested in one time zone; the workers inherit it.
process.env.TZ = "UTC";

export default defineConfig({ test: { include: ["tests/**/*.test.ts"], environment: "node", pool: "forks" } });
