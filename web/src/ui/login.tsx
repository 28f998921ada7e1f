import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Site } from "../site";
import { Mark } from "./icons";

export function Login({ site }: { readonly site: Site }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const failure = useSignal<string | null>(null);
  const busy = useSignal(false);
  useEffect(() => field.current?.focus(), []);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    failure.value = token ? null : "Paste the admin token first.";
    if (!token || busy.value) return;
    busy.value = true;
    try {
      await site.logIn(token);
    } catch (reason) {
      failure.value = (reason as Error).message;
      field.current?.select();
    } finally {
      busy.value = false;
    }
  };

  return (
    <main class="login">
      <form class="panel" onSubmit={submit} aria-labelledby="login-title">
        <div class="brand">
          <Mark />
          <h1 id="login-title">gatekeeper</h1>
        </div>
        <input type="text" name="username" value="admin" autocomplete="username" readOnly hidden />
        <label for="token">Admin token</label>
        <input
          ref={field}
          id="token"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          data-testid="login-token"
          aria-describedby="login-hint login-failure"
          aria-invalid={failure.value !== null}
        />
        <p id="login-failure" class="problem" role="alert" data-testid="login-error" hidden={failure.value === null}>
          {failure}
        </p>
        <button type="submit" class="main" data-testid="login-submit" aria-disabled={busy.value}>
          {busy.value ? "Logging in…" : "Log in"}
        </button>
        <p id="login-hint" class="hint">
          No token at hand? When it starts, the server prints a link in its log that logs in one browser, once.
        </p>
      </form>
    </main>
  );
}
