// Log-in, accounts, keys and log-ins over HTTP. Everything that can fail rejects with RequestFailed.

import { ask, askHashed, send } from "./http";
import type { Key, LogIn, NewKey, NewUser, User } from "./model/account";
import type { ConnectionEvent } from "./model/connection";
import { identityOf } from "./model/identity";
import { fill, uris } from "./uris";

/** Ask who we are; never rejects. */
export async function whoAmI(): Promise<ConnectionEvent> {
  try {
    const response = await send("GET", uris.WHOAMI);
    if (response.status === 401) return { kind: "unrecognised" };
    if (!response.ok) return { kind: "unreachable" };
    const identity = identityOf(await response.json());
    if (identity === null) return { kind: "unreachable" };
    return { kind: identity.mustChoosePassword ? "mustChoose" : "recognised", identity };
  } catch {
    return { kind: "unreachable" };
  }
}

export async function logIn(name: string, password: string): Promise<void> {
  await askHashed("POST", uris.LOGIN, { name, password });
}

/** Log in with an API key, or with the admin token of the configuration. */
export async function logInByKey(key: string): Promise<void> {
  await ask("POST", uris.LOGIN, { key });
}

/** Log this browser out; when it rejects the cookie is still good. */
export async function logOut(): Promise<void> {
  await ask("POST", uris.LOGOUT, {});
}

/** Choose name and password, once, after the one-time link. */
export async function setUp(name: string, password: string): Promise<void> {
  await askHashed("POST", uris.SETUP, { name, password });
}

export async function changePassword(old: string, fresh: string): Promise<void> {
  await askHashed("POST", uris.PASSWORD, { old, new: fresh });
}

export async function listLogIns(): Promise<readonly LogIn[]> {
  return ask("GET", uris.LOGINS);
}

/** End our own log-ins on every machine; with `keep` all but the one that asks. */
export async function endLogIns(keep: boolean): Promise<void> {
  await ask("POST", uris.END_LOGINS, { keep });
}

/** List the keys of an account, our own if none is named. */
export async function listKeys(account?: string): Promise<readonly Key[]> {
  return ask("GET", account === undefined ? uris.KEYS : `${uris.KEYS}?${new URLSearchParams({ account })}`);
}

/** Make a key; its secret is in this answer and nowhere else. */
export async function newKey(wish: NewKey): Promise<{ readonly key: string }> {
  return ask("POST", uris.KEYS, wish);
}

export async function revokeKey(key: string): Promise<void> {
  await ask("DELETE", fill(uris.REVOKE_KEY, { key }));
}

export async function listUsers(): Promise<readonly User[]> {
  return ask("GET", uris.USERS);
}

export async function addUser(user: NewUser): Promise<void> {
  await askHashed("POST", uris.USERS, user);
}

/** Change one thing about an account. */
export async function changeUser(
  user: string,
  change: { readonly role: string } | { readonly disabled: boolean } | { readonly password: string },
): Promise<void> {
  await askHashed("PATCH", fill(uris.CHANGE_USER, { user }), change);
}

export async function removeUser(user: string): Promise<void> {
  await ask("DELETE", fill(uris.CHANGE_USER, { user }));
}

/** Give or take a right on one thing, or with "*" on all of its kind. */
export async function setGrant(user: string, kind: string, thing: string, granted: boolean): Promise<void> {
  await ask(granted ? "PUT" : "DELETE", fill(uris.GRANT, { user, kind, thing }));
}
