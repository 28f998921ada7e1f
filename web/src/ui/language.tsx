import type { JSX } from "preact";
import { speak } from "../language";
import { LANGUAGES, language, next, spoken } from "../model/language";

const SAY = spoken({ switch: (to: string) => `Switch to ${to}` }, { switch: (to: string) => `Ganti ke ${to}` });

/** Says which language comes when it is pressed, in that language. */
export function LanguageSwitch(): JSX.Element {
  const other = next(language.value);
  const label = SAY.switch(LANGUAGES[other]);
  return (
    <button
      type="button"
      class="quiet language"
      lang={other}
      aria-label={label}
      title={label}
      data-testid="language"
      onClick={() => speak(other)}
    >
      {other.toUpperCase()}
    </button>
  );
}
