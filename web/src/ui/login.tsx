import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { readClock } from "../clock";
import { RequestFailed } from "../http";
import { spoken } from "../model/language";
import * as model from "../model/login";
import type { Site } from "../site";
import { Mark } from "./icons";
import { LanguageSwitch } from "./language";

const SAY = spoken(
  {
    name: "Name",
    password: "Password",
    key: "Key",
    keyHint: "An API key that begins with gk_, or the admin token of the configuration.",
    useKey: "Use a key instead",
    usePassword: "Use name and password instead",
    hint: "No account yet? An owner adds you on the page People. Until a site has an owner, its log shows a link that makes one, once.",
  },
  {
    name: "Nama",
    password: "Kata sandi",
    key: "Kunci",
    keyHint: "Kunci API yang diawali gk_, atau token admin dari konfigurasi.",
    useKey: "Pakai kunci saja",
    usePassword: "Pakai nama dan kata sandi saja",
    hint: "Belum punya akun? Seorang pemilik menambahkan Anda di halaman Pengguna. Selama situs belum punya pemilik, lognya menampilkan satu tautan sekali pakai untuk membuatnya.",
  },
);

export function Login({ site }: { readonly site: Site }): JSX.Element {
  const state = useSignal(model.LOGGED_OUT);
  const first = useRef<HTMLInputElement>(null);
  const secret = useRef<HTMLInputElement>(null);
  const view = useComputed(() => JSON.stringify(model.viewLogin(state.value, site.now.value)));
  const { failure, mayTry, button } = JSON.parse(view.value) as model.LoginView;
  const { way } = state.value;
  useEffect(() => (first.current ?? secret.current)?.focus(), [way]);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!model.viewLogin(state.peek(), readClock()).mayTry) return;
    const [name, typed] = [first.current?.value.trim() ?? "", secret.current?.value ?? ""];
    const missing = model.missing(way, name, typed.trim());
    if (missing !== null) {
      state.value = model.incomplete(state.value, missing);
      (way === "password" && !name ? first : secret).current?.focus();
      return;
    }
    state.value = model.asked(state.value);
    try {
      await (way === "key" ? site.logInByKey(typed.trim()) : site.logIn(name, typed));
    } catch (reason) {
      const { code, message, retryAfter } =
        reason instanceof RequestFailed ? reason : new RequestFailed(String(reason));
      state.value = model.refused(state.value, code, message, retryAfter, readClock());
      secret.current?.select();
    }
  };

  return (
    <main class="login">
      <form class="panel" onSubmit={submit} aria-labelledby="login-title" data-testid="login">
        <div class="brand">
          <Mark />
          <h1 id="login-title">gatekeeper</h1>
          <LanguageSwitch />
        </div>
        {way === "password" && (
          <label>
            {SAY.name}
            <input
              ref={first}
              name="username"
              autocomplete="username"
              autocapitalize="none"
              spellcheck={false}
              maxLength={40}
              data-testid="login-name"
            />
          </label>
        )}
        <label key={way}>
          {way === "key" ? SAY.key : SAY.password}
          <input
            ref={secret}
            type="password"
            name={way}
            autocomplete={way === "key" ? "off" : "current-password"}
            spellcheck={false}
            data-testid={way === "key" ? "login-key" : "login-password"}
            aria-describedby="login-failure login-hint"
            aria-invalid={failure !== null}
          />
        </label>
        <p id="login-failure" class="problem" role="alert" data-testid="login-error" hidden={failure === null}>
          {failure}
        </p>
        <button type="submit" class="main" data-testid="login-submit" aria-disabled={!mayTry}>
          {button}
        </button>
        <p id="login-hint" class="hint">
          {way === "key" ? SAY.keyHint : SAY.hint}
        </p>
        <button
          type="button"
          class="link"
          data-testid="login-switch"
          onClick={() => {
            state.value = model.switched(state.value);
          }}
        >
          {way === "key" ? SAY.usePassword : SAY.useKey}
        </button>
      </form>
    </main>
  );
}
