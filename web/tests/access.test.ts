import { afterEach, expect, test, vi } from "vitest";
import { errorSentence, logIn, newToken, RequestFailed, whoAmI } from "../src/access";

function answering(status: number, body: unknown): ReturnType<typeof vi.fn> {
  const answer = vi.fn(async () => Response.json(body, { status }));
  vi.stubGlobal("fetch", answer);
  return answer;
}

afterEach(() => vi.unstubAllGlobals());

test("who we are is one of three answers, and never an exception", async () => {
  answering(200, { authid: "admin", role: "admin" });
  expect(await whoAmI()).toEqual({ kind: "recognised", identity: { authid: "admin", role: "admin" } });
  answering(401, {});
  expect(await whoAmI()).toEqual({ kind: "unrecognised" });
  answering(502, {});
  expect(await whoAmI()).toEqual({ kind: "unreachable" });
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
  expect(await whoAmI()).toEqual({ kind: "unreachable" });
});

test("logging in posts JSON to our own origin", async () => {
  const fetch = answering(200, {});
  await logIn("secret");
  const [path, request] = fetch.mock.calls[0] as unknown as [string, RequestInit];
  expect(path).toBe("/login");
  expect(request).toMatchObject({
    method: "POST",
    body: '{"token":"secret"}',
    credentials: "same-origin",
    headers: { "Content-Type": "application/json" },
  });
});

test("a refusal is told in the server's own sentence", async () => {
  answering(401, { error: { code: "not_authenticated", message: "this token is not valid" } });
  await expect(logIn("wrong")).rejects.toThrow(new RequestFailed("this token is not valid"));
});

test("a server that cannot be reached is told apart from one that refuses", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
  await expect(newToken()).rejects.toThrow("can’t be reached");
});

test("an error's sentence is found wherever a body keeps it", () => {
  expect(errorSentence({ error: "denied", message: "you may not" })).toBe("you may not");
  expect(errorSentence({ error: { message: "no" } })).toBe("no");
  expect(errorSentence({ detail: "no" })).toBe("no");
  expect(errorSentence([1])).toBeNull();
  expect(errorSentence(null)).toBeNull();
});
