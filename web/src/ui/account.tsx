import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { changePassword, endLogIns, listKeys, listLogIns, newKey, revokeKey } from "../access";
import * as model from "../model/account";
import { serverTime } from "../model/clock";
import { spoken } from "../model/language";
import { passwordRules } from "../model/password";
import { ago, dateTime, sentence } from "../model/words";
import type { Site } from "../site";
import { AskFirst, NewPassword, Rules, ShownOnce, useList } from "./fields";

const SAY = spoken(
  {
    title: (name: string) => `Account ${name}`,
    role: (role: string) => `Role: ${role}`,
    logOut: "Log out of this browser",
    everywhere: "Log out everywhere",
    everywhereTitle: "Log out everywhere?",
    everywhereText: "Every log-in of this account ends now, on every machine, this one too. API keys stay good.",
    notKnown: "Not known: no connection to the server.",
    loading: "Loading…",

    password: "Password",
    old: "Current password",
    change: "Change password",
    changed: "Changed. Other log-ins of this account have ended.",

    keys: "API keys",
    keysWhy: "For scripts and devices: each stands for this account, within its scope, until it expires or is revoked.",
    noKeys: "There are no keys.",
    newKey: "New key",
    label: "What it is for",
    scope: "It may do",
    life: "It is good for",
    make: "Make a key",
    made: (label: string) => `The key “${label}”`,
    revoke: "Revoke",
    revokeTitle: "Revoke this key?",
    revokeText: (label: string) => `Whatever uses “${label}” can no longer log in, from now on.`,
    created: (when: string) => `made ${when}`,
    needsLabel: "Say what it is for first.",

    logins: "Log-ins",
    loginsWhy: "Where this account is logged in now. End what you don’t recognise, and change the password.",
    thisOne: "this browser",
    endOthers: "End all but this browser",
    since: (from: string, used: string) => `since ${from}, last seen ${used}`,
  },
  {
    title: (name: string) => `Akun ${name}`,
    role: (role: string) => `Peran: ${role}`,
    logOut: "Keluar dari peramban ini",
    everywhere: "Keluar di mana-mana",
    everywhereTitle: "Keluar di mana-mana?",
    everywhereText:
      "Semua sesi masuk akun ini berakhir sekarang, di semua komputer, termasuk yang ini. Kunci API tetap berlaku.",
    notKnown: "Tidak diketahui: tidak ada koneksi ke server.",
    loading: "Memuat…",

    password: "Kata sandi",
    old: "Kata sandi saat ini",
    change: "Ganti kata sandi",
    changed: "Sudah diganti. Sesi masuk lain dari akun ini sudah berakhir.",

    keys: "Kunci API",
    keysWhy:
      "Untuk skrip dan perangkat: masing-masing mewakili akun ini, sebatas cakupannya, sampai kedaluwarsa atau dicabut.",
    noKeys: "Belum ada kunci.",
    newKey: "Kunci baru",
    label: "Untuk apa",
    scope: "Boleh apa",
    life: "Berlaku selama",
    make: "Buat kunci",
    made: (label: string) => `Kunci “${label}”`,
    revoke: "Cabut",
    revokeTitle: "Cabut kunci ini?",
    revokeText: (label: string) => `Apa pun yang memakai “${label}” tidak bisa masuk lagi mulai sekarang.`,
    created: (when: string) => `dibuat ${when}`,
    needsLabel: "Sebutkan dulu untuk apa.",

    logins: "Sesi masuk",
    loginsWhy: "Di mana akun ini sedang masuk. Akhiri yang tidak Anda kenal, lalu ganti kata sandi.",
    thisOne: "peramban ini",
    endOthers: "Akhiri semua kecuali peramban ini",
    since: (from: string, used: string) => `sejak ${from}, terakhir terlihat ${used}`,
  },
);

/** What somebody does about the own account. Without a connection it says so instead of showing old lists; what is
 * being typed, and a key that is shown once, stay. */
export function Account({ site }: { readonly site: Site }): JSX.Element {
  const asking = useSignal(false);
  const failure = useSignal<string | null>(null);
  const identity = site.identity.value;
  const leave = (): void => {
    failure.value = null;
    site.logOut().catch((reason: Error) => {
      failure.value = reason.message;
    });
  };
  return (
    <main class="pages" data-testid="account">
      <section aria-labelledby="account-title">
        <h2 id="account-title">{SAY.title(identity?.name ?? "")}</h2>
        <div class="panel padded">
          <p>{SAY.role(identity?.role ?? "")}</p>
          <div class="row wrap">
            <button type="button" onClick={leave} data-testid="account-logout">
              {SAY.logOut}
            </button>
            <button
              type="button"
              class="danger"
              data-testid="logout-everywhere"
              onClick={() => {
                asking.value = true;
              }}
            >
              {SAY.everywhere}
            </button>
          </div>
          {failure.value && (
            <p class="problem" role="alert">
              {failure}
            </p>
          )}
        </div>
      </section>
      <Keys site={site} />
      <LogIns site={site} />
      <Password site={site} />
      {asking.value && (
        <AskFirst
          title={SAY.everywhereTitle}
          confirm={SAY.everywhere}
          onConfirm={() => site.logOutEverywhere()}
          onClose={() => {
            asking.value = false;
          }}
        >
          <p>{SAY.everywhereText}</p>
        </AskFirst>
      )}
    </main>
  );
}

function today(site: Site): number {
  return serverTime(site.clock.peek(), site.now.peek());
}

function Keys({ site }: { readonly site: Site }): JSX.Element {
  const connected = site.connection.value.phase === "open";
  const { items, failure, reload } = useList(() => listKeys(), connected);
  const revoking = useSignal<model.Key | null>(null);
  const made = useSignal<{ readonly label: string; readonly secret: string } | null>(null);
  const label = useRef<HTMLInputElement>(null);
  const scope = useRef<HTMLSelectElement>(null);
  const life = useRef<HTMLSelectElement>(null);
  const busy = useSignal(false);
  const now = today(site);
  const scopes = model.scopesOf(site.identity.value?.permissions ?? []);

  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    const what = label.current?.value.trim() ?? "";
    failure.value = what ? null : SAY.needsLabel;
    if (!what || busy.value) return;
    busy.value = true;
    try {
      const days = model.LIVES[Number(life.current?.value)]?.days ?? null;
      const permissions = scopes.find(({ id }) => id === scope.current?.value)?.permissions ?? null;
      const answer = await newKey({ label: what, permissions, things: null, expires: model.expiry(days, today(site)) });
      made.value = { label: what, secret: answer.key };
      if (label.current) label.current.value = "";
    } catch (reason) {
      failure.value = (reason as Error).message;
    } finally {
      busy.value = false;
      void reload();
    }
  };

  return (
    <section aria-labelledby="keys-title">
      <h2 id="keys-title">{SAY.keys}</h2>
      <div class="panel padded">
        <p class="hint">{SAY.keysWhy}</p>
        <form class="inline" onSubmit={make} aria-label={SAY.newKey}>
          <label>
            {SAY.label}
            <input ref={label} maxLength={80} autocomplete="off" data-testid="key-label" />
          </label>
          <label>
            {SAY.scope}
            <select ref={scope} data-testid="key-scope">
              {scopes.map(({ id }) => (
                <option key={id} value={id}>
                  {model.scopeName(id)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {SAY.life}
            <select ref={life} data-testid="key-life">
              {model.LIVES.map(({ name }, index) => (
                <option key={name} value={index} selected={index === 2}>
                  {model.lifeName(name)}
                </option>
              ))}
            </select>
          </label>
          <button type="submit" class="main" aria-disabled={busy.value} data-testid="key-make">
            {SAY.make}
          </button>
        </form>
        {made.value && <ShownOnce label={SAY.made(made.value.label)} secret={made.value.secret} testid="key-secret" />}
        {failure.value && (
          <p class="problem" role="alert">
            {failure}
          </p>
        )}
        <ul class="list" data-testid="keys">
          {(items.value ?? []).map((key) => {
            const view = model.viewKey(key, now);
            return (
              <li key={key.id} class={view.active ? "" : "past"}>
                <div>
                  <b>{key.label}</b> <code>gk_{key.id}_…</code>
                  <p class="hint">
                    {view.scope} · {view.standing} · {view.used} · {SAY.created(ago(key.created, now))}
                  </p>
                </div>
                {view.active && (
                  <button
                    type="button"
                    class="quiet"
                    onClick={() => {
                      revoking.value = key;
                    }}
                  >
                    {SAY.revoke}
                    <span class="spoken"> {key.label}</span>
                  </button>
                )}
              </li>
            );
          })}
        </ul>
        {items.value?.length === 0 && <p class="empty">{SAY.noKeys}</p>}
        {items.value === null && failure.value === null && (
          <p class="empty">{connected ? SAY.loading : SAY.notKnown}</p>
        )}
      </div>
      {revoking.value && (
        <AskFirst
          title={SAY.revokeTitle}
          confirm={SAY.revoke}
          onConfirm={async () => {
            await revokeKey(revoking.value?.id ?? "");
            await reload();
          }}
          onClose={() => {
            revoking.value = null;
          }}
        >
          <p>{SAY.revokeText(revoking.value.label)}</p>
        </AskFirst>
      )}
    </section>
  );
}

function LogIns({ site }: { readonly site: Site }): JSX.Element {
  const connected = site.connection.value.phase === "open";
  const { items, failure, act } = useList(listLogIns, connected);
  const now = today(site);
  const others = items.value?.some(({ current }) => !current) && items.value.some(({ current }) => current);
  return (
    <section aria-labelledby="logins-title">
      <h2 id="logins-title">{SAY.logins}</h2>
      <div class="panel padded">
        <p class="hint">{SAY.loginsWhy}</p>
        {failure.value && (
          <p class="problem" role="alert">
            {failure}
          </p>
        )}
        <ul class="list" data-testid="logins">
          {(items.value ?? []).map((login) => (
            <li key={login.id}>
              <div>
                <b>{sentence(model.clientName(login.client))}</b> · {login.address}
                {login.current && <span class="chip">{SAY.thisOne}</span>}
                <p class="hint">{SAY.since(dateTime(login.created), ago(login.last_used, now))}</p>
              </div>
            </li>
          ))}
        </ul>
        {items.value === null && failure.value === null && (
          <p class="empty">{connected ? SAY.loading : SAY.notKnown}</p>
        )}
        {others && (
          <div class="row">
            <button type="button" onClick={() => act(() => endLogIns(true))} data-testid="end-others">
              {SAY.endOthers}
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

function Password({ site }: { readonly site: Site }): JSX.Element {
  const fresh = useSignal("");
  const old = useRef<HTMLInputElement>(null);
  const said = useSignal<{ readonly text: string; readonly good: boolean } | null>(null);
  const busy = useSignal(false);
  const name = site.identity.value?.name ?? "";
  const rules = passwordRules(name, fresh.value);
  const ready = rules.every(({ met }) => met);
  useEffect(() => {
    if (fresh.value) said.value = null;
  }, [fresh.value]);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!ready || busy.value) return;
    busy.value = true;
    try {
      await changePassword(old.current?.value ?? "", fresh.value);
      fresh.value = "";
      if (old.current) old.current.value = "";
      said.value = { text: SAY.changed, good: true };
    } catch (reason) {
      said.value = { text: (reason as Error).message, good: false };
    } finally {
      busy.value = false;
    }
  };

  return (
    <section aria-labelledby="password-title">
      <h2 id="password-title">{SAY.password}</h2>
      <form class="panel padded narrow" onSubmit={submit}>
        <input type="text" name="username" value={name} autocomplete="username" readOnly hidden />
        <label>
          {SAY.old}
          <input ref={old} type="password" autocomplete="current-password" data-testid="password-old" />
        </label>
        <NewPassword value={fresh} describedby="password-rules" testid="password-new" />
        <Rules id="password-rules" rules={rules} />
        {said.value && (
          <p class={said.value.good ? "hint" : "problem"} role={said.value.good ? "status" : "alert"}>
            {said.value.text}
          </p>
        )}
        <button type="submit" aria-disabled={!ready || busy.value} data-testid="password-change">
          {SAY.change}
        </button>
      </form>
    </section>
  );
}
