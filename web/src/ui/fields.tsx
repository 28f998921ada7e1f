// Small things that several forms have: a new password with its rules, a secret that is shown once, a question first.

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { spoken } from "../model/language";
import type { Rule } from "../model/password";

const SAY = spoken(
  {
    newPassword: "New password",
    show: "Show what is typed",
    met: "met: ",
    unmet: "not yet: ",
    once: "It is shown only this once.",
    copy: "Copy",
    copied: "Copied.",
    notCopied: "Not copied: select it and press Ctrl+C.",
    cancel: "Cancel",
  },
  {
    newPassword: "Kata sandi baru",
    show: "Tampilkan yang diketik",
    met: "terpenuhi: ",
    unmet: "belum: ",
    once: "Hanya ditampilkan sekali ini.",
    copy: "Salin",
    copied: "Tersalin.",
    notCopied: "Tidak tersalin: pilih teksnya lalu tekan Ctrl+C.",
    cancel: "Batal",
  },
);

interface NewPasswordProps {
  readonly value: Signal<string>;
  readonly describedby: string;
  readonly testid: string;
}

export function NewPassword({ value, describedby, testid }: NewPasswordProps): JSX.Element {
  const shown = useSignal(false);
  return (
    <>
      <label>
        {SAY.newPassword}
        <input
          type={shown.value ? "text" : "password"}
          name="new-password"
          autocomplete="new-password"
          spellcheck={false}
          value={value}
          aria-describedby={describedby}
          data-testid={testid}
          onInput={(event) => {
            value.value = event.currentTarget.value;
          }}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={shown}
          onChange={(event) => {
            shown.value = event.currentTarget.checked;
          }}
        />
        {SAY.show}
      </label>
    </>
  );
}

/** The rules stand there before anything is typed; each says in words whether it is met. */
export function Rules({ id, rules }: { readonly id: string; readonly rules: readonly Rule[] }): JSX.Element {
  return (
    <ul id={id} class="rules">
      {rules.map(({ text, met }, index) => (
        <li key={index} class={met ? "met" : ""}>
          <span class="spoken">{met ? SAY.met : SAY.unmet}</span>
          {text}
        </li>
      ))}
    </ul>
  );
}

interface SecretProps {
  readonly label: string;
  readonly secret: string;
  readonly testid: string;
}

/** A secret that can be had only now. */
export function ShownOnce({ label, secret, testid }: SecretProps): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const copied = useSignal<boolean | null>(null);
  const copy = async (): Promise<void> => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      copied.value = true;
    } catch {
      // Over plain HTTP browsers give no clipboard object; the old command still copies a selection.
      copied.value = document.execCommand("copy");
    }
  };
  return (
    <div class="once">
      <p class="warning">{SAY.once}</p>
      <div class="row">
        <input ref={field} readOnly value={secret} aria-label={label} data-testid={testid} />
        <button type="button" class="main" onClick={copy} data-testid={`${testid}-copy`}>
          {SAY.copy}
        </button>
      </div>
      <p class="hint" role="status">
        {copied.value === null ? "" : copied.value ? SAY.copied : SAY.notCopied}
      </p>
    </div>
  );
}

interface AskFirstProps {
  readonly title: string;
  readonly confirm: string;
  readonly children: ComponentChildren;
  /** What is done; a failure is shown and the dialog stays. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** Ask before something that can't be undone. */
export function AskFirst({ title, confirm, children, onConfirm, onClose }: AskFirstProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const failure = useSignal<string | null>(null);
  const busy = useSignal(false);
  useEffect(() => dialog.current?.showModal(), []);
  const act = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = null;
    try {
      await onConfirm();
      dialog.current?.close();
    } catch (reason) {
      failure.value = (reason as Error).message;
    } finally {
      busy.value = false;
    }
  };
  return (
    <dialog ref={dialog} class="panel" aria-labelledby={titleId} onClose={onClose}>
      <h2 id={titleId}>{title}</h2>
      {children}
      {failure.value && (
        <p class="problem" role="alert">
          {failure}
        </p>
      )}
      <div class="row">
        <button type="button" class="danger" onClick={act} aria-disabled={busy.value} data-testid="confirm">
          {confirm}
        </button>
        <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
          {SAY.cancel}
        </button>
      </div>
    </dialog>
  );
}

/**
 * Load a list, reload it after each change and when the connection is back, and say what failed.
 *
 * `connected` false: what is in it is not known.
 */
export function useList<Item>(
  load: () => Promise<readonly Item[]>,
  connected: boolean,
): {
  readonly items: Signal<readonly Item[] | null>;
  readonly failure: Signal<string | null>;
  readonly reload: () => Promise<void>;
  readonly act: (change: () => Promise<unknown>) => Promise<boolean>;
} {
  const items = useSignal<readonly Item[] | null>(null);
  const failure = useSignal<string | null>(null);
  const reload = async (): Promise<void> => {
    try {
      items.value = await load();
    } catch (reason) {
      failure.value = (reason as Error).message;
    }
  };
  const act = async (change: () => Promise<unknown>): Promise<boolean> => {
    failure.value = null;
    try {
      await change();
      return true;
    } catch (reason) {
      failure.value = (reason as Error).message;
      return false;
    } finally {
      await reload();
    }
  };
  useEffect(() => {
    if (connected) void reload();
    else items.value = null;
  }, [connected]);
  return { items, failure, reload, act };
}
