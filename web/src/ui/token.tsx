import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { newToken } from "../access";

/** Replaces the admin token; the new one is in this dialog and nowhere else. */
export function TokenDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const token = useSignal<string | null>(null);
  const failure = useSignal<string | null>(null);
  const busy = useSignal(false);
  useEffect(() => dialog.current?.showModal(), []);

  const make = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = null;
    try {
      token.value = await newToken();
    } catch (reason) {
      failure.value = (reason as Error).message;
    } finally {
      busy.value = false;
    }
  };

  return (
    <dialog ref={dialog} class="panel" aria-labelledby="token-title" onClose={onClose}>
      <h2 id="token-title">Token for scripts</h2>
      {token.value === null ? (
        <>
          <p>Scripts and other programs log in with the admin token.</p>
          <p class="warning">
            Making a new one <strong>replaces the old one</strong>: whatever still uses the old token can no longer log
            in.
          </p>
        </>
      ) : (
        <NewToken token={token.value} />
      )}
      {failure.value && (
        <p class="problem" role="alert">
          {failure}
        </p>
      )}
      <div class="row">
        {token.value === null && (
          <button type="button" class="main" onClick={make} aria-disabled={busy.value} data-testid="token-make">
            Make a new token
          </button>
        )}
        <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
          {token.value === null ? "Cancel" : "Close"}
        </button>
      </div>
    </dialog>
  );
}

function NewToken({ token }: { readonly token: string }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const copied = useSignal<boolean | null>(null);
  const copy = async (): Promise<void> => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(token);
      copied.value = true;
    } catch {
      // Over plain HTTP browsers give no clipboard object; the old command still copies a selection.
      copied.value = document.execCommand("copy");
    }
  };
  return (
    <>
      <p class="warning">It is shown only this once. The old token has stopped working.</p>
      <div class="row">
        <input ref={field} readOnly value={token} aria-label="New token" data-testid="token-value" />
        <button type="button" class="main" onClick={copy} data-testid="token-copy">
          Copy
        </button>
      </div>
      <p class="hint" role="status">
        {copied.value === null ? "" : copied.value ? "Copied." : "Not copied: select it and press Ctrl+C."}
      </p>
    </>
  );
}
