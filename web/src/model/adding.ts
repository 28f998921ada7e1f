// A camera that an owner adds or changes: what stands in the form becomes a table of the configuration. Pure.

import { spoken } from "./language";

/** How its pictures come: a stream that we ask for, single pictures, or a camera that dials us. */
export type Way = "url" | "snapshot" | "push";

export interface Form {
  readonly way: Way;
  readonly address: string;
  readonly name: string;
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly doors: readonly string[];
  readonly push: Push;
}

/** What tells a camera that dials us; empty where it isn't told by that. */
export interface Push {
  readonly path: string;
  readonly device: string;
  readonly address: string;
}

/** A camera that connects and is in no configuration. */
export interface Stranger {
  readonly address: string;
  readonly path: string;
  readonly id: string | null;
  readonly frames: number;
  readonly width: number | null;
  readonly height: number | null;
}

/** What came of trying a camera; `picture` is base64. */
export interface Tried {
  readonly picture: string | null;
  readonly reason: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly size: number | null;
  readonly fps: number | null;
}

export const EMPTY: Form = {
  way: "url",
  address: "",
  name: "",
  id: "",
  username: "",
  password: "",
  doors: [],
  push: { path: "", device: "", address: "" },
};

const ID = /^[a-z0-9]+(?:[_-][a-z0-9]+)*$/;
const LONGEST_ID = 40;

const SAY = spoken(
  {
    noId: "Give it an id.",
    badId: "An id has lower-case letters, digits, - and _, as in front-door.",
    taken: (id: string) => `There is a camera “${id}” already.`,
    reserved: "“new” is the name of a page here: choose another id.",
    noAddress: "Give its address.",
    noTell: "Say what tells it: a path, an id or an address.",
    together: "A username and a password belong together.",
    facts: (width: number, height: number, kilobytes: string) => `${width} × ${height}, ${kilobytes} kB`,
    rate: (fps: number) => `${fps} pictures per second`,
  },
  {
    noId: "Beri id.",
    badId: "Id berisi huruf kecil, angka, - dan _, misalnya pintu-depan.",
    taken: (id: string) => `Sudah ada kamera “${id}”.`,
    reserved: "“new” adalah nama halaman di sini: pilih id lain.",
    noAddress: "Beri alamatnya.",
    noTell: "Sebutkan tandanya: path, id, atau alamat.",
    together: "Nama pengguna dan kata sandi harus diisi keduanya.",
    facts: (width: number, height: number, kilobytes: string) => `${width} × ${height}, ${kilobytes} kB`,
    rate: (fps: number) => `${fps} gambar per detik`,
  },
);

/** Return the id that a name suggests: "The Café, rear" is the-cafe-rear. */
export function suggested(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST_ID)
    .replace(/^-+|-+$/g, "");
}

/** Return why a form can't be saved, or tried, yet; null if it can. `taken`: ids of the other cameras. */
export function problem(form: Form, taken: readonly string[], editing: boolean): string | null {
  if (!editing && form.id === "") return SAY.noId;
  if (form.id.length > LONGEST_ID || !ID.test(form.id)) return SAY.badId;
  if (form.id === "new") return SAY.reserved;
  if (!editing && taken.includes(form.id)) return SAY.taken(form.id);
  return wayProblem(form, editing);
}

/** Return why a form can't be tried yet; a name isn't needed for that. */
export function wayProblem(form: Form, editing: boolean): string | null {
  if (form.way === "push")
    return Object.values(form.push).some((one) => one.trim() !== "") || editing ? null : SAY.noTell;
  if (form.address.trim() === "" && !editing) return SAY.noAddress;
  return !editing && (form.username === "") !== (form.password === "") ? SAY.together : null;
}

/** Return the camera's table, as the server takes it; what is left empty isn't in it. */
export function table(form: Form): Record<string, unknown> {
  return {
    id: form.id,
    ...filled({ name: form.name.trim() }),
    ...(form.doors.length && { doors: form.doors }),
    ...way(form),
  };
}

/** Return the part of the table that says where the pictures come from. */
export function way(form: Form): Record<string, unknown> {
  if (form.way === "push") {
    const push = filled({
      path: form.push.path.trim(),
      device: form.push.device.trim(),
      address: form.push.address.trim(),
    });
    return Object.keys(push).length ? { push } : {};
  }
  return filled({ [form.way]: form.address.trim(), username: form.username, password: form.password });
}

/** Return the keys that differ from what is known of a camera: its address and password aren't, they stay if empty. */
export function changes(form: Form, name: string, doors: readonly string[]): Record<string, unknown> {
  const same = doors.length === form.doors.length && doors.every((door) => form.doors.includes(door));
  return {
    ...way(form),
    ...(form.name.trim() !== name && { name: form.name.trim() || null }),
    ...(!same && { doors: form.doors.length ? form.doors : null }),
  };
}

/** Return the form for a stranger: told by its own id where it gives one, else by its path, else by its address. */
export function adopting(stranger: Stranger): Form {
  const { id, path, address } = stranger;
  const told = id ? { device: id } : path !== "/" ? { path } : { address };
  const push = { ...EMPTY.push, ...told };
  const name = suggested(id ?? (path !== "/" ? path : ""));
  return { ...EMPTY, way: "push", push, id: name, name: id ?? "" };
}

/** Return what is said of a picture that came. */
export function facts(tried: Tried): string {
  const { width, height, size, fps } = tried;
  const picture = SAY.facts(width ?? 0, height ?? 0, ((size ?? 0) / 1000).toFixed(0));
  return fps === null ? picture : `${picture}, ${SAY.rate(fps)}`;
}

function filled(keys: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== ""));
}
