import { type ReadonlySignal, useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { spoken } from "../model/language";
import { badge, type Findings } from "../model/verification";

const SAY = spoken(
  {
    title: "Is it what was recorded?",
    places: "Where it is not what was recorded",
  },
  {
    title: "Apakah ini yang direkam?",
    places: "Yang tidak sama dengan rekaman",
  },
);

/** Who checked what. It says "verified" only when it was, and cries out when something doesn't fit. */
export function VerifiedBadge({ findings }: { readonly findings: ReadonlySignal<Findings> }): JSX.Element {
  const view = useComputed(() => JSON.stringify(badge(findings.value)));
  const { tone, word, said, places } = JSON.parse(view.value) as ReturnType<typeof badge>;
  return (
    <section class={`verified panel padded ${tone}`} aria-label={SAY.title} data-testid="verified" data-tone={tone}>
      <p>
        <span class={`pill ${tone}`} role="status" data-testid="verified-word">
          {word}
        </span>
      </p>
      {places.length > 0 && (
        <div class="problem" role="alert" data-testid="verified-places">
          <b>{SAY.places}:</b>
          <ul>
            {places.map(({ where, what }) => (
              <li key={`${where} ${what}`}>
                <b>{where}</b>: {what}
              </li>
            ))}
          </ul>
        </div>
      )}
      <ul class="said" data-testid="verified-said">
        {said.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </section>
  );
}
