import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { serverTime } from "../model/clock";
import { clockTime } from "../model/words";
import type { Site } from "../site";
import { CameraTile } from "./camera";
import { DoorCard } from "./door";
import { EventList } from "./events";
import { Header } from "./header";
import { Login } from "./login";

/** The page: the log-in form, or the site. */
export function App({ site }: { readonly site: Site }): JSX.Element {
  const phase = useComputed(() => site.connection.value.phase);
  if (phase.value === "signedOut") return <Login site={site} />;
  return (
    <>
      <Header site={site} />
      <LostBand site={site} />
      <Board site={site} />
    </>
  );
}

/** Says once, loudly, that nothing below is known. */
function LostBand({ site }: { readonly site: Site }): JSX.Element {
  const text = useComputed(() => {
    const since = site.lostSince.value;
    if (since === null || site.system.value === null) return null;
    const time = clockTime(serverTime(site.clock.value, since));
    return `No connection to the server since ${time}. Nothing below is known until it is back; trying again.`;
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
  const known = site.system.value !== null;
  return (
    <main class="board">
      <section class="doors" aria-labelledby="doors-title">
        <h2 id="doors-title">Doors</h2>
        {doors.map((door) => (
          <DoorCard key={door.id} site={site} door={door} />
        ))}
        {doors.length === 0 && <p class="empty">{known ? "No door is configured." : "Waiting for the server…"}</p>}
        {doors.length > 0 && (
          <p class="hint">There is no door sensor: a state is that of the lock’s relay, not of the door leaf.</p>
        )}
      </section>
      <section class="cameras" aria-labelledby="cameras-title">
        <h2 id="cameras-title">Cameras</h2>
        <div class="tiles">
          {cameras.map((camera) => (
            <CameraTile key={camera.id} site={site} camera={camera} />
          ))}
        </div>
        {cameras.length === 0 && <p class="empty">{known ? "No camera is configured." : "Waiting for the server…"}</p>}
      </section>
      <EventList site={site} />
    </main>
  );
}
