// Who may come in and what they may: for owners. The server checks every change; what it refuses is said.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { addUser, changeUser, listUsers, removeUser, setGrant } from "../access";
import * as model from "../model/account";
import { serverTime } from "../model/clock";
import { ROLES } from "../model/identity";
import { spoken } from "../model/language";
import { accountRules, generatePassword } from "../model/password";
import { ago } from "../model/words";
import type { Site } from "../site";
import { AskFirst, NewPassword, Rules, ShownOnce, useList } from "./fields";

const SAY = spoken(
  {
    people: "People",
    notKnown: "Not known: no connection to the server.",
    loading: "Loading…",
    you: "you",
    disabled: "shut out",
    noPassword: "no password yet",
    never: "never logged in",
    seen: (when: string) => `last seen ${when}`,
    logins: (many: number) => `${many} ${many === 1 ? "log-in" : "log-ins"}`,
    keys: (many: number) => `${many} ${many === 1 ? "key" : "keys"}`,
    role: (name: string) => `Role of ${name}`,
    disable: "Shut out",
    enable: "Let in again",
    remove: "Remove",
    reset: "New password",
    lastOwner: "The last owner stays one: somebody must be able to let others in.",
    removeTitle: (name: string) => `Remove ${name}?`,
    removeText: "The account goes with its rights, keys and log-ins. What it did stays on the record.",
    resetTitle: (name: string) => `Give ${name} a new password?`,
    resetText: "The old one stops working and all its log-ins end. The new one is shown once.",
    roles: {
      owner: "may everything, and manages people",
      operator: "sees and works what is granted below, and exports events",
      viewer: "sees what is granted below",
      device: "sends; sees nothing",
    } as Readonly<Record<string, string>>,

    add: "Add somebody",
    name: "Name",
    newRole: "Role",
    how: "Password",
    generated: "one that is made up for them, shown once",
    typed: "one that I type now",
    addButton: "Add",
    passwordOf: (name: string) => `Password of ${name}`,
    passwordFor: (name: string) => `Give this to ${name}; it can be changed on the page Account.`,

    grants: "Who may reach what",
    grantsWhy:
      "What the role allows holds on the things ticked here. “All” reaches things that are added later, too. Owners reach everything.",
    kinds: { door: "Doors", camera: "Cameras", gate: "Gates", session: "Sessions", team: "Teams" } as Readonly<
      Record<string, string>
    >,
    all: "all",
    person: "Person",
    noThings: "There is no door and no camera yet.",
    onlyOwners: "There are only owners: they reach everything.",
    cell: (name: string, thing: string) => `${name} reaches ${thing}`,
  },
  {
    people: "Pengguna",
    notKnown: "Tidak diketahui: tidak ada koneksi ke server.",
    loading: "Memuat…",
    you: "Anda",
    disabled: "ditutup",
    noPassword: "belum punya kata sandi",
    never: "belum pernah masuk",
    seen: (when: string) => `terakhir terlihat ${when}`,
    logins: (many: number) => `${many} sesi masuk`,
    keys: (many: number) => `${many} kunci`,
    role: (name: string) => `Peran ${name}`,
    disable: "Tutup akses",
    enable: "Buka akses lagi",
    remove: "Hapus",
    reset: "Kata sandi baru",
    lastOwner: "Pemilik terakhir tetap pemilik: harus ada yang bisa memberi akses kepada orang lain.",
    removeTitle: (name: string) => `Hapus ${name}?`,
    removeText: "Akun hilang beserta hak, kunci, dan sesi masuknya. Apa yang dilakukannya tetap dalam catatan.",
    resetTitle: (name: string) => `Beri ${name} kata sandi baru?`,
    resetText: "Yang lama tidak berlaku lagi dan semua sesi masuknya berakhir. Yang baru ditampilkan sekali.",
    roles: {
      owner: "boleh semuanya, dan mengatur pengguna",
      operator: "melihat dan mengendalikan yang diberikan di bawah, dan mengekspor kejadian",
      viewer: "melihat yang diberikan di bawah",
      device: "mengirim; tidak melihat apa-apa",
    },

    add: "Tambah pengguna",
    name: "Nama",
    newRole: "Peran",
    how: "Kata sandi",
    generated: "dibuatkan untuknya, ditampilkan sekali",
    typed: "saya ketik sekarang",
    addButton: "Tambah",
    passwordOf: (name: string) => `Kata sandi ${name}`,
    passwordFor: (name: string) => `Berikan ini kepada ${name}; bisa diganti di halaman Akun.`,

    grants: "Siapa boleh menjangkau apa",
    grantsWhy:
      "Yang diizinkan perannya berlaku pada yang dicentang di sini. “Semua” juga menjangkau yang ditambahkan nanti. Pemilik menjangkau semuanya.",
    kinds: { door: "Pintu", camera: "Kamera", gate: "Gerbang", session: "Sesi", team: "Tim" },
    all: "semua",
    person: "Orang",
    noThings: "Belum ada pintu dan kamera.",
    onlyOwners: "Hanya ada pemilik: mereka menjangkau semuanya.",
    cell: (name: string, thing: string) => `${name} menjangkau ${thing}`,
  },
);

const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));

interface Secret {
  readonly name: string;
  readonly password: string;
}

export function People({ site }: { readonly site: Site }): JSX.Element {
  const connected = site.connection.value.phase === "open";
  const { items, failure, reload, act } = useList(listUsers, connected);
  const secret = useSignal<Secret | null>(null);
  const users = items.value ?? [];
  return (
    <main class="pages" data-testid="people">
      <section aria-labelledby="people-title">
        <h2 id="people-title">{SAY.people}</h2>
        {failure.value && (
          <p class="problem" role="alert" data-testid="people-error">
            {failure}
          </p>
        )}
        {secret.value && (
          <div class="panel padded">
            <p>{SAY.passwordFor(secret.value.name)}</p>
            <ShownOnce
              key={secret.value.password}
              label={SAY.passwordOf(secret.value.name)}
              secret={secret.value.password}
              testid="user-secret"
            />
          </div>
        )}
        {items.value !== null && <Users site={site} users={users} act={act} secret={(made) => (secret.value = made)} />}
        {items.value === null && failure.value === null && (
          <p class="empty">{connected ? SAY.loading : SAY.notKnown}</p>
        )}
      </section>
      {items.value !== null && <Matrix site={site} users={users} act={act} />}
      <NewUserForm reload={reload} secret={(made) => (secret.value = made)} />
    </main>
  );
}

type Act = (change: () => Promise<unknown>) => Promise<boolean>;

interface UsersProps {
  readonly site: Site;
  readonly users: readonly model.User[];
  readonly act: Act;
  readonly secret: (made: Secret) => void;
}

function standing(user: model.User, now: number): string {
  return [
    ...(user.disabled ? [SAY.disabled] : []),
    ...(user.has_password ? [] : [SAY.noPassword]),
    user.last_used === null ? SAY.never : SAY.seen(ago(user.last_used, now)),
    SAY.logins(user.logins),
    SAY.keys(user.keys),
  ].join(" · ");
}

function Users({ site, users, act, secret }: UsersProps): JSX.Element {
  const removing = useSignal<string | null>(null);
  const resetting = useSignal<string | null>(null);
  const now = serverTime(site.clock.peek(), site.now.peek());
  const self = site.identity.value?.name;
  return (
    <>
      <ul class="list panel padded" data-testid="users">
        {users.map((user) => {
          const last = model.isLastOwner(user, users);
          return (
            <li key={user.name} class={user.disabled ? "past" : ""} data-testid={`user-${user.name}`}>
              <div>
                <b>{user.name}</b>
                {user.name === self && <span class="chip">{SAY.you}</span>}
                <p class="hint">{standing(user, now)}</p>
                <p class="hint">{last ? SAY.lastOwner : SAY.roles[user.role]}</p>
              </div>
              <div class="row wrap">
                <select
                  aria-label={SAY.role(user.name)}
                  value={user.role}
                  disabled={last}
                  data-testid={`role-${user.name}`}
                  onChange={(event) => {
                    const role = event.currentTarget.value;
                    void act(() => changeUser(user.name, { role }));
                  }}
                >
                  {ROLES.map((role) => (
                    <option key={role} value={role} selected={role === user.role}>
                      {role}
                    </option>
                  ))}
                </select>
                {user.name !== self && (
                  <button type="button" class="quiet" onClick={() => (resetting.value = user.name)}>
                    {SAY.reset}
                  </button>
                )}
                {!last && user.name !== self && (
                  <>
                    <button
                      type="button"
                      class="quiet"
                      data-testid={`disable-${user.name}`}
                      onClick={() => act(() => changeUser(user.name, { disabled: !user.disabled }))}
                    >
                      {user.disabled ? SAY.enable : SAY.disable}
                    </button>
                    <button
                      type="button"
                      class="quiet"
                      data-testid={`remove-${user.name}`}
                      onClick={() => (removing.value = user.name)}
                    >
                      {SAY.remove}
                    </button>
                  </>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      {removing.value !== null && (
        <AskFirst
          title={SAY.removeTitle(removing.value)}
          confirm={SAY.remove}
          onConfirm={async () => {
            const name = removing.value ?? "";
            await act(() => removeUser(name));
          }}
          onClose={() => (removing.value = null)}
        >
          <p>{SAY.removeText}</p>
        </AskFirst>
      )}
      {resetting.value !== null && (
        <AskFirst
          title={SAY.resetTitle(resetting.value)}
          confirm={SAY.reset}
          onConfirm={async () => {
            const made = { name: resetting.value ?? "", password: generatePassword(random) };
            await changeUser(made.name, { password: made.password });
            secret(made);
            await act(async () => {});
          }}
          onClose={() => (resetting.value = null)}
        >
          <p>{SAY.resetText}</p>
        </AskFirst>
      )}
    </>
  );
}

interface MatrixProps {
  readonly site: Site;
  readonly users: readonly model.User[];
  readonly act: Act;
}

function cellName(kind: string, id: string, name: string): string {
  if (id === "*") return `${SAY.all} ${SAY.kinds[kind]}`;
  return kind === "team" ? `${SAY.kinds.team} ${name}` : name;
}

/** People down, things across; owners aren't in it, since there is nothing to be given to them. */
function Matrix({ site, users, act }: MatrixProps): JSX.Element {
  const doors = site.doors.value.map(({ card }) => card.value.status);
  const cameras = site.cameras.value.map(({ tile }) => tile.value.status);
  const kinds = model.things(doors, cameras, users, site.system.value?.teams);
  const people = users.filter(({ role }) => role === "operator" || role === "viewer");
  const columns = kinds.flatMap(({ kind, things }) => [
    { kind, id: "*", name: SAY.all, first: true },
    ...things.map(({ id, name }) => ({ kind, id, name, first: false })),
  ]);
  return (
    <section aria-labelledby="grants-title">
      <h2 id="grants-title">{SAY.grants}</h2>
      <div class="panel padded">
        <p class="hint">{SAY.grantsWhy}</p>
        {people.length === 0 && users.length > 0 && <p class="empty">{SAY.onlyOwners}</p>}
        {columns.length === 0 && <p class="empty">{SAY.noThings}</p>}
        {people.length > 0 && columns.length > 0 && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable to scroll it by keys
          <section class="matrix" tabIndex={0} aria-labelledby="grants-title">
            <table data-testid="matrix">
              <thead>
                <tr>
                  <th scope="col" rowSpan={2}>
                    {SAY.person}
                  </th>
                  {kinds.map(({ kind, things }) => (
                    <th key={kind} scope="colgroup" colSpan={things.length + 1} class="first">
                      {SAY.kinds[kind]}
                    </th>
                  ))}
                </tr>
                <tr>
                  {columns.map(({ kind, id, name, first }) => (
                    <th key={`${kind} ${id}`} scope="col" class={first ? "first" : ""}>
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {people.map((user) => (
                  <tr key={user.name}>
                    <th scope="row">
                      {user.name} <span class="hint">{user.role}</span>
                    </th>
                    {columns.map(({ kind, id, name, first }) => {
                      const { granted, implied } = model.cell(user, kind, id);
                      return (
                        <td key={`${kind} ${id}`} class={first ? "first" : ""}>
                          <input
                            type="checkbox"
                            checked={granted || implied}
                            disabled={implied && !granted}
                            aria-label={SAY.cell(user.name, cellName(kind, id, name))}
                            data-testid={`grant-${user.name}-${kind}-${id}`}
                            onChange={(event) => {
                              const wanted = event.currentTarget.checked;
                              void act(() => setGrant(user.name, kind, id, wanted));
                            }}
                          />
                        </td>
                      );
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </div>
    </section>
  );
}

interface NewUserProps {
  readonly reload: () => Promise<void>;
  readonly secret: (made: Secret) => void;
}

function NewUserForm({ reload, secret }: NewUserProps): JSX.Element {
  const name = useSignal("");
  const role = useSignal("viewer");
  const typing = useSignal(false);
  const password = useSignal("");
  const failure = useSignal<string | null>(null);
  const busy = useSignal(false);
  const rules = accountRules(name.value, typing.value ? password.value : "made up for them").slice(
    0,
    typing.value ? undefined : 1,
  );
  const ready = rules.every(({ met }) => met);

  const add = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!ready || busy.value) return;
    busy.value = true;
    failure.value = null;
    const made = { name: name.value, password: typing.value ? password.value : generatePassword(random) };
    try {
      await addUser({ ...made, role: role.value, grants: [] });
      if (!typing.value) secret(made);
      name.value = "";
      password.value = "";
    } catch (reason) {
      failure.value = (reason as Error).message;
    } finally {
      busy.value = false;
      void reload();
    }
  };

  return (
    <section aria-labelledby="add-title">
      <h2 id="add-title">{SAY.add}</h2>
      <form class="panel padded narrow" onSubmit={add} data-testid="add-user">
        <label>
          {SAY.name}
          <input
            value={name}
            maxLength={40}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            aria-describedby="add-rules"
            data-testid="add-name"
            onInput={(event) => (name.value = event.currentTarget.value.trim())}
          />
        </label>
        <label>
          {SAY.newRole}
          <select value={role} data-testid="add-role" onChange={(event) => (role.value = event.currentTarget.value)}>
            {ROLES.map((one) => (
              <option key={one} value={one} selected={one === role.value}>
                {one} – {SAY.roles[one]}
              </option>
            ))}
          </select>
        </label>
        <fieldset>
          <legend>{SAY.how}</legend>
          {[false, true].map((typed) => (
            <label key={String(typed)} class="check">
              <input
                type="radio"
                name="how"
                checked={typing.value === typed}
                data-testid={typed ? "add-typed" : "add-generated"}
                onChange={() => (typing.value = typed)}
              />
              {typed ? SAY.typed : SAY.generated}
            </label>
          ))}
        </fieldset>
        {typing.value && <NewPassword value={password} describedby="add-rules" testid="add-password" />}
        <Rules id="add-rules" rules={rules} />
        {failure.value && (
          <p class="problem" role="alert" data-testid="add-error">
            {failure}
          </p>
        )}
        <button type="submit" class="main" aria-disabled={!ready || busy.value} data-testid="add-submit">
          {SAY.addButton}
        </button>
      </form>
    </section>
  );
}
