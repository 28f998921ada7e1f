// What a camera can be set to: a slider, list or switch for each, with what was asked of it and what it really took.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { Closeup } from "../closeup";
import { type ControlView, spell, viewControls, whyNot } from "../model/controls";
import { spoken } from "../model/language";
import type { Value } from "../model/types";
import type { Site } from "../site";

const SAY = spoken(
  {
    title: "Settings",
    set: (value: string) => `set to ${value}`,
    notSet: "not set here",
    took: (value: string) => `camera: ${value}`,
    silent: "the camera has not said",
    busy: "being set…",
    unknown: "not known",
    reboot: "Start anew…",
    sure: "Start the camera anew?",
    away: "It will be away for some seconds, and is then set again to what it was set to here.",
    yes: "Start anew",
    no: "Cancel",
  },
  {
    title: "Pengaturan",
    set: (value: string) => `diatur ke ${value}`,
    notSet: "tidak diatur di sini",
    took: (value: string) => `kamera: ${value}`,
    silent: "kamera belum melaporkan",
    busy: "sedang diatur…",
    unknown: "tidak diketahui",
    reboot: "Nyalakan ulang…",
    sure: "Nyalakan ulang kamera?",
    away: "Kamera hilang beberapa detik, lalu diatur lagi seperti yang diatur di sini.",
    yes: "Nyalakan ulang",
    no: "Batal",
  },
);

interface Props {
  readonly site: Site;
  readonly closeup: Closeup;
}

export function ControlsPanel({ site, closeup }: Props): JSX.Element {
  const lost = useComputed(() => site.lostSince.value !== null).value;
  const why = whyNot(closeup.controls.value, lost);
  const views = viewControls(closeup.controls.value);
  return (
    <section class="settings" aria-labelledby="settings-title">
      <h2 id="settings-title">{SAY.title}</h2>
      <div class="panel padded">
        <p class={views.length ? "warning" : "empty"} hidden={why === null} data-testid="settings-why">
          {why}
        </p>
        {views.length > 0 && (
          <fieldset disabled={why !== null} aria-describedby="settings-title" data-testid="settings">
            {views.map((view) =>
              view.setting.kind === "action" ? (
                <Reboot key={view.setting.name} view={view} closeup={closeup} />
              ) : (
                <Control
                  key={view.setting.name}
                  view={view}
                  choose={(value) => closeup.choose(view.setting.name, value)}
                />
              ),
            )}
          </fieldset>
        )}
      </div>
    </section>
  );
}

interface ControlProps {
  readonly view: ControlView;
  readonly choose: (value: Value) => void;
}

function Control({ view, choose }: ControlProps): JSX.Element {
  const { setting, failure } = view;
  const id = `setting-${setting.name}`;
  const parts = { number: Slider, choice: Choice, switch: Toggle, action: Toggle } as const;
  const Part = parts[setting.kind];
  return (
    <div class={`control ${setting.kind}`} data-testid={id}>
      <Part view={view} choose={choose} id={id} />
      <p class="took" id={`${id}-took`} role="status" data-testid={`${id}-took`}>
        <span>{view.busy ? SAY.busy : view.wished === null ? SAY.notSet : SAY.set(view.wished)}</span>
        <span class={view.differs ? "differs" : ""}>{view.taken === null ? SAY.silent : SAY.took(view.taken)}</span>
      </p>
      <p class="problem" role="alert" hidden={failure === null} data-testid={`${id}-failure`}>
        {failure}
      </p>
    </div>
  );
}

type PartProps = ControlProps & { readonly id: string };

function Slider({ view, choose, id }: PartProps): JSX.Element {
  const { setting, value } = view;
  const [least, most] = [setting.minimum ?? 0, setting.maximum ?? 0];
  const draft = useSignal<number | null>(null); // while it is moved; sent when it is let go
  const known = draft.value ?? (typeof value === "number" ? value : null);
  return (
    <>
      <label for={id}>
        {setting.label}
        <output for={id}>{known === null ? SAY.unknown : spell(setting, known)}</output>
      </label>
      {setting.note && <span class="hint">{setting.note}</span>}
      <input
        id={id}
        type="range"
        min={least}
        max={most}
        value={known ?? Math.round((least + most) / 2)}
        aria-valuetext={known === null ? SAY.unknown : spell(setting, known)}
        aria-describedby={`${id}-took`}
        onInput={(event) => {
          draft.value = event.currentTarget.valueAsNumber;
        }}
        onChange={(event) => {
          draft.value = null;
          choose(event.currentTarget.valueAsNumber);
        }}
      />
    </>
  );
}

function Choice({ view, choose, id }: PartProps): JSX.Element {
  const { setting, value } = view;
  const note = setting.options.find((option) => option.value === value)?.note;
  return (
    <>
      <label for={id}>{setting.label}</label>
      <select
        id={id}
        aria-describedby={`${id}-took`}
        onChange={(event) => {
          const option = setting.options[event.currentTarget.selectedIndex - (value === null ? 1 : 0)];
          if (option) choose(option.value);
        }}
      >
        {value === null && <option selected>{SAY.unknown}</option>}
        {setting.options.map((option) => (
          <option key={String(option.value)} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
      {note && <span class="hint">{note}</span>}
    </>
  );
}

function Toggle({ view, choose, id }: PartProps): JSX.Element {
  const { setting, value } = view;
  return (
    <label class="check" for={id}>
      <input
        id={id}
        type="checkbox"
        checked={value === true}
        indeterminate={value === null}
        aria-describedby={`${id}-took`}
        onChange={(event) => choose(event.currentTarget.checked)}
      />
      {setting.label}
    </label>
  );
}

function Reboot({ view, closeup }: { readonly view: ControlView; readonly closeup: Closeup }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = (): void => dialog.current?.close();
  return (
    <div class="control action">
      <button type="button" class="danger" data-testid="reboot" onClick={() => dialog.current?.showModal()}>
        {view.busy ? SAY.busy : SAY.reboot}
      </button>
      <p class="problem" role="alert" hidden={view.failure === null} data-testid="reboot-failure">
        {view.failure}
      </p>
      <dialog ref={dialog} class="panel" aria-labelledby="reboot-title">
        <h2 id="reboot-title">{SAY.sure}</h2>
        <p>{SAY.away}</p>
        <div class="row">
          <button
            type="button"
            class="danger"
            data-testid="reboot-sure"
            onClick={() => {
              close();
              closeup.choose(view.setting.name, true);
            }}
          >
            {SAY.yes}
          </button>
          <button type="button" onClick={close}>
            {SAY.no}
          </button>
        </div>
      </dialog>
    </div>
  );
}
