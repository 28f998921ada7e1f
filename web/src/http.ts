// Requests to our own server over HTTP. The cookie is HttpOnly: this code never sees it.

import { spoken } from "./model/language";

/** Seconds for one small answer; the phase "asking" has given up by then. */
const ANSWER_WITHIN = 5;

/** Seconds for what has a password hashed: a tenth of a second each, but a busy Raspberry Pi has a queue of them. */
const HASHED_WITHIN = 30;

/** Seconds for a picture or a verification of the whole chain: a slow radio link, a Raspberry Pi with a year's record. */
const LARGE_WITHIN = 60;

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A request that the server refused or never answered, with a sentence for people and the server's code for programs. */
export class RequestFailed extends Error {
  /** One of the server's error codes; "unreachable" when it never answered. */
  readonly code: string;
  /** Seconds after which another attempt is looked at, when the server says so. */
  readonly retryAfter: number | null;

  constructor(sentence: string, code = "refused", retryAfter: number | null = null) {
    super(sentence);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const SAY = spoken(
  {
    unreachable: "The server can’t be reached.",
    unanswered: (seconds: number) => `The server did not answer within ${seconds} s.`,
    refused: (status: number) => `The server refused (${status}).`,
    unreadable: "The server’s answer can’t be read.",
  },
  {
    unreachable: "Server tidak dapat dihubungi.",
    unanswered: (seconds: number) => `Server tidak menjawab dalam ${seconds} detik.`,
    refused: (status: number) => `Server menolak (${status}).`,
    unreadable: "Jawaban server tidak dapat dibaca.",
  },
);

/** Return the server's own sentence from an error's JSON body, wherever it keeps it. */
export function errorSentence(body: unknown): string | null {
  if (typeof body === "string") return body;
  if (typeof body !== "object" || body === null) return null;
  const { message, error, detail } = body as Record<string, unknown>;
  return errorSentence(message) ?? errorSentence(error) ?? errorSentence(detail);
}

function errorCode(body: unknown): string | null {
  const error = (body as { error?: { code?: unknown } } | null)?.error;
  return typeof error?.code === "string" ? error.code : null;
}

function retryAfter(headers: Headers, body: unknown): number | null {
  const said = headers.get("Retry-After") ?? (body as { error?: { retry_after?: unknown } } | null)?.error?.retry_after;
  const seconds = said === null || said === undefined ? Number.NaN : Number(said);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

/** Send one request; rejects when there was no answer, never for its status. */
export function send(method: Method, path: string, body?: object, within = ANSWER_WITHIN): Promise<Response> {
  const content = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return fetch(path, {
    method,
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(within * 1000),
    ...content,
  });
}

async function answer(method: Method, path: string, body?: object, within = ANSWER_WITHIN): Promise<Response> {
  let response: Response;
  try {
    response = await send(method, path, body, within);
  } catch (reason) {
    if ((reason as Error).name === "TimeoutError") throw new RequestFailed(SAY.unanswered(within), "unanswered");
    throw new RequestFailed(SAY.unreachable, "unreachable");
  }
  if (response.ok) return response;
  const said = await json(response);
  const sentence = errorSentence(said) ?? SAY.refused(response.status);
  throw new RequestFailed(sentence, errorCode(said) ?? "refused", retryAfter(response.headers, said));
}

async function json(response: Response): Promise<unknown> {
  if (!response.headers.get("Content-Type")?.includes("json")) return null;
  try {
    return JSON.parse(await response.text());
  } catch {
    throw new RequestFailed(SAY.unreadable, "unreadable");
  }
}

/** Ask for JSON; rejects with RequestFailed. An answer without JSON is null. */
export async function ask<Answer>(method: Method, path: string, body?: object, within?: number): Promise<Answer> {
  return (await json(await answer(method, path, body, within))) as Answer;
}

/** Ask for what has a password hashed. */
export function askHashed<Answer>(method: Method, path: string, body: object): Promise<Answer> {
  return ask<Answer>(method, path, body, HASHED_WITHIN);
}

/** Ask for JSON that takes the server long to make. */
export function askLong<Answer>(method: Method, path: string): Promise<Answer> {
  return ask<Answer>(method, path, undefined, LARGE_WITHIN);
}

/** Fetch a picture's bytes; rejects with RequestFailed. */
export async function fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await answer("GET", path, undefined, LARGE_WITHIN);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new RequestFailed(SAY.unreachable, "unreachable");
  }
}
