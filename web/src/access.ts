// Log-in, log-out and tokens over HTTP. The cookie is HttpOnly: this code never sees it.

import type { ConnectionEvent } from "./model/connection";
import type { Identity } from "./model/types";
import { uris } from "./uris";

/** Seconds for one answer; the phase "asking" has given up by then. */
const ANSWER_WITHIN = 5;

/** A request that the server refused or never answered, with a sentence for people. */
export class RequestFailed extends Error {}

function send(method: "GET" | "POST", path: string, body?: object): Promise<Response> {
  const content = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return fetch(path, {
    method,
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(ANSWER_WITHIN * 1000),
    ...content,
  });
}

/** Return the server's own sentence from an error's JSON body, wherever it keeps it. */
export function errorSentence(body: unknown): string | null {
  if (typeof body === "string") return body;
  if (typeof body !== "object" || body === null) return null;
  const { message, error, detail } = body as Record<string, unknown>;
  return errorSentence(message) ?? errorSentence(error) ?? errorSentence(detail);
}

async function post(path: string, body: object): Promise<unknown> {
  let response: Response;
  try {
    response = await send("POST", path, body);
  } catch {
    throw new RequestFailed("The server can’t be reached.");
  }
  const text = await response.text();
  const answer: unknown = response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : null;
  if (response.ok) return answer;
  throw new RequestFailed(errorSentence(answer) ?? `The server refused (${response.status}).`);
}

/** Ask who we are; never rejects. */
export async function whoAmI(): Promise<ConnectionEvent> {
  try {
    const response = await send("GET", uris.WHOAMI);
    if (response.status === 401) return { kind: "unrecognised" };
    if (!response.ok) return { kind: "unreachable" };
    return { kind: "recognised", identity: (await response.json()) as Identity };
  } catch {
    return { kind: "unreachable" };
  }
}

/** Log in with the admin token; rejects with RequestFailed. */
export async function logIn(token: string): Promise<void> {
  await post(uris.LOGIN, { token });
}

/** Log out; rejects with RequestFailed, in which case the cookie is still good. */
export async function logOut(): Promise<void> {
  await post(uris.LOGOUT, {});
}

/** Replace the admin token and return the new one; rejects with RequestFailed. */
export async function newToken(): Promise<string> {
  const answer = (await post(uris.NEW_TOKEN, {})) as { token: string };
  return answer.token;
}
