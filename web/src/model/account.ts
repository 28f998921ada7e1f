// Accounts as their owners and administrators see them: keys, log-ins, users; field for field as over the wire.

import { type Grant, KINDS } from "./identity";
import { spoken } from "./language";
import type { CameraStatus, DoorStatus } from "./types";
import { ago, dateTime } from "./words";

export interface Key {
  readonly id: string;
  readonly label: string;
  /** null: all that the account may. */
  readonly permissions: readonly string[] | null;
  readonly things: readonly Grant[] | null;
  readonly created: number;
  readonly expires: number | null;
  readonly last_used: number | null;
  /** Whether it proves anything now. */
  readonly active: boolean;
}

export interface NewKey {
  readonly label: string;
  readonly permissions: readonly string[] | null;
  readonly things: readonly Grant[] | null;
  /** Unix seconds; null for never. */
  readonly expires: number | null;
}

export interface LogIn {
  readonly id: string;
  readonly created: number;
  readonly last_used: number;
  readonly expires: number;
  readonly address: string;
  readonly client: string;
  /** Whether it is the one that asks. */
  readonly current: boolean;
}

export interface User {
  readonly name: string;
  readonly role: string;
  readonly disabled: boolean;
  readonly has_password: boolean;
  readonly created: number;
  readonly last_used: number | null;
  readonly grants: readonly Grant[];
  /** How many are good now. */
  readonly keys: number;
  readonly logins: number;
}

export interface NewUser {
  readonly name: string;
  readonly role: string;
  readonly password: string;
  readonly grants: readonly Grant[];
}

// --- keys ------------------------------------------------------------------------------------------------------------

const SAY = spoken(
  {
    all: "everything that its account may",
    revoked: "revoked",
    expired: (when: string) => `expired ${when}`,
    until: (when: string) => `good until ${when}`,
    forEver: "never expires",
    unused: "never used",
    used: (when: string) => `last used ${when}`,
    things: (list: string) => `${list} only`,
    lives: { week: "a week", month: "30 days", quarter: "90 days", year: "a year", ever: "for ever" },
    scopes: {
      all: "everything that I may",
      look: "only look: cameras, doors, events",
      doors: "only see and work doors",
      export: "only read and export events",
    },
    clients: {
      browser: "a browser",
      program: "a program, with a token",
      link: "a browser, by the one-time link",
      configured: "a browser, with the admin token",
    } as Readonly<Record<string, string>>,
    byKey: (key: string) => `a browser, with the key ${key}`,
  },
  {
    all: "semua yang boleh dilakukan akunnya",
    revoked: "dicabut",
    expired: (when: string) => `kedaluwarsa ${when}`,
    until: (when: string) => `berlaku sampai ${when}`,
    forEver: "tidak pernah kedaluwarsa",
    unused: "belum pernah dipakai",
    used: (when: string) => `terakhir dipakai ${when}`,
    things: (list: string) => `hanya ${list}`,
    lives: { week: "seminggu", month: "30 hari", quarter: "90 hari", year: "setahun", ever: "selamanya" },
    scopes: {
      all: "semua yang saya boleh",
      look: "hanya melihat: kamera, pintu, kejadian",
      doors: "hanya melihat dan mengendalikan pintu",
      export: "hanya membaca dan mengekspor kejadian",
    },
    clients: {
      browser: "peramban",
      program: "program, dengan token",
      link: "peramban, lewat tautan sekali pakai",
      configured: "peramban, dengan token admin",
    },
    byKey: (key: string) => `peramban, dengan kunci ${key}`,
  },
);

const DAY = 86400;

/** How long a new key is good for, in days; null for ever. */
export const LIVES: readonly { readonly days: number | null; readonly name: keyof typeof SAY.lives }[] = [
  { days: 7, name: "week" },
  { days: 30, name: "month" },
  { days: 90, name: "quarter" },
  { days: 365, name: "year" },
  { days: null, name: "ever" },
];

/** Return a key's life in words. */
export function lifeName(name: keyof typeof SAY.lives): string {
  return SAY.lives[name];
}

/** What a key may, in the words of a choice; `permissions` null for all that its account may. */
export const SCOPES: readonly {
  readonly id: keyof typeof SAY.scopes;
  readonly permissions: readonly string[] | null;
}[] = [
  { id: "all", permissions: null },
  {
    id: "look",
    permissions: ["self", "system.view", "camera.view", "door.view", "event.view"],
  },
  {
    id: "doors",
    permissions: ["self", "system.view", "door.view", "door.open", "door.lock"],
  },
  {
    id: "export",
    permissions: ["self", "event.view", "event.export", "door.view", "camera.view"],
  },
];

/** Return a scope in words. */
export function scopeName(id: keyof typeof SAY.scopes): string {
  return SAY.scopes[id];
}

/** Return the scopes that somebody with these permissions can give a key. */
export function scopesOf(permissions: readonly string[]): typeof SCOPES {
  return SCOPES.filter((scope) => scope.permissions?.every((permission) => permissions.includes(permission)) ?? true);
}

/** Return the moment at which a key of so many days ends. */
export function expiry(days: number | null, now: number): number | null {
  return days === null ? null : Math.round(now + days * DAY);
}

export interface KeyView {
  readonly scope: string;
  readonly standing: string;
  readonly used: string;
  readonly active: boolean;
}

function scope(key: Key): string {
  const named = SCOPES.find(({ permissions }) => same(permissions, key.permissions));
  const said = key.permissions === null ? SAY.all : named ? scopeName(named.id) : key.permissions.join(", ");
  if (!key.things) return said;
  return `${said} – ${SAY.things(key.things.map(({ kind, thing }) => `${kind} ${thing}`).join(", "))}`;
}

function same(one: readonly string[] | null, other: readonly string[] | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && one.every((item) => other.includes(item));
}

/** Return what is shown of a key. */
export function viewKey(key: Key, now: number): KeyView {
  const expired = key.expires !== null && key.expires <= now;
  const standing = expired
    ? SAY.expired(ago(key.expires ?? 0, now))
    : !key.active
      ? SAY.revoked
      : key.expires === null
        ? SAY.forEver
        : SAY.until(dateTime(key.expires));
  const used = key.last_used === null ? SAY.unused : SAY.used(ago(key.last_used, now));
  return { scope: scope(key), standing, used, active: !expired && key.active };
}

// --- log-ins ---------------------------------------------------------------------------------------------------------

/** Return what logged in, as people say it. */
export function clientName(client: string): string {
  const [way, key] = client.split(" ", 2);
  return way === "key" && key ? SAY.byKey(key) : (SAY.clients[client] ?? client);
}

// --- who may what ----------------------------------------------------------------------------------------------------

export interface Thing {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
}

/**
 * Return every thing that rights can be given on, by kind: what exists, and what somebody has a right on.
 *
 * `teams` is how many measure.
 */
export function things(
  doors: readonly Pick<DoorStatus, "id" | "name">[],
  cameras: readonly Pick<CameraStatus, "id" | "name">[],
  users: readonly User[],
  teams = 0,
): readonly { readonly kind: string; readonly things: readonly Thing[] }[] {
  const known: Thing[] = [
    ...doors.map(({ id, name }) => ({ kind: "door", id, name })),
    ...cameras.map(({ id, name }) => ({ kind: "camera", id, name })),
    ...Array.from({ length: teams }, (_, at) => ({ kind: "team", id: String(at + 1), name: String(at + 1) })),
  ];
  for (const { kind, thing } of users.flatMap(({ grants }) => grants))
    if (thing !== "*" && !known.some((one) => one.kind === kind && one.id === thing))
      known.push({ kind, id: thing, name: thing });
  return KINDS.map((kind) => ({ kind, things: known.filter((one) => one.kind === kind) })).filter(
    ({ kind, things }) => things.length > 0 || users.some(({ grants }) => grants.some((grant) => grant.kind === kind)),
  );
}

export interface Cell {
  /** Given on this very thing. */
  readonly granted: boolean;
  /** Reached because "all" is given, or because owners reach everything: nothing to be given here. */
  readonly implied: boolean;
}

/** Return what somebody has of a thing; "*" is all of the kind. */
export function cell(user: Pick<User, "role" | "grants">, kind: string, thing: string): Cell {
  const granted = user.grants.some((grant) => grant.kind === kind && grant.thing === thing);
  const all = user.grants.some((grant) => grant.kind === kind && grant.thing === "*");
  return { granted, implied: user.role === "owner" || (thing !== "*" && all) };
}

/** Return whether taking this away would leave nobody who may manage accounts: the server refuses it too. */
export function isLastOwner(user: Pick<User, "name" | "role" | "disabled">, users: readonly User[]): boolean {
  if (user.role !== "owner" || user.disabled) return false;
  return users.filter(({ role, disabled }) => role === "owner" && !disabled).length === 1;
}
