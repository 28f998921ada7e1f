// One camera: its picture large, what is known of it, what it can be set to, how it did in the last hour.

import { useComputed } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { Closeup } from "../closeup";
import { viewTile } from "../model/camera";
import { serverTime } from "../model/clock";
import { facts } from "../model/device";
import { NO_FILTER } from "../model/filter";
import { spoken } from "../model/language";
import { fragment } from "../model/route";
import type { CameraCell, Site } from "../site";
import "../styles/closeup.css";
import { fill, uris } from "../uris";
import { Screen } from "./camera";
import type { CameraPageProps } from "./camera_later";
import { Charts } from "./charts";
import { ControlsPanel } from "./controls";
import { Line } from "./timeline";

const SAY = spoken(
  {
    back: "All cameras",
    waiting: "Waiting for the server…",
    none: (id: string) => `There is no camera “${id}” that you may see.`,
    facts: "About this camera",
    edit: "Change or remove it",
    hour: "The last hour",
    lately: "Lately",
    nothing: "Nothing has happened to it yet.",
    all: "All of its events",
    elsewhere: "For other viewers",
    feed: (name: string) => `Feed “${name}”`,
    snapshot: "newest picture",
    stream: "stream",
    virtual: "virtual",
    age: "Age of this picture",
    rate: "Pictures per second drawn here",
    size: "Size of the picture",
  },
  {
    back: "Semua kamera",
    waiting: "Menunggu server…",
    none: (id: string) => `Tidak ada kamera “${id}” yang boleh Anda lihat.`,
    facts: "Tentang kamera ini",
    edit: "Ubah atau hapus",
    hour: "Satu jam terakhir",
    lately: "Belakangan ini",
    nothing: "Belum terjadi apa-apa padanya.",
    all: "Semua kejadiannya",
    elsewhere: "Untuk penampil lain",
    feed: (name: string) => `Aliran “${name}”`,
    snapshot: "gambar terbaru",
    stream: "aliran",
    virtual: "virtual",
    age: "Umur gambar ini",
    rate: "Gambar per detik yang ditampilkan di sini",
    size: "Ukuran gambar",
  },
);

export function CameraPage({ site, id }: CameraPageProps): JSX.Element {
  const camera = site.cameras.value.find((cell) => cell.id === id);
  if (camera) return <Shown site={site} camera={camera} />;
  const known = site.connection.value.phase === "open";
  return (
    <main class="pages">
      <Back />
      <p class="empty" data-testid="no-camera">
        {known ? SAY.none(id) : SAY.waiting}
      </p>
    </main>
  );
}

function Back(): JSX.Element {
  return (
    <a class="back" href={fragment({ page: "live" })}>
      ← {SAY.back}
    </a>
  );
}

interface Props {
  readonly site: Site;
  readonly camera: CameraCell;
}

function Shown({ site, camera }: Props): JSX.Element {
  const closeup = useMemo(() => new Closeup(site, camera.id), [site, camera.id]);
  const open = useComputed(() => site.connection.value.phase === "open").value;
  useEffect(() => {
    if (!open) return;
    closeup.start();
    return () => closeup.stop();
  }, [closeup, open]);
  const state = useComputed(() => camera.tile.value.status.state).value;
  useEffect(() => {
    if (open) void closeup.ask(); // whether it is there decides whether it can be set
  }, [closeup, open, state]);
  const mayControl = site.may("camera.control", camera.id);
  return (
    <main class="closeup" data-testid={`closeup-${camera.id}`}>
      <Back />
      <Picture site={site} camera={camera} />
      <Facts site={site} camera={camera} />
      {site.may("system.change") && (
        <a class="button" href={fragment({ page: "editing", id: camera.id })} data-testid="edit-camera">
          {SAY.edit}
        </a>
      )}
      {mayControl && <ControlsPanel site={site} closeup={closeup} />}
      <Titled id="hour" title={SAY.hour}>
        <Charts closeup={closeup} />
      </Titled>
      {site.may("event.view") && <Lately site={site} camera={camera} closeup={closeup} />}
    </main>
  );
}

interface TitledProps {
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
}

function Titled({ id, title, children }: TitledProps): JSX.Element {
  return (
    <section class={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}

function Picture({ site, camera }: Props): JSX.Element {
  const view = useComputed(() => viewTile(camera.tile.value, site.lostSince.value, site.clock.value, site.now.value));
  const about = useComputed(() => {
    const { word, tone, present, notice } = view.value;
    return `${word}\n${tone}\n${present}\n${notice ?? ""}`;
  });
  const age = useComputed(() => view.value.age);
  const rate = useComputed(() => view.value.rate);
  const size = useComputed(() => view.value.size);
  const name = useComputed(() => camera.tile.value.status.name).value;
  about.value; // the figures are text nodes of their own
  const { word, tone, present, notice } = view.peek();
  const { virtual } = camera.tile.peek().status;
  return (
    <section class={`camera large ${tone}`} aria-labelledby="closeup-title">
      <div class={present ? "stage" : "stage past"}>
        <Screen site={site} camera={camera} name={name} />
        <p class="notice" hidden={notice === null} data-testid="closeup-notice">
          {notice}
        </p>
      </div>
      <div class="caption">
        <h3 id="closeup-title">
          {name}
          {virtual && <span class="chip">{SAY.virtual}</span>}
        </h3>
        <span class={`pill ${tone}`} data-testid="closeup-state" role="status">
          {word}
        </span>
        <p class="figures">
          <span title={SAY.age}>{age}</span>
          <span title={SAY.rate}>{rate}</span>
          <span title={SAY.size}>{size}</span>
        </p>
      </div>
    </section>
  );
}

function Facts({ site, camera }: Props): JSX.Element {
  // Each second, not ten times: nothing here changes faster.
  const second = useComputed(() => Math.floor(serverTime(site.clock.value, site.now.value)));
  const list = facts(camera.tile.value.status, second.value);
  return (
    <Titled id="facts" title={SAY.facts}>
      <dl class="panel" data-testid="facts">
        {list.map(({ id, name, text }) => (
          <div key={id}>
            <dt>{name}</dt>
            <dd data-testid={`fact-${id}`}>{text}</dd>
          </div>
        ))}
        <Addresses camera={camera} />
      </dl>
    </Titled>
  );
}

/** Addresses that any viewer shows: the camera's own pictures, and each feed that is made of them. */
function Addresses({ camera }: { readonly camera: CameraCell }): JSX.Element {
  const feeds = useComputed(() => camera.tile.value.status.feeds.join("\n")).value;
  const row = (name: string, stream: string, snapshot: string): JSX.Element => (
    <div key={stream}>
      <dt>{name}</dt>
      <dd>
        <a href={stream}>{SAY.stream}</a>, <a href={snapshot}>{SAY.snapshot}</a>
      </dd>
    </div>
  );
  const of = { camera: camera.id };
  return (
    <>
      {row(SAY.elsewhere, fill(uris.STREAM, of), fill(uris.SNAPSHOT, of))}
      {feeds
        .split("\n")
        .filter(Boolean)
        .map((feed) =>
          row(SAY.feed(feed), fill(uris.FEED_STREAM, { ...of, feed }), fill(uris.FEED_SNAPSHOT, { ...of, feed })),
        )}
    </>
  );
}

function Lately({ site, camera, closeup }: Props & { readonly closeup: Closeup }): JSX.Element {
  const events = closeup.lately(site.history.newest.value);
  return (
    <Titled id="lately" title={SAY.lately}>
      <div class="day">
        {events.length === 0 ? (
          <p class="empty">{SAY.nothing}</p>
        ) : (
          <ol class="panel" data-testid="lately">
            {events.map((event) => (
              <Line key={event.id} event={event} subject={null} />
            ))}
          </ol>
        )}
        <a href={fragment({ page: "events", filter: { ...NO_FILTER, group: "cameras", subject: camera.id } })}>
          {SAY.all}
        </a>
      </div>
    </Titled>
  );
}
