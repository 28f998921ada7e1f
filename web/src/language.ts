// Which language the page speaks, kept in this browser: chosen by the browser's own languages until somebody switches.

import { effect } from "@preact/signals";
import { type Language, language, preferred } from "./model/language";

const STORE = "gatekeeper.language";

/** Speak what was chosen before, and say in the document which language it is in. */
export function beginSpeaking(): void {
  language.value = preferred(kept(), navigator.languages);
  effect(() => {
    document.documentElement.lang = language.value;
  });
}

/** Speak this language from now on. */
export function speak(chosen: Language): void {
  language.value = chosen;
  try {
    localStorage.setItem(STORE, chosen);
  } catch {
    // A browser that keeps nothing asks again: the page is switched all the same.
  }
}

function kept(): string | null {
  try {
    return localStorage.getItem(STORE);
  } catch {
    return null;
  }
}
