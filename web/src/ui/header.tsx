import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { offset, serverTime } from "../model/clock";
import type { Connection } from "../model/connection";
import { NO_FILTER } from "../model/filter";
import { spoken } from "../model/language";
import { fragment, type Page, type Route } from "../model/route";
import type { Tone } from "../model/types";
import { clockTime } from "../model/words";
import type { Site } from "../site";
import { Mark } from "./icons";
import { LanguageSwitch } from "./language";

const SAY = spoken(
  {
    connected: "Connected",
    lost: "No connection",
    connecting: "Connecting…",
    notLoggedOut: (why: string) => `Not logged out: ${why}`,
    logOut: "Log out",
    pages: "Pages",
    live: "Live",
    events: "Events",
    measurements: "Towers",
    pictures: "Pictures",
    people: "People",
    account: "Account",
    loggedInAs: (name: string) => `Account: logged in as ${name}`,
    clock: "The server’s clock",
    virtual: "virtual devices",
  },
  {
    connected: "Terhubung",
    lost: "Tidak ada koneksi",
    connecting: "Menghubungkan…",
    notLoggedOut: (why: string) => `Belum keluar: ${why}`,
    logOut: "Keluar",
    pages: "Halaman",
    live: "Langsung",
    events: "Kejadian",
    measurements: "Menara",
    pictures: "Gambar",
    people: "Pengguna",
    account: "Akun",
    loggedInAs: (name: string) => `Akun: masuk sebagai ${name}`,
    clock: "Jam server",
    virtual: "perangkat virtual",
  },
);

function standing(connection: Connection, everKnown: boolean): { word: string; tone: Tone } {
  if (connection.phase === "open") return { word: SAY.connected, tone: "calm" };
  return everKnown ? { word: SAY.lost, tone: "alarm" } : { word: SAY.connecting, tone: "busy" };
}

export function Header({ site }: { readonly site: Site }): JSX.Element {
  const failure = useSignal<string | null>(null);
  const { word, tone } = standing(site.connection.value, site.system.value !== null);
  const leave = (): void => {
    failure.value = null;
    site.logOut().catch((reason: Error) => {
      failure.value = SAY.notLoggedOut(reason.message);
    });
  };
  return (
    <header class="top">
      <div class="brand">
        <Mark />
        <h1>{site.system.value?.name ?? "gatekeeper"}</h1>
        {site.system.value?.demo && (
          <span class="badge" data-testid="demo">
            DEMO <span class="wide">– {SAY.virtual}</span>
          </span>
        )}
      </div>
      <Pages site={site} />
      <span class={`pill ${tone}`} data-testid="connection" role="status">
        {word}
      </span>
      <ServerClock site={site} />
      <LanguageSwitch />
      <button type="button" class="quiet wide" data-testid="logout" onClick={leave}>
        {SAY.logOut}
      </button>
      {failure.value && (
        <p class="problem" role="alert">
          {failure}
        </p>
      )}
    </header>
  );
}

/** Pages of which an entry is the way to; an event's own page belongs to the events, a camera's to the live ones. */
const COVERS: Readonly<Partial<Record<Page, readonly Page[]>>> = {
  live: ["live", "camera"],
  events: ["events", "event"],
  measurements: ["measurements", "team", "screen"],
};

function Pages({ site }: { readonly site: Site }): JSX.Element {
  const { page } = site.route.value;
  const identity = site.identity.value;
  const entry = (to: Route, text: string, label?: string): JSX.Element => (
    <a
      href={fragment(to)}
      aria-current={(COVERS[to.page] ?? [to.page]).includes(page) ? "page" : undefined}
      aria-label={label}
      title={label}
      data-testid={`to-${to.page}`}
    >
      {text}
    </a>
  );
  return (
    <nav aria-label={SAY.pages}>
      {entry({ page: "live" }, SAY.live)}
      {site.may("event.view") && entry({ page: "events", filter: NO_FILTER }, SAY.events)}
      {site.measures && entry({ page: "measurements" }, SAY.measurements)}
      {site.may("camera.view") && entry({ page: "pictures", camera: null, day: null }, SAY.pictures)}
      {site.may("access.admin") && entry({ page: "people" }, SAY.people)}
      {entry({ page: "account" }, identity?.name ?? SAY.account, identity ? SAY.loggedInAs(identity.name) : undefined)}
    </nav>
  );
}

function ServerClock({ site }: { readonly site: Site }): JSX.Element {
  const text = useComputed(() => {
    const { value: clock } = site.clock;
    if (site.lostSince.value !== null || offset(clock) === null) return "--:--:--";
    return clockTime(serverTime(clock, site.now.value));
  });
  return (
    <time class="clock" title={SAY.clock}>
      {text}
    </time>
  );
}
