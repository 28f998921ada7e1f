import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { offset, serverTime } from "../model/clock";
import type { Connection } from "../model/connection";
import type { Tone } from "../model/types";
import { clockTime } from "../model/words";
import type { Site } from "../site";
import { Mark } from "./icons";
import { TokenDialog } from "./token";

function standing(connection: Connection, everKnown: boolean): { word: string; tone: Tone } {
  if (connection.phase === "open") return { word: "Connected", tone: "calm" };
  return everKnown ? { word: "No connection", tone: "alarm" } : { word: "Connecting…", tone: "busy" };
}

export function Header({ site }: { readonly site: Site }): JSX.Element {
  const failure = useSignal<string | null>(null);
  const asking = useSignal(false);
  const connection = site.connection.value;
  const { word, tone } = standing(connection, site.system.value !== null);
  const leave = (): void => {
    failure.value = null;
    site.logOut().catch((reason: Error) => {
      failure.value = `Not logged out: ${reason.message}`;
    });
  };
  return (
    <header class="top">
      <div class="brand">
        <Mark />
        <h1>{site.system.value?.name ?? "gatekeeper"}</h1>
        {site.system.value?.demo && (
          <span class="badge" data-testid="demo">
            DEMO <span class="wide">– virtual devices</span>
          </span>
        )}
      </div>
      <span class={`pill ${tone}`} data-testid="connection" role="status">
        {word}
      </span>
      <ServerClock site={site} />
      <div class="actions">
        <span class="who wide" title={`Logged in as ${connection.identity?.authid ?? "nobody"}`}>
          {connection.identity?.authid}
        </span>
        <button type="button" class="quiet" data-testid="token" onClick={() => (asking.value = true)}>
          Token <span class="wide">for scripts</span>
        </button>
        <button type="button" class="quiet" data-testid="logout" onClick={leave}>
          Log out
        </button>
      </div>
      {failure.value && (
        <p class="problem" role="alert">
          {failure}
        </p>
      )}
      {asking.value && <TokenDialog onClose={() => (asking.value = false)} />}
    </header>
  );
}

function ServerClock({ site }: { readonly site: Site }): JSX.Element {
  const text = useComputed(() => {
    const { value: clock } = site.clock;
    if (site.lostSince.value !== null || offset(clock) === null) return "--:--:--";
    return clockTime(serverTime(clock, site.now.value));
  });
  return (
    <time class="clock" title="The server’s clock">
      {text}
    </time>
  );
}
