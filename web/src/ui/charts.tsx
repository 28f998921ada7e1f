// The last hour of a camera in charts, each with its text; the library that draws them is fetched when they are.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Closeup } from "../closeup";
import { spoken } from "../model/language";
import { type Chart, charts, measure } from "../model/telemetry";
import { clockTime } from "../model/words";
import type { Plot } from "../plot";

const SAY = spoken(
  {
    waiting: "Asking for the last hour…",
    soon: "The first figures come within five seconds.",
    failed: "The charts can’t be drawn here; their text is below.",
    unknown: "–",
  },
  {
    waiting: "Meminta data satu jam terakhir…",
    soon: "Angka pertama datang dalam lima detik.",
    failed: "Grafik tidak bisa digambar di sini; teksnya ada di bawah.",
    unknown: "–",
  },
);

export function Charts({ closeup }: { readonly closeup: Closeup }): JSX.Element {
  const all = useComputed(() => (closeup.telemetry.value ? charts(closeup.telemetry.value) : null)).value;
  if (all === null) return <p class="empty">{SAY.waiting}</p>;
  if (all.length === 0) return <p class="empty">{SAY.soon}</p>;
  return (
    <div class="charts" data-testid="charts">
      {all.map((chart) => (
        <Figure key={chart.id} chart={chart} />
      ))}
    </div>
  );
}

function Figure({ chart }: { readonly chart: Chart }): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const failed = useSignal(false);
  const at = useSignal<number | null>(null); // the sample under the pointer
  const shape = chart.lines.map(({ name }) => name).join();
  useEffect(() => {
    let gone = false;
    import("../plot").then(
      ({ Plot }) => {
        if (gone || host.current === null) return;
        plot.current = new Plot(host.current, chart, (index) => {
          at.value = index;
        });
      },
      () => {
        failed.value = true;
      },
    );
    return () => {
      gone = true;
      plot.current?.end();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.update(chart), [chart]);
  const index = at.value ?? chart.time.length - 1;
  const moment = chart.time[index];
  return (
    <figure class="panel chart" data-testid={`chart-${chart.id}`}>
      <figcaption>
        <h3>{chart.title}</h3>
        <p class="legend" aria-hidden="true">
          {chart.lines.map(({ name, label }, line) => {
            const value = chart.data[line]?.[index] ?? null;
            return (
              <span key={name} class={`line-${line}`}>
                {label} <b>{value === null ? SAY.unknown : measure(value, chart.unit)}</b>
              </span>
            );
          })}
          {at.value !== null && moment !== undefined && <time>{clockTime(moment)}</time>}
        </p>
        {chart.about && <p class="hint">{chart.about}</p>}
      </figcaption>
      <div ref={host} class="plot" aria-hidden="true" hidden={failed.value} />
      {failed.value && <p class="hint">{SAY.failed}</p>}
      <p class={failed.value ? "text" : "spoken"} data-testid={`chart-${chart.id}-text`}>
        {chart.text}
      </p>
    </figure>
  );
}
