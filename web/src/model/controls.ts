// What a camera can be set to, as its page draws it: what the server tells, what was chosen here and isn't sent yet,
// and what became of it. One setting goes out at a time, since the camera answers each for itself; of several choices
// for one setting only the last is sent.

import { spoken } from "./language";
import type { CameraSettings, Setting, Value } from "./types";

const SAY = spoken(
  {
    on: "on",
    off: "off",
    lost: "No connection to the server: nothing can be set.",
    asking: "Asking what can be set…",
  },
  {
    on: "nyala",
    off: "mati",
    lost: "Tidak ada koneksi ke server: tidak ada yang bisa diatur.",
    asking: "Menanyakan apa yang bisa diatur…",
  },
);

export interface Controls {
  readonly told: CameraSettings | null;
  /** Chosen here and not sent yet, in the order of choosing; a key per setting at most. */
  readonly chosen: ReadonlyMap<string, Value>;
  readonly sending: readonly [name: string, value: Value] | null;
  /** Why the last choice didn't come true, by setting. */
  readonly failures: ReadonlyMap<string, string>;
}

export const NO_CONTROLS: Controls = { told: null, chosen: new Map(), sending: null, failures: new Map() };

function without<Entry>(map: ReadonlyMap<string, Entry>, name: string): ReadonlyMap<string, Entry> {
  return new Map([...map].filter(([key]) => key !== name));
}

/** The server told what the camera can be set to, and is. */
export function told(state: Controls, settings: CameraSettings): Controls {
  return { ...state, told: settings };
}

/** Somebody chose a value. */
export function chose(state: Controls, name: string, value: Value): Controls {
  return {
    ...state,
    chosen: new Map([...without(state.chosen, name), [name, value]]),
    failures: without(state.failures, name),
  };
}

/** Return what is to be sent now, if anything: nothing while something is under way. */
export function next(state: Controls): Controls {
  const [first] = state.chosen;
  if (state.sending !== null || first === undefined) return state;
  return { ...state, sending: first, chosen: without(state.chosen, first[0]) };
}

/** The camera took what was sent, or didn't and why. */
export function sent(state: Controls, failure: string | null): Controls {
  if (state.sending === null) return state;
  const [name] = state.sending;
  const failures = failure === null ? state.failures : new Map([...state.failures, [name, failure]]);
  return { ...state, sending: null, failures };
}

/** The connection to the server is gone: what wasn't sent is not sent later, out of somebody's sight. */
export function lost(state: Controls): Controls {
  return { ...state, chosen: new Map() };
}

export interface ControlView {
  readonly setting: Setting;
  /** What the control shows: what was chosen here, else what the camera says, else what it was set to. */
  readonly value: Value | null;
  readonly busy: boolean;
  /** What was asked of the camera: "set to 15", or null where nothing was. */
  readonly wished: string | null;
  /** What the camera says it took, in its own words where they say more; null where it said nothing. */
  readonly taken: string | null;
  /** Whether the camera says something else than was asked of it. */
  readonly differs: boolean;
  readonly failure: string | null;
}

/** Return a value as people read it. */
export function spell(setting: Setting, value: Value): string {
  if (typeof value === "boolean") return value ? SAY.on : SAY.off;
  const option = setting.options.find((one) => one.value === value);
  return option ? option.label : String(value);
}

/** Return what each control shows. */
export function viewControls(state: Controls): readonly ControlView[] {
  return (state.told?.settings ?? []).map((setting) => {
    const { name, wished, taken, said } = setting;
    const waiting = state.chosen.get(name) ?? (state.sending?.[0] === name ? state.sending[1] : undefined);
    const read = taken === null ? null : spell(setting, taken);
    // "15 (actual: 12.3)" says more than 15; "8 (HD (1280x720))" only what the label says too.
    const more = said !== null && setting.kind === "number" && said !== String(taken);
    return {
      setting,
      value: waiting ?? taken ?? wished,
      busy: waiting !== undefined,
      wished: wished === null ? null : spell(setting, wished),
      taken: more || read === null ? said : read,
      differs: wished !== null && taken !== null && wished !== taken,
      failure: state.failures.get(name) ?? null,
    };
  });
}

/** Return why nothing can be set now, or null. `lost` is whether the connection to the server is. */
export function whyNot(state: Controls, lost: boolean): string | null {
  if (lost) return SAY.lost;
  if (state.told === null) return SAY.asking;
  const { reason } = state.told;
  return reason === null ? null : `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}
