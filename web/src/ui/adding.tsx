// The form for a camera: a new one, or one that there is. Test it, then save it; the board shows it without a reload.

import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import * as model from "../model/adding";
import { spoken } from "../model/language";
import { fragment } from "../model/route";
import type { Site } from "../site";
import { uris } from "../uris";
import "../styles/adding.css";
import { AskFirst } from "./fields";

const SAY = spoken(
  {
    back: "All cameras",
    title: "Add a camera",
    editTitle: (name: string) => `Change ${name}`,
    way: "How its pictures come",
    ways: {
      url: "A stream that is asked for: http, https, rtsp, or v4l2 of this machine",
      snapshot: "Single pictures, asked for again and again",
      push: "It connects to us (ESP32-S3)",
    },
    address: "Address",
    keep: "Leave it empty to keep the address that it has.",
    name: "Name",
    id: "Id",
    idHint: "In addresses and in the configuration file; it can’t be changed later.",
    username: "Username",
    password: "Password",
    passwordHint:
      "If the camera asks for them. The password is kept in a file of the server’s, not in the configuration.",
    path: "Path that it dials",
    device: "Id that it registers with",
    from: "IP address that it comes from",
    doors: "Doors that it looks at",
    test: "Test",
    testing: "Testing…",
    save: "Save",
    picture: "Picture from the test",
    works: "A picture came: ",
    why: "No picture: ",
    remove: "Remove this camera",
    removeTitle: (name: string) => `Remove ${name}?`,
    removeText: "It is taken out of the configuration file. Its events and pictures stay on the record.",
    strangers: "Cameras that connect and are nobody’s",
    noStranger: "None has connected.",
    adopt: "Use this one",
    sent: (frames: number) => `${frames} pictures`,
    gone: "There is no such camera.",
  },
  {
    back: "Semua kamera",
    title: "Tambah kamera",
    editTitle: (name: string) => `Ubah ${name}`,
    way: "Cara gambarnya datang",
    ways: {
      url: "Aliran yang diminta: http, https, rtsp, atau v4l2 di mesin ini",
      snapshot: "Gambar tunggal yang diminta berulang-ulang",
      push: "Kamera yang menghubungi kita (ESP32-S3)",
    },
    address: "Alamat",
    keep: "Kosongkan untuk memakai alamat yang sekarang.",
    name: "Nama",
    id: "Id",
    idHint: "Dipakai dalam alamat dan berkas konfigurasi; tidak bisa diubah nanti.",
    username: "Nama pengguna",
    password: "Kata sandi",
    passwordHint: "Jika kamera memintanya. Kata sandi disimpan dalam berkas di server, bukan dalam konfigurasi.",
    path: "Path yang dihubunginya",
    device: "Id yang didaftarkannya",
    from: "Alamat IP asalnya",
    doors: "Pintu yang dilihatnya",
    test: "Uji",
    testing: "Sedang menguji…",
    save: "Simpan",
    picture: "Gambar dari pengujian",
    works: "Gambar datang: ",
    why: "Tidak ada gambar: ",
    remove: "Hapus kamera ini",
    removeTitle: (name: string) => `Hapus ${name}?`,
    removeText: "Kamera dikeluarkan dari berkas konfigurasi. Kejadian dan gambarnya tetap tersimpan.",
    strangers: "Kamera yang terhubung dan belum dikenal",
    noStranger: "Belum ada yang terhubung.",
    adopt: "Pakai yang ini",
    sent: (frames: number) => `${frames} gambar`,
    gone: "Tidak ada kamera seperti itu.",
  },
);

interface CameraFormProps {
  readonly site: Site;
  /** The camera that is changed; a new one without. */
  readonly id?: string;
}

export function CameraForm({ site, id }: CameraFormProps): JSX.Element {
  const known = site.cameras.value.find((cell) => cell.id === id)?.tile.peek().status;
  if (id !== undefined && known === undefined) {
    return (
      <main class="pages adding">
        <Back id={undefined} />
        <p class="empty">{SAY.gone}</p>
      </main>
    );
  }
  const first: model.Form = known
    ? {
        ...model.EMPTY,
        id: known.id,
        name: known.name === known.id ? "" : known.name,
        doors: known.doors,
        way: known.kind === "push" ? "push" : "url",
      }
    : model.EMPTY;
  return <Filled key={id ?? ""} site={site} first={first} editing={known !== undefined} />;
}

interface FilledProps {
  readonly site: Site;
  readonly first: model.Form;
  readonly editing: boolean;
}

function Filled({ site, first, editing }: FilledProps): JSX.Element {
  const form = useSignal(first);
  const ownId = useSignal(editing); // whether the id was typed, and isn't what the name suggests
  const tried = useSignal<model.Tried | null>(null);
  const failure = useSignal<string | null>(null);
  const busy = useSignal<"test" | "save" | null>(null);
  const removing = useSignal(false);
  const set = (change: Partial<model.Form>): void => {
    form.value = { ...form.value, ...change };
  };
  const rename = (name: string): void => set({ name, ...(!ownId.value && { id: model.suggested(name) }) });
  const act = async (what: "test" | "save", work: () => Promise<void>): Promise<void> => {
    if (busy.value !== null) return;
    busy.value = what;
    failure.value = null;
    tried.value = null;
    try {
      await work();
    } catch (reason) {
      failure.value = (reason as Error).message;
    } finally {
      busy.value = null;
    }
  };
  const test = (): Promise<void> =>
    act("test", async () => {
      failure.value = model.wayProblem(form.value, false);
      if (failure.value !== null) return;
      tried.value = await site.call<model.Tried>(uris.CALL_CAMERA_TRY, {
        ...model.way(form.value),
        ...(editing && { id: first.id }),
      });
    });
  const save = (event: Event): void => {
    event.preventDefault();
    void act("save", async () => {
      const others = site.cameras.value.map((cell) => cell.id);
      failure.value = model.problem(form.value, others, editing);
      if (failure.value !== null) return;
      if (editing) {
        const keys = model.changes(form.value, first.name, first.doors);
        if (Object.keys(keys).length) await site.call(uris.CALL_CAMERA_CHANGE, { camera: first.id, ...keys });
      } else await site.call(uris.CALL_CAMERA_ADD, model.table(form.value));
      location.hash = fragment({ page: "live" });
    });
  };
  const { way } = form.value;
  // One that there is stays what it is: who dials us and whom we ask are different devices.
  const ways: readonly model.Way[] = !editing
    ? ["url", "snapshot", "push"]
    : first.way === "push"
      ? []
      : ["url", "snapshot"];
  return (
    <main class="pages adding">
      <Back id={editing ? first.id : undefined} />
      <h1>{editing ? SAY.editTitle(first.name || first.id) : SAY.title}</h1>
      <form class="panel padded" onSubmit={save} data-testid="camera-form" noValidate>
        {ways.length > 0 && (
          <fieldset>
            <legend>{SAY.way}</legend>
            {ways.map((one) => (
              <label key={one} class="check">
                <input
                  type="radio"
                  name="way"
                  checked={way === one}
                  onChange={() => set({ way: one })}
                  data-testid={`way-${one}`}
                />
                {SAY.ways[one]}
              </label>
            ))}
          </fieldset>
        )}
        {way === "push" ? (
          <PushFields form={form} set={set} />
        ) : (
          <>
            <Field
              label={SAY.address}
              name="address"
              value={form.value.address}
              hint={editing ? SAY.keep : undefined}
              placeholder="http://192.168.1.20/stream"
              onInput={(address) => set({ address })}
            />
            <div class="pair">
              <Field
                label={SAY.username}
                name="username"
                value={form.value.username}
                onInput={(username) => set({ username })}
              />
              <Field
                label={SAY.password}
                name="password"
                type="password"
                value={form.value.password}
                hint={SAY.passwordHint}
                onInput={(password) => set({ password })}
              />
            </div>
          </>
        )}
        <div class="pair">
          <Field label={SAY.name} name="name" value={form.value.name} onInput={rename} />
          {!editing && (
            <Field
              label={SAY.id}
              name="id"
              value={form.value.id}
              hint={SAY.idHint}
              onInput={(text) => {
                ownId.value = text !== "";
                set({ id: text });
              }}
            />
          )}
        </div>
        <DoorBoxes site={site} form={form} set={set} />
        <Outcome tried={tried.value} failure={failure.value} />
        <div class="row wrap">
          <button type="button" onClick={test} aria-disabled={busy.value !== null} data-testid="camera-test">
            {busy.value === "test" ? SAY.testing : SAY.test}
          </button>
          <button type="submit" class="main" aria-disabled={busy.value !== null} data-testid="camera-save">
            {SAY.save}
          </button>
          {editing && (
            <button type="button" class="danger" onClick={() => (removing.value = true)} data-testid="camera-remove">
              {SAY.remove}
            </button>
          )}
        </div>
      </form>
      {!editing && (
        <Strangers
          site={site}
          adopt={(stranger) => {
            form.value = { ...model.adopting(stranger), doors: form.value.doors };
            ownId.value = form.value.id !== "";
            tried.value = null;
            window.scrollTo(0, 0);
          }}
        />
      )}
      {removing.value && (
        <AskFirst
          title={SAY.removeTitle(first.name || first.id)}
          confirm={SAY.remove}
          onConfirm={async () => {
            await site.call(uris.CALL_CAMERA_REMOVE, { camera: first.id });
            location.hash = fragment({ page: "live" });
          }}
          onClose={() => (removing.value = false)}
        >
          <p>{SAY.removeText}</p>
        </AskFirst>
      )}
    </main>
  );
}

function Back({ id }: { readonly id: string | undefined }): JSX.Element {
  return <a href={fragment(id === undefined ? { page: "live" } : { page: "camera", id })}>← {id ?? SAY.back}</a>;
}

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly type?: string;
  readonly hint?: string | undefined;
  readonly placeholder?: string;
  readonly onInput: (value: string) => void;
}

function Field({ label, name, value, type = "text", hint, placeholder, onInput }: FieldProps): JSX.Element {
  const about = `camera-${name}-hint`;
  return (
    <div class="field">
      <label>
        {label}
        <input
          type={type}
          value={value}
          placeholder={placeholder}
          autocomplete={type === "password" ? "new-password" : "off"}
          autocapitalize="none"
          spellcheck={false}
          aria-describedby={hint && about}
          data-testid={`camera-${name}`}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </label>
      {hint && (
        <p id={about} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface Part {
  readonly form: Signal<model.Form>;
  readonly set: (change: Partial<model.Form>) => void;
}

function PushFields({ form, set }: Part): JSX.Element {
  const { push } = form.value;
  const labels = { path: SAY.path, device: SAY.device, address: SAY.from };
  return (
    <div class="pair">
      {(["path", "device", "address"] as const).map((key) => (
        <Field
          key={key}
          label={labels[key]}
          name={`push-${key}`}
          value={push[key]}
          onInput={(text) => set({ push: { ...push, [key]: text } })}
        />
      ))}
    </div>
  );
}

function DoorBoxes({ site, form, set }: Part & { readonly site: Site }): JSX.Element | null {
  const doors = site.doors.value.map(({ card }) => card.value.status);
  if (doors.length === 0) return null;
  const chosen = form.value.doors;
  return (
    <fieldset>
      <legend>{SAY.doors}</legend>
      {doors.map(({ id, name }) => (
        <label key={id} class="check">
          <input
            type="checkbox"
            checked={chosen.includes(id)}
            data-testid={`camera-door-${id}`}
            onChange={(event) =>
              set({ doors: event.currentTarget.checked ? [...chosen, id] : chosen.filter((one) => one !== id) })
            }
          />
          {name}
        </label>
      ))}
    </fieldset>
  );
}

function Outcome({
  tried,
  failure,
}: {
  readonly tried: model.Tried | null;
  readonly failure: string | null;
}): JSX.Element {
  return (
    <div role="status" class="outcome" data-testid="camera-outcome">
      {failure !== null && <p class="problem">{failure}</p>}
      {tried !== null && tried.picture === null && (
        <p class="problem">
          {SAY.why}
          {tried.reason}
        </p>
      )}
      {tried !== null && tried.picture !== null && (
        <figure>
          <img src={`data:image/jpeg;base64,${tried.picture}`} alt={SAY.picture} data-testid="camera-picture" />
          <figcaption>
            {SAY.works}
            {model.facts(tried)}
          </figcaption>
        </figure>
      )}
    </div>
  );
}

function Strangers({
  site,
  adopt,
}: {
  readonly site: Site;
  readonly adopt: (one: model.Stranger) => void;
}): JSX.Element {
  const list = useSignal<readonly model.Stranger[]>([]);
  const open = site.connection.value.phase === "open";
  useEffect(() => {
    if (!open) return;
    void site.call<model.Stranger[]>(uris.CALL_CAMERA_STRANGERS).then((found) => {
      list.value = found;
    });
  }, [open]);
  return (
    <section aria-labelledby="strangers-title">
      <h2 id="strangers-title">{SAY.strangers}</h2>
      {list.value.length === 0 && <p class="empty">{SAY.noStranger}</p>}
      <ul class="strangers" data-testid="strangers">
        {list.value.map((one) => (
          <li key={`${one.address} ${one.path} ${one.id}`} class="panel">
            <span>
              <strong>{one.id ?? one.path}</strong> {one.address}, {SAY.sent(one.frames)}
              {one.width !== null && `, ${one.width} × ${one.height}`}
            </span>
            <button type="button" class="quiet" onClick={() => adopt(one)}>
              {SAY.adopt}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
