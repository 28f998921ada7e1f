// The pictures around a door action: a screen per camera, and a time axis to go along by pointer or keys.

import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import {
  type Bundle,
  type Film,
  type Frame,
  film as filmOf,
  gaps,
  keyEvent,
  type Lane,
  type Player,
  type PlayerEvent,
  play,
  startPlayer,
  viewLane,
  wholeness,
} from "../model/film";
import { spoken } from "../model/language";
import type { PictureVerdict } from "../model/verification";
import { relative } from "../model/words";
import { type Drawable, Painter } from "../painter";
import { AskFirst } from "./fields";

const SAY = spoken(
  {
    title: "Pictures",
    play: "Play",
    pause: "Pause",
    back: "One picture back",
    on: "One picture on",
    action: "To the action",
    axis: "Time of the pictures, relative to the action",
    keys: "Keys: Space plays, ← → step, Home and End jump, 0 goes to the action.",
    now: "action",
    picture: (camera: string, at: string) => `Picture of ${camera} at ${at}`,
    at: (at: string) => `${at} from the action`,
    loading: "The picture is on its way",
    erased: "This picture was erased; a signed statement in the record says so.",
    erase: "Erase this picture",
    eraseTitle: (name: string, at: string) => `Erase the picture of ${name} at ${at}?`,
    eraseText: "It is gone for ever. A signed statement that it was there, and who erased it, stays on the record.",
    missing: "This picture is gone.",
    altered: "This picture’s bytes are not those that were recorded: it is not shown.",
    hidden: "You may not see what this camera sees.",
    none: "No camera was tied to it, and no picture was kept.",
  },
  {
    title: "Gambar",
    play: "Putar",
    pause: "Jeda",
    back: "Mundur satu gambar",
    on: "Maju satu gambar",
    action: "Ke saat tindakan",
    axis: "Waktu gambar, dihitung dari tindakan",
    keys: "Tombol: Spasi memutar, ← → melangkah, Home dan End melompat, 0 menuju tindakan.",
    now: "tindakan",
    picture: (camera: string, at: string) => `Gambar ${camera} pada ${at}`,
    at: (at: string) => `${at} dari tindakan`,
    loading: "Gambar sedang diambil",
    erased: "Gambar ini sudah dihapus; pernyataan bertanda tangan dalam catatan menyebutkannya.",
    erase: "Hapus gambar ini",
    eraseTitle: (name: string, at: string) => `Hapus gambar ${name} pada ${at}?`,
    eraseText:
      "Gambar hilang selamanya. Pernyataan bertanda tangan bahwa gambar itu pernah ada, dan siapa yang menghapusnya, tetap dalam catatan.",
    missing: "Gambar ini hilang.",
    altered: "Isi gambar ini tidak sama dengan yang direkam: tidak ditampilkan.",
    hidden: "Anda tidak boleh melihat apa yang dilihat kamera ini.",
    none: "Tidak ada kamera yang terkait, dan tidak ada gambar yang disimpan.",
  },
);

interface Props {
  readonly bundle: Bundle;
  readonly pictures: ReadonlySignal<ReadonlyMap<number, Blob>>;
  readonly verdicts: ReadonlySignal<ReadonlyMap<number, PictureVerdict>>;
  /** What people call a camera. */
  readonly name: (camera: string) => string;
  /** Erases a picture; null for whoever may not. */
  readonly erase: ((number: number) => Promise<void>) | null;
}

export function FilmStrip({ bundle, pictures, verdicts, name, erase }: Props): JSX.Element {
  const film = useMemo(() => filmOf(bundle), [bundle]);
  const player = useSignal<Player>(startPlayer(film));
  const happened = (event: PlayerEvent): void => {
    player.value = play(film, player.peek(), event);
  };
  const playing = useComputed(() => player.value.playing);
  useEffect(() => {
    if (!playing.value) return;
    let last = performance.now();
    let frame = requestAnimationFrame(function tick(now) {
      happened({ kind: "ticked", seconds: (now - last) / 1000 });
      last = now;
      frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing.value, film]);

  const keyDown = (event: KeyboardEvent): void => {
    const meant = event.ctrlKey || event.altKey || event.metaKey ? null : keyEvent(event.key);
    // A button's own Space and Enter press it.
    if (meant === null || (event.key === " " && event.target instanceof HTMLButtonElement)) return;
    event.preventDefault();
    happened(meant);
  };
  const whole = wholeness(bundle);
  return (
    <section class="film" aria-labelledby="film-title" data-testid="film" onKeyDown={keyDown}>
      <h2 id="film-title">{SAY.title}</h2>
      <p class={whole.whole ? "hint" : "warning"} data-testid="film-whole">
        {whole.text}
      </p>
      {film.lanes.length === 0 ? (
        <p class="empty">{SAY.none}</p>
      ) : (
        <>
          <div class={film.lanes.length === 1 ? "screens one" : "screens"}>
            {film.lanes.map((lane) => (
              <Screen
                key={lane.camera}
                lane={lane}
                name={name(lane.camera)}
                player={player}
                pictures={pictures}
                verdicts={verdicts}
                erase={erase}
              />
            ))}
          </div>
          <div class="panel padded">
            <Controls player={player} happened={happened} />
            <Axis film={film} player={player} name={name} verdicts={verdicts} happened={happened} />
            {film.lanes.flatMap((lane) =>
              gaps(lane).map((text) => (
                <p key={`${lane.camera} ${text}`} class="gap" data-testid={`gap-${lane.camera}`}>
                  <b>{name(lane.camera)}</b> · {text}
                </p>
              )),
            )}
            <p class="hint keys">{SAY.keys}</p>
          </div>
        </>
      )}
    </section>
  );
}

interface ScreenProps extends Pick<Props, "pictures" | "verdicts" | "erase"> {
  readonly lane: Lane;
  readonly name: string;
  readonly player: ReadonlySignal<Player>;
}

function Screen({ lane, name, player, pictures, verdicts, erase }: ScreenProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const painter = useRef<Painter<Drawable> | null>(null);
  const asking = useSignal<Frame | null>(null);
  // A string, so that a step of the player that changes nothing here draws nothing.
  const seen = useComputed(() => {
    const { frame, present, notice } = viewLane(lane, player.value.at);
    return JSON.stringify([frame?.number ?? null, present, notice]);
  });
  const [number, present, notice] = JSON.parse(seen.value) as [number | null, boolean, string | null];
  const frame = lane.frames.find((known) => known.number === number);
  const verdict = number === null ? undefined : verdicts.value.get(number);
  const blob = number === null ? undefined : pictures.value.get(number);
  useEffect(() => {
    if (canvas.current) painter.current = new Painter<Drawable>(canvas.current, () => {});
  }, []);
  useEffect(() => {
    if (blob) painter.current?.show({ jpeg: blob });
    else painter.current?.clear();
  }, [blob]);
  const instead =
    verdict === "erased" || verdict === "missing" || verdict === "altered" || verdict === "hidden"
      ? SAY[verdict]
      : frame && !blob
        ? SAY.loading
        : notice;
  return (
    <article class={`camera ${verdict === "altered" || verdict === "missing" ? "alarm" : ""}`}>
      <div class={present ? "stage" : "stage past"}>
        <canvas
          ref={canvas}
          width="640"
          height="480"
          role="img"
          aria-label={frame ? SAY.picture(name, relative(frame.at)) : (instead ?? name)}
          data-testid={`screen-${lane.camera}`}
          data-number={number ?? ""}
        />
        <p class="notice" hidden={instead === null}>
          {instead}
        </p>
      </div>
      <div class="caption">
        <h3>{name}</h3>
        <span class="figure">{frame ? relative(frame.at) : "–"}</span>
        {erase && blob && (
          <button
            type="button"
            class="link"
            data-testid={`erase-${lane.camera}`}
            onClick={() => {
              asking.value = frame ?? null;
            }}
          >
            {SAY.erase}
          </button>
        )}
      </div>
      {asking.value && erase && (
        <AskFirst
          title={SAY.eraseTitle(name, relative(asking.value.at))}
          confirm={SAY.erase}
          onConfirm={() => erase(asking.value?.number ?? 0)}
          onClose={() => {
            asking.value = null;
          }}
        >
          <p>{SAY.eraseText}</p>
        </AskFirst>
      )}
    </article>
  );
}

interface ControlsProps {
  readonly player: ReadonlySignal<Player>;
  readonly happened: (event: PlayerEvent) => void;
}

function Controls({ player, happened }: ControlsProps): JSX.Element {
  const playing = useComputed(() => player.value.playing);
  const at = useComputed(() => relative(player.value.at));
  return (
    <div class="controls">
      <button type="button" aria-label={SAY.back} onClick={() => happened({ kind: "stepped", by: -1 })}>
        ◂
      </button>
      <button type="button" class="main" data-testid="film-play" onClick={() => happened({ kind: "toggled" })}>
        {playing.value ? SAY.pause : SAY.play}
      </button>
      <button
        type="button"
        aria-label={SAY.on}
        data-testid="film-on"
        onClick={() => happened({ kind: "stepped", by: 1 })}
      >
        ▸
      </button>
      <button type="button" class="quiet" onClick={() => happened({ kind: "jumped", to: "action" })}>
        {SAY.action}
      </button>
      <output class="figure" data-testid="film-at">
        {at}
      </output>
    </div>
  );
}

/** Heights on the axis in pixels: a lane's name and its bar, and the scale below. */
const LANE = 34;
const BAR = 14;
const SCALE = 22;

interface AxisProps extends ControlsProps, Pick<Props, "name" | "verdicts"> {
  readonly film: Film;
}

function Axis({ film, player, name, verdicts, happened }: AxisProps): JSX.Element {
  const span = Math.max(film.to - film.from, 0.001);
  const percent = (at: number): string => `${((at - film.from) / span) * 100}%`;
  const wide = (from: number, to: number): string =>
    `${((Math.min(to, film.to) - Math.max(from, film.from)) / span) * 100}%`;
  const height = film.lanes.length * LANE + SCALE;
  const scrub = (event: JSX.TargetedPointerEvent<HTMLDivElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    happened({ kind: "scrubbed", at: film.from + ((event.clientX - box.left) / box.width) * span });
  };
  const at = useComputed(() => percent(player.value.at));
  return (
    <div
      class="axis"
      role="slider"
      tabIndex={0}
      aria-label={SAY.axis}
      aria-valuemin={film.from}
      aria-valuemax={film.to}
      aria-valuenow={Number(player.value.at.toFixed(2))}
      aria-valuetext={SAY.at(relative(player.value.at))}
      data-testid="film-axis"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        scrub(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) scrub(event);
      }}
    >
      <svg width="100%" height={height} aria-hidden="true" focusable="false">
        <defs>
          <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="3.5" height="7" class="hatch" />
          </pattern>
        </defs>
        <Lanes film={film} name={name} verdicts={verdicts} percent={percent} wide={wide} />
        <line class="moment" x1={percent(0)} x2={percent(0)} y1="0" y2={height - SCALE} />
        <text class="moment" x={percent(0)} y={height - 6} text-anchor="middle">
          {SAY.now}
        </text>
        <text x="0" y={height - 6}>
          {relative(film.from)}
        </text>
        <text x="100%" y={height - 6} text-anchor="end">
          {relative(film.to)}
        </text>
        <line class="head" x1={at} x2={at} y1="0" y2={height - SCALE + 3} />
      </svg>
    </div>
  );
}

interface LanesProps extends Pick<AxisProps, "film" | "name" | "verdicts"> {
  readonly percent: (at: number) => string;
  readonly wide: (from: number, to: number) => string;
}

function Lanes({ film, name, verdicts, percent, wide }: LanesProps): JSX.Element {
  const known = verdicts.value;
  return (
    <>
      {film.lanes.map((lane, index) => {
        const top = index * LANE + LANE - BAR - 4;
        return (
          <g key={lane.camera}>
            <text class="lane" x="0" y={top - 5}>
              {name(lane.camera)}
            </text>
            <rect class="ground" x="0" width="100%" y={top} height={BAR} rx="3" />
            {lane.blind.map(({ from, to }) => (
              <rect
                key={from}
                class="blind"
                fill="url(#hatch)"
                x={percent(Math.max(from, film.from))}
                width={wide(from, to)}
                y={top}
                height={BAR}
              />
            ))}
            {lane.frames.map(({ number, at }) => (
              <rect
                key={number}
                class={`tick ${known.get(number) ?? ""}`}
                x={percent(at)}
                width="2"
                y={top}
                height={BAR}
              />
            ))}
          </g>
        );
      })}
    </>
  );
}
