import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { serverTime } from "../model/clock";
import { spoken } from "../model/language";
import { fragment, type Page } from "../model/route";
import { clockTime } from "../model/words";
import type { Site } from "../site";
import { Account } from "./account";
import { CameraForm } from "./adding";
import { CameraTile } from "./camera";
import { CameraPage } from "./camera_later";
import { DoorCard } from "./door";
import { EventPage } from "./event";
import { EventList } from "./events";
import { GalleryPage } from "./gallery_later";
import { Header } from "./header";
import { Login } from "./login";
import { MeasurementsPage, ScreenPage, TeamPage } from "./measuring_later";
import { People } from "./people";
import { Setup } from "./setup";
import { TimelinePage } from "./timeline";

const SAY = spoken(
  {
    lost: (time: string) =>
      `No connection to the server since ${time}. Nothing below is known until it is back; trying again.`,
    doors: "Doors",
    noDoor: "No door is configured.",
    noDoorForYou: "There is no door that you may see.",
    sensor: "There is no door sensor: a state is that of the lock’s relay, not of the door leaf.",
    cameras: "Cameras",
    add: "Add a camera",
    noCamera: "No camera is configured.",
    noCameraForYou: "There is no camera that you may see.",
    waiting: "Waiting for the server…",
  },
  {
    lost: (time: string) =>
      `Tidak ada koneksi ke server sejak ${time}. Semua di bawah ini tidak diketahui sampai tersambung lagi; sedang dicoba.`,
    doors: "Pintu",
    noDoor: "Belum ada pintu yang dikonfigurasi.",
    noDoorForYou: "Tidak ada pintu yang boleh Anda lihat.",
    sensor: "Tidak ada sensor pintu: statusnya adalah status relai kunci, bukan daun pintu.",
    cameras: "Kamera",
    add: "Tambah kamera",
    noCamera: "Belum ada kamera yang dikonfigurasi.",
    noCameraForYou: "Tidak ada kamera yang boleh Anda lihat.",
    waiting: "Menunggu server…",
  },
);

/** Cameras beyond which their tiles are small, so that a wall of them can be seen at once. */
const MANY = 16;

/** The page: the log-in form, the choice of the first password, or the site. */
export function App({ site }: { readonly site: Site }): JSX.Element {
  const phase = useComputed(() => site.connection.value.phase);
  if (phase.value === "signedOut") return <Login site={site} />;
  if (phase.value === "choosing") return <Setup site={site} />;
  return (
    <>
      {site.route.value.page !== "screen" && <Header site={site} />}
      <LostBand site={site} />
      <Shown site={site} />
    </>
  );
}

function Shown({ site }: { readonly site: Site }): JSX.Element {
  const route = site.route.value;
  useEffect(() => window.scrollTo(0, 0), [route.page]);
  const pages: Readonly<Record<Page, () => JSX.Element>> = {
    live: () => <Board site={site} />,
    events: () => <TimelinePage site={site} />,
    adding: () => (site.may("system.change") ? <CameraForm site={site} /> : <Board site={site} />),
    editing: () =>
      site.may("system.change") && route.page === "editing" ? (
        <CameraForm site={site} id={route.id} />
      ) : (
        <Board site={site} />
      ),
    camera: () => <CameraPage key={fragment(route)} site={site} id={route.page === "camera" ? route.id : ""} />,
    event: () => <EventPage site={site} id={route.page === "event" ? route.id : ""} />,
    measurements: () => (site.measures ? <MeasurementsPage site={site} /> : <Board site={site} />),
    team: () => <TeamPage site={site} team={route.page === "team" ? route.team : 0} />,
    screen: () => <ScreenPage site={site} />,
    pictures: () => (site.may("camera.view") ? <GalleryPage site={site} /> : <Board site={site} />),
    people: () => (site.may("access.admin") ? <People site={site} /> : <Board site={site} />),
    account: () => <Account site={site} />,
  };
  return pages[route.page]();
}

/** Says once, loudly, that nothing below is known. */
function LostBand({ site }: { readonly site: Site }): JSX.Element {
  const text = useComputed(() => {
    const since = site.lostSince.value;
    if (since === null || site.system.value === null) return null;
    return SAY.lost(clockTime(serverTime(site.clock.value, since)));
  });
  return (
    <div role="alert" class="band" hidden={text.value === null}>
      {text}
    </div>
  );
}

function Board({ site }: { readonly site: Site }): JSX.Element {
  const doors = site.doors.value;
  const cameras = site.cameras.value;
  const known = site.system.value !== null || site.connection.value.phase === "open";
  const owner = site.identity.value?.role === "owner";
  const none = (nothing: string, forYou: string): string => (!known ? SAY.waiting : owner ? nothing : forYou);
  return (
    <main class={cameras.length > MANY ? "board wall" : "board"}>
      <section class="doors" aria-labelledby="doors-title">
        <h2 id="doors-title">{SAY.doors}</h2>
        {doors.map((door) => (
          <DoorCard key={door.id} site={site} door={door} />
        ))}
        {doors.length === 0 && <p class="empty">{none(SAY.noDoor, SAY.noDoorForYou)}</p>}
        {doors.length > 0 && <p class="hint">{SAY.sensor}</p>}
      </section>
      <section class="cameras" aria-labelledby="cameras-title">
        <div class="titled">
          <h2 id="cameras-title">{SAY.cameras}</h2>
          {site.may("system.change") && (
            <a class="button quiet" href={fragment({ page: "adding" })} data-testid="add-camera">
              {SAY.add}
            </a>
          )}
        </div>
        <div class={cameras.length > MANY ? "tiles many" : "tiles"}>
          {cameras.map((camera) => (
            <CameraTile key={camera.id} site={site} camera={camera} />
          ))}
        </div>
        {cameras.length === 0 && <p class="empty">{none(SAY.noCamera, SAY.noCameraForYou)}</p>}
      </section>
      {site.may("event.view") && <EventList site={site} />}
    </main>
  );
}
