// Kept pictures of a camera's day: small ones by the hour, one large, and the day as a video.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { GalleryModel } from "../gallery";
import * as model from "../model/gallery";
import { spoken } from "../model/language";
import { fragment } from "../model/route";
import type { Snapshot } from "../model/types";
import { dayLabel, whole } from "../model/words";
import type { Site } from "../site";
import { fill, uris } from "../uris";
import "../styles/gallery.css";
import { AskFirst } from "./fields";
import { useNearEnd } from "./near";

/** Pictures a second of the video: a day at one a minute is a minute. */
const FPS = 24;

const SAY = spoken(
  {
    title: "Kept pictures",
    choose: "Which pictures",
    camera: "Camera",
    day: "Day",
    keep: "Keep a picture",
    keeping: "One moment…",
    film: "Day as a video",
    filmMaking: (done: string, all: string) => `The video is being made: ${done} of ${all} pictures.`,
    filmWaiting: "The video waits until another one is made.",
    filmReady: "The video is ready.",
    filmPlays: "It plays in VLC and the system’s own player, not in browsers.",
    zone: (zone: string) => `Days and times are the server’s: ${zone}.`,
    none: "No picture is kept of this day.",
    noneEver: "No picture is kept of this camera yet.",
    noCamera: "There is no camera that you may see.",
    pictures: (many: string) => `pictures: ${many}`,
    loading: "Loading…",
    more: "More pictures",
    again: "Try again",
    failed: (why: string) => `The pictures can’t be had: ${why}`,
    notDone: (why: string) => `Not done: ${why}`,
    of: (camera: string, time: string) => `Picture of ${camera} at ${time}`,
    back: "Picture before",
    on: "Next picture",
    close: "Close",
    keys: "Keys: ← → step, Home and End jump, Escape closes.",
    delete: "Delete this picture",
    deleteTitle: (time: string) => `Delete the picture of ${time}?`,
    deleteText: "It is gone for ever. The record says who deleted it.",
    save: "Save",
    why: { demand: "asked for", interval: "at an interval", event: "because of an event" },
    by: (who: string) => `asked for by ${who}`,
  },
  {
    title: "Gambar tersimpan",
    choose: "Gambar yang mana",
    camera: "Kamera",
    day: "Hari",
    keep: "Simpan gambar",
    keeping: "Sebentar…",
    film: "Hari sebagai video",
    filmMaking: (done: string, all: string) => `Video sedang dibuat: ${done} dari ${all} gambar.`,
    filmWaiting: "Video menunggu sampai yang lain selesai dibuat.",
    filmReady: "Video sudah siap.",
    filmPlays: "Dapat diputar di VLC dan pemutar bawaan sistem, tidak di peramban.",
    zone: (zone: string) => `Hari dan jam menurut server: ${zone}.`,
    none: "Tidak ada gambar tersimpan dari hari ini.",
    noneEver: "Belum ada gambar tersimpan dari kamera ini.",
    noCamera: "Tidak ada kamera yang boleh Anda lihat.",
    pictures: (many: string) => `gambar: ${many}`,
    loading: "Memuat…",
    more: "Gambar lainnya",
    again: "Coba lagi",
    failed: (why: string) => `Gambar tidak dapat diambil: ${why}`,
    notDone: (why: string) => `Tidak berhasil: ${why}`,
    of: (camera: string, time: string) => `Gambar ${camera} pukul ${time}`,
    back: "Gambar sebelumnya",
    on: "Gambar berikutnya",
    close: "Tutup",
    keys: "Tombol: ← → melangkah, Home dan End melompat, Escape menutup.",
    delete: "Hapus gambar ini",
    deleteTitle: (time: string) => `Hapus gambar pukul ${time}?`,
    deleteText: "Gambar hilang untuk selamanya. Catatan menyebut siapa yang menghapusnya.",
    save: "Simpan",
    why: { demand: "diminta", interval: "berkala", event: "karena suatu kejadian" },
    by: (who: string) => `diminta oleh ${who}`,
  },
);

export function GalleryPage({ site }: { readonly site: Site }): JSX.Element {
  const gallery = useMemo(() => new GalleryModel(site), [site]);
  const route = site.route.value;
  const open = useComputed(() => site.connection.value.phase === "open").value;
  const wanted = route.page === "pictures" ? route : { camera: null, day: null };
  const camera = wanted.camera ?? site.cameras.value[0]?.id ?? null;
  useEffect(() => {
    if (!open) return;
    void gallery.show(camera, wanted.day);
    return () => gallery.stop();
  }, [gallery, open, camera, wanted.day]);
  const { failure } = gallery.state.value;
  const problem = gallery.problem.value;
  return (
    <main class="pages gallery" data-testid="gallery">
      <h2 id="gallery-title">{SAY.title}</h2>
      {camera === null ? (
        <p class="empty">{SAY.noCamera}</p>
      ) : (
        <>
          <Choice site={site} gallery={gallery} />
          {problem !== null && (
            <p class="problem" role="alert" data-testid="gallery-problem">
              {SAY.notDone(problem)}
            </p>
          )}
          {failure !== null && (
            <p class="problem" role="alert">
              {SAY.failed(failure)}{" "}
              <button type="button" class="quiet" onClick={() => gallery.retry()}>
                {SAY.again}
              </button>
            </p>
          )}
          <Hours site={site} gallery={gallery} />
          <Large site={site} gallery={gallery} />
        </>
      )}
    </main>
  );
}

interface Props {
  readonly site: Site;
  readonly gallery: GalleryModel;
}

function nameOf(site: Site, camera: string): string {
  return site.cameras.value.find(({ id }) => id === camera)?.tile.value.status.name ?? camera;
}

function go(camera: string | null, day: string | null): void {
  // Replaced, not added: the back button leads out of the gallery, not through every day that was looked at.
  location.replace(fragment({ page: "pictures", camera, day }));
}

/** Return a day of the server's calendar for people. */
function label(day: string, today: string): string {
  const noon = (text: string): number => Date.parse(`${text}T12:00:00Z`) / 1000;
  return dayLabel(noon(day), noon(today), "UTC");
}

function Choice({ site, gallery }: Props): JSX.Element {
  const { camera, day, days, film } = gallery.state.value;
  const cameras = site.cameras.value.map(({ id }) => id);
  const all = camera === null || cameras.includes(camera) ? cameras : [...cameras, camera];
  const known = days?.days ?? [];
  const listed =
    day === null || known.some((one) => one.day === day) ? known : [{ camera, day, pictures: 0 }, ...known];
  const total = model.total(gallery.state.value);
  const path =
    camera !== null && day !== null && total > 0 ? `${fill(uris.TIMELAPSE, { camera, day })}?fps=${FPS}` : null;
  return (
    <form class="panel padded choice" aria-label={SAY.choose} onSubmit={(event) => event.preventDefault()}>
      <label>
        {SAY.camera}
        <select data-testid="gallery-camera" onChange={(event) => go(event.currentTarget.value, null)}>
          {all.map((id) => (
            <option key={id} value={id} selected={id === camera}>
              {nameOf(site, id)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {SAY.day}
        <select data-testid="gallery-day" onChange={(event) => go(camera, event.currentTarget.value)}>
          {listed.map((one) => (
            <option key={one.day} value={one.day} selected={one.day === day}>
              {label(one.day, days?.today ?? one.day)} ({whole(one.pictures)})
            </option>
          ))}
        </select>
      </label>
      <div class="acts">
        {camera !== null && site.may("camera.control", camera) && (
          <button
            type="button"
            class="main"
            data-testid="gallery-keep"
            disabled={gallery.keeping}
            onClick={() => void gallery.keep()}
          >
            {gallery.keeping.value ? SAY.keeping : SAY.keep}
          </button>
        )}
        {path !== null && (
          <a
            class="button quiet"
            href={path}
            download
            data-testid="gallery-film"
            onClick={() => gallery.followFilm(FPS)}
          >
            {SAY.film}
          </a>
        )}
      </div>
      {days !== null && <p class="hint">{SAY.zone(days.zone)}</p>}
      {film !== null && film.state !== "none" && (
        <p class="hint" role="status" data-testid="gallery-film-state">
          {film.state === "ready"
            ? SAY.filmReady
            : film.state === "waiting"
              ? SAY.filmWaiting
              : SAY.filmMaking(whole(film.done), whole(film.pictures))}{" "}
          {film.codec === "mpeg4" && SAY.filmPlays}
        </p>
      )}
    </form>
  );
}

function Hours({ site, gallery }: Props): JSX.Element {
  const state = gallery.state.value;
  const hours = model.byHour(state.pictures);
  const empty = state.complete && state.pictures.length === 0;
  return (
    <section aria-labelledby="gallery-title" aria-busy={state.loading}>
      {hours.map((hour) => (
        <section key={hour.label} class="hour" aria-labelledby={`hour-${hour.label}`}>
          <h3 id={`hour-${hour.label}`}>
            {hour.label} <small>{SAY.pictures(whole(hour.pictures.length))}</small>
          </h3>
          <ul class="small">
            {hour.pictures.map((picture) => (
              <Small key={picture.id} gallery={gallery} picture={picture} name={nameOf(site, picture.camera)} />
            ))}
          </ul>
        </section>
      ))}
      {empty && <p class="empty">{state.days?.days.length ? SAY.none : SAY.noneEver}</p>}
      {state.loading && <p class="empty">{SAY.loading}</p>}
      <Foot gallery={gallery} />
    </section>
  );
}

interface SmallProps {
  readonly gallery: GalleryModel;
  readonly picture: Snapshot;
  readonly name: string;
}

function Small({ gallery, picture, name }: SmallProps): JSX.Element {
  const time = model.clock(picture);
  return (
    <li>
      <button
        type="button"
        class={`thumb ${picture.why}`}
        data-testid={`picture-${picture.id}`}
        onClick={() => gallery.open(picture.id)}
      >
        <img
          loading="lazy"
          decoding="async"
          src={fill(uris.PICTURE_SMALL, { picture: picture.id })}
          width={picture.width}
          height={picture.height}
          alt={SAY.of(name, time)}
        />
        <span aria-hidden="true">{time}</span>
      </button>
    </li>
  );
}

function Foot({ gallery }: { readonly gallery: GalleryModel }): JSX.Element {
  const mark = useNearEnd(
    gallery,
    () => model.wantsMore(gallery.state.value),
    () => gallery.more(),
  );
  const more = model.wantsMore(gallery.state.value) && gallery.state.value.pictures.length > 0;
  return (
    <div ref={mark} class="foot">
      {more && (
        <button type="button" class="quiet" onClick={() => void gallery.more()}>
          {SAY.more}
        </button>
      )}
    </div>
  );
}

function Large({ site, gallery }: Props): JSX.Element | null {
  const dialog = useRef<HTMLDialogElement>(null);
  const asking = useSignal(false);
  const picture = useComputed(() => model.opened(gallery.state.value)).value;
  const isOpen = picture !== null;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
  }, [isOpen]);
  if (picture === null) return null;
  const state = gallery.state.value;
  const time = model.clock(picture);
  const name = nameOf(site, picture.camera);
  const source = fill(uris.PICTURE, { picture: picture.id });
  const keyDown = (event: KeyboardEvent): void => {
    const turn = event.ctrlKey || event.altKey || event.metaKey ? null : model.turnOf(event.key);
    if (turn === null || asking.value) return;
    event.preventDefault();
    gallery.turn(turn);
  };
  return (
    <dialog
      ref={dialog}
      class="large"
      aria-label={SAY.of(name, time)}
      data-testid="large"
      onClose={() => gallery.open(null)}
      onKeyDown={keyDown}
    >
      <img
        src={source}
        alt={SAY.of(name, time)}
        width={picture.width}
        height={picture.height}
        data-testid="large-image"
      />
      <div class="about">
        <h3>
          {name} <span class="figure">{time}</span>
        </h3>
        <p class="hint" data-testid="large-why">
          {label(picture.day, state.days?.today ?? picture.day)} · <Why picture={picture} />
        </p>
      </div>
      {/* Not disabled at the ends: a button that is, and has the focus, swallows the keys. */}
      <div class="acts">
        <button
          type="button"
          aria-label={SAY.back}
          aria-disabled={model.neighbour(state, -1) === null}
          data-testid="large-back"
          onClick={() => gallery.turn("back")}
        >
          ◂
        </button>
        <button
          type="button"
          aria-label={SAY.on}
          aria-disabled={model.neighbour(state, 1) === null}
          data-testid="large-on"
          onClick={() => gallery.turn("on")}
        >
          ▸
        </button>
        <a class="button quiet" href={source} download={`${picture.camera} ${picture.local.slice(0, 19)}.jpg`}>
          {SAY.save}
        </a>
        {site.may("camera.erase", picture.camera) && (
          <button
            type="button"
            class="link"
            data-testid="large-delete"
            onClick={() => {
              asking.value = true;
            }}
          >
            {SAY.delete}
          </button>
        )}
        <button type="button" class="main close" data-testid="large-close" onClick={() => dialog.current?.close()}>
          {SAY.close}
        </button>
      </div>
      <p class="hint keys">{SAY.keys}</p>
      {asking.value && (
        <AskFirst
          title={SAY.deleteTitle(time)}
          confirm={SAY.delete}
          onConfirm={() => gallery.delete(picture.id)}
          onClose={() => {
            asking.value = false;
          }}
        >
          <p>{SAY.deleteText}</p>
        </AskFirst>
      )}
    </dialog>
  );
}

function Why({ picture }: { readonly picture: Snapshot }): JSX.Element {
  if (picture.event !== null) return <a href={fragment({ page: "event", id: picture.event })}>{SAY.why.event}</a>;
  return <>{picture.who !== null ? SAY.by(picture.who) : SAY.why[picture.why]}</>;
}
