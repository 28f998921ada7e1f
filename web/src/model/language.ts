// The language that the page speaks, and sentences that are kept in each. A component has its sentences beside it:
// `const SAY = spoken({ hello: "Hello" }, { hello: "Halo" })`, and says `SAY.hello`; whatever reads it while it is drawn
// is drawn anew when the language changes. What the server itself says stays English.

import { type Signal, signal } from "@preact/signals";

export type Language = "en" | "id";

/** Every language, each by its own name. */
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", id: "Bahasa Indonesia" };

/** How Intl calls a language: with the order of a date and the comma of a number. */
export const LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", id: "id-ID" };

export const language: Signal<Language> = signal("en");

/** Return the language to begin with: that which was chosen before, else the first of the browser's that is spoken. */
export function preferred(chosen: string | null, browser: readonly string[]): Language {
  const wanted = [chosen, ...browser].map((tag) => tag?.toLowerCase().split("-", 1)[0]);
  // "in" is what Indonesian was called until 1989, and by some browsers still is.
  const spoken = wanted.map((tag) => (tag === "in" ? "id" : tag)).find((tag) => tag !== undefined && tag in LANGUAGES);
  return (spoken as Language | undefined) ?? "en";
}

/** Return the language after this one: with two it is the other. */
export function next(now: Language): Language {
  const all = Object.keys(LANGUAGES) as Language[];
  return all[(all.indexOf(now) + 1) % all.length] ?? now;
}

/** A text, what makes one, or a table of them. */
type Said = string | ((...args: never[]) => string) | Texts;
export interface Texts {
  readonly [key: string]: Said;
}

/** The same table in another language: no key is missing, none is more, and functions are given the same. */
export type Same<Table> = {
  readonly [Key in keyof Table]: Table[Key] extends string
    ? string
    : Table[Key] extends (...args: infer Given) => string
      ? (...args: Given) => string
      : Same<Table[Key]>;
};

/** Every table, as a list of (English, Indonesian): a test walks them. */
export const TABLES: (readonly [Texts, Texts])[] = [];

/** Return sentences that are read in the language of the moment. */
export function spoken<Table extends Texts>(en: Table, id: NoInfer<Same<Table>>): Same<Table> {
  TABLES.push([en, id as Texts]);
  return reading(en, { en, id: id as Texts }) as Same<Table>;
}

function reading(shape: Texts, tables: Readonly<Record<Language, Texts>>): Texts {
  const table = {};
  for (const [key, said] of Object.entries(shape)) {
    if (typeof said === "object") {
      const [en, id] = [tables.en[key] as Texts, tables.id[key] as Texts];
      Object.defineProperty(table, key, { enumerable: true, value: reading(said, { en, id }) });
    } else Object.defineProperty(table, key, { enumerable: true, get: () => tables[language.value][key] });
  }
  return table;
}
