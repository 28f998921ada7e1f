// Who we are and what we may. The server decides each time; this only keeps controls away from whoever can't use them.

/** A right on one thing; thing "*" is every one of its kind. */
export interface Grant {
  readonly kind: string;
  readonly thing: string;
}

export interface Identity {
  readonly name: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly grants: readonly Grant[];
  /** Things that the API key or log-in is limited to; null when it isn't. */
  readonly things: readonly Grant[] | null;
  /** Logged in by the one-time link, with no password yet: nothing else may be done before one is chosen. */
  readonly mustChoosePassword: boolean;
}

/** Kinds of things that rights are given on, in the order in which they are listed. */
export const KINDS = ["door", "camera", "gate", "session", "team"] as const;
export type Kind = (typeof KINDS)[number];

/** What permissions are given per, where their name does not begin with it. */
const THINGS: Readonly<Record<string, string>> = { measurement: "team" };

export const EVERYTHING = "*";

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function grants(value: unknown): Grant[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    if (Array.isArray(item)) return [{ kind: String(item[0]), thing: String(item[1]) }];
    if (typeof item === "string")
      return [{ kind: item.split(":", 1)[0] ?? "", thing: item.slice(item.indexOf(":") + 1) }];
    const { kind, thing } = (item ?? {}) as Record<string, unknown>;
    return typeof kind === "string" && typeof thing === "string" ? [{ kind, thing }] : [];
  });
}

/** Read the answer of WHOAMI; null when it is none. */
export function identityOf(answer: unknown): Identity | null {
  if (typeof answer !== "object" || answer === null) return null;
  const said = answer as Record<string, unknown>;
  const name = said.name ?? said.authid;
  if (typeof name !== "string" || typeof said.role !== "string") return null;
  return {
    name,
    role: said.role,
    permissions: strings(said.permissions),
    grants: grants(said.grants),
    things: Array.isArray(said.things) ? grants(said.things) : null,
    mustChoosePassword: said.must_choose_password === true,
  };
}

function covers(list: readonly Grant[], kind: string, thing: string | null): boolean {
  return list.some(
    (grant) => grant.kind === kind && (thing === null || grant.thing === thing || grant.thing === EVERYTHING),
  );
}

/**
 * Return whether this somebody may; `thing` null asks whether on any thing at all.
 *
 * A permission whose name begins with a kind of thing ("door.open") holds per thing, but for owners.
 */
export function may(identity: Identity | null, permission: string, thing: string | null = null): boolean {
  if (identity === null || !identity.permissions.includes(permission)) return false;
  const noun = permission.split(".", 1)[0] ?? "";
  const kind = THINGS[noun] ?? noun;
  if (!(KINDS as readonly string[]).includes(kind)) return true;
  if (identity.things !== null && !covers(identity.things, kind, thing)) return false;
  return identity.role === "owner" || covers(identity.grants, kind, thing);
}

export const ROLES = ["owner", "operator", "viewer", "device"] as const;
export type Role = (typeof ROLES)[number];
