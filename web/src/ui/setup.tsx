// After the one-time link nothing is shown but this: a name and a password for the site's owner.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { spoken } from "../model/language";
import { accountRules } from "../model/password";
import type { Site } from "../site";
import { NewPassword, Rules } from "./fields";
import { Mark } from "./icons";

const SAY = spoken(
  {
    title: "Choose a name and a password",
    why: "You came by the site’s one-time link. Choose what you will log in with from now on; until then nothing else is shown.",
    name: "Name",
    submit: "Set and go on",
    asking: "Setting…",
  },
  {
    title: "Pilih nama dan kata sandi",
    why: "Anda masuk lewat tautan sekali pakai situs ini. Pilih nama dan kata sandi untuk masuk mulai sekarang; sebelum itu tidak ada yang ditampilkan.",
    name: "Nama",
    submit: "Simpan dan lanjutkan",
    asking: "Menyimpan…",
  },
);

export function Setup({ site }: { readonly site: Site }): JSX.Element {
  const name = useSignal(site.identity.value?.name || "admin");
  const password = useSignal("");
  const failure = useSignal<string | null>(null);
  const busy = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const rules = accountRules(name.value, password.value);
  const ready = rules.every(({ met }) => met);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!ready || busy.value) return;
    busy.value = true;
    failure.value = null;
    try {
      await site.setUp(name.value, password.value);
    } catch (reason) {
      failure.value = (reason as Error).message;
    } finally {
      busy.value = false;
    }
  };

  return (
    <main class="login">
      <form class="panel" onSubmit={submit} aria-labelledby="setup-title" data-testid="setup">
        <div class="brand">
          <Mark />
          <h1 id="setup-title">{SAY.title}</h1>
        </div>
        <p>{SAY.why}</p>
        <label>
          {SAY.name}
          <input
            ref={field}
            name="username"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            maxLength={40}
            value={name}
            data-testid="setup-name"
            onInput={(event) => {
              name.value = event.currentTarget.value.trim();
            }}
          />
        </label>
        <NewPassword value={password} describedby="setup-rules" testid="setup-password" />
        <Rules id="setup-rules" rules={rules} />
        {failure.value && (
          <p class="problem" role="alert" data-testid="setup-error">
            {failure}
          </p>
        )}
        <button type="submit" class="main" data-testid="setup-submit" aria-disabled={!ready || busy.value}>
          {busy.value ? SAY.asking : SAY.submit}
        </button>
      </form>
    </main>
  );
}
