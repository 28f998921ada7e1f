import { computed } from "@preact/signals";
import { afterEach, expect, test } from "vitest";
import { language, next, preferred, spoken, TABLES, type Texts } from "../src/model/language";
import { ago, clockTime, dateTime, decimal, duration, relative } from "../src/model/words";
import { T0 } from "./fixtures";

// Every file that has sentences; main.tsx draws a page at once.
const modules = import.meta.glob(["../src/**/*.{ts,tsx}", "!../src/main.tsx", "!../src/**/*.d.ts"], { eager: true });

afterEach(() => {
  language.value = "en";
});

test.each([
  [null, ["id-ID", "en"], "id"],
  [null, ["in"], "id"],
  [null, ["de-DE", "ID"], "id"],
  [null, ["de", "fr"], "en"],
  [null, [], "en"],
  ["en", ["id"], "en"],
  ["id", ["en-GB"], "id"],
  ["klingon", ["id"], "id"],
])("chosen %s with a browser of %j is %s", (chosen, browser, wanted) => {
  expect(preferred(chosen, browser)).toBe(wanted);
});

test("the switch leads to the other and back", () => {
  expect(next("en")).toBe("id");
  expect(next(next("en"))).toBe("en");
});

test("a sentence is in the language of the moment, and what shows it is told", () => {
  const SAY = spoken(
    { door: "Door", many: (number: number) => `${number} doors`, states: { shut: "Shut" } },
    { door: "Pintu", many: (number: number) => `${number} pintu`, states: { shut: "Tertutup" } },
  );
  TABLES.pop();
  const shown = computed(() => [SAY.door, SAY.many(2), SAY.states.shut].join());
  expect(shown.value).toBe("Door,2 doors,Shut");
  language.value = "id";
  expect(shown.value).toBe("Pintu,2 pintu,Tertutup");
});

test("numbers and times are written as the language writes them", () => {
  expect([decimal(1234.56, 1), duration(3.25), clockTime(T0), relative(-2.44)]).toEqual([
    "1,234.6",
    "3.3 s",
    "14:00:00",
    "−2.4 s",
  ]);
  language.value = "id";
  expect([decimal(1234.56, 1), duration(185), clockTime(T0), relative(-2.44)]).toEqual([
    "1.234,6",
    "3 mnt 5 dtk",
    "14.00.00",
    "−2,4 dtk",
  ]);
  expect([dateTime(T0), ago(T0 - 7200, T0)]).toEqual(["Jum, 21 Nov 2025, 14.00", "2 jam lalu"]);
});

function walk(en: Texts, id: Texts, path: string, found: (path: string, one: unknown, other: unknown) => void): void {
  expect(Object.keys(id).sort(), path).toEqual(Object.keys(en).sort());
  for (const [key, one] of Object.entries(en)) {
    const other = id[key];
    if (typeof one === "object") walk(one, other as Texts, `${path}.${key}`, found);
    else found(`${path}.${key}`, one, other);
  }
}

test("every sentence stands in every language, and is given the same", () => {
  expect(Object.keys(modules).length).toBeGreaterThan(30);
  expect(TABLES.length).toBeGreaterThan(4);
  for (const [en, id] of TABLES)
    walk(en, id, Object.keys(en).slice(0, 3).join(), (path, one, other) => {
      if (typeof one === "function") expect((other as typeof one).length, path).toBe(one.length);
      else {
        expect((one as string).trim(), path).not.toBe("");
        expect((other as string).trim(), path).not.toBe("");
      }
    });
});
