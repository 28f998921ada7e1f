import { afterEach, expect, test, vi } from "vitest";
import { listKeys, logIn, logInByKey, setGrant, whoAmI } from "../src/access";
import { errorSentence, RequestFailed } from "../src/http";
import { OWNER } from "./fixtures";

function answering(status: number, body: unknown, headers: HeadersInit = {}): ReturnType<typeof vi.fn> {
  const answer = vi.fn(async () => Response.json(body, { status, headers }));
  vi.stubGlobal("fetch", answer);
  return answer;
}

afterEach(() => vi.unstubAllGlobals());

test("who we are is one of four answers, and never an exception", async () => {
  const said = { name: "admin", role: "owner", permissions: OWNER.permissions, grants: [], things: null };
  answering(200, { ...said, must_choose_password: false });
  expect(await whoAmI()).toEqual({ kind: "recognised", identity: OWNER });
  answering(200, { ...said, must_choose_password: true });
  expect(await whoAmI()).toMatchObject({ kind: "mustChoose", identity: { mustChoosePassword: true } });
  answering(401, {});
  expect(await whoAmI()).toEqual({ kind: "unrecognised" });
  for (const [status, body] of [
    [502, {}],
    [200, {}],
    [200, null],
  ] as const) {
    answering(status, body);
    expect(await whoAmI()).toEqual({ kind: "unreachable" });
  }
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
  expect(await whoAmI()).toEqual({ kind: "unreachable" });
});

function sent(fetch: ReturnType<typeof vi.fn>): [string, RequestInit] {
  return fetch.mock.calls[0] as unknown as [string, RequestInit];
}

test("logging in posts JSON to our own origin", async () => {
  const fetch = answering(200, {});
  await logIn("ana", "secret");
  const [path, request] = sent(fetch);
  expect(path).toBe("/login");
  expect(request).toMatchObject({
    method: "POST",
    body: '{"name":"ana","password":"secret"}',
    credentials: "same-origin",
    headers: { "Content-Type": "application/json" },
  });
  const other = answering(200, {});
  await logInByKey("gk_1_x");
  expect(sent(other)[1].body).toBe('{"key":"gk_1_x"}');
});

test("a grant is put on one thing or, with a star, on all, and deleted again", async () => {
  const put = answering(200, {});
  await setGrant("ana", "door", "front", true);
  expect(sent(put)).toMatchObject(["/api/access/users/ana/grants/door/front", { method: "PUT" }]);
  const gone = answering(200, {});
  await setGrant("ana", "camera", "*", false);
  expect(sent(gone)).toMatchObject(["/api/access/users/ana/grants/camera/*", { method: "DELETE" }]);
});

test("a refusal carries its code, and how long to wait", async () => {
  answering(429, { error: { code: "too_many_attempts", message: "wait" } }, { "Retry-After": "12" });
  await expect(logIn("ana", "wrong")).rejects.toMatchObject({ code: "too_many_attempts", retryAfter: 12 });
  answering(401, { error: { code: "not_authenticated", message: "no" } });
  await expect(logIn("ana", "wrong")).rejects.toMatchObject({ code: "not_authenticated", retryAfter: null });
});

test("an answer that claims to be JSON and isn’t is a failure in words", async () => {
  vi.stubGlobal("fetch", async () => new Response("{", { headers: { "Content-Type": "application/json" } }));
  await expect(listKeys()).rejects.toMatchObject({ code: "unreadable" });
});

test("a refusal is told in the server's own sentence", async () => {
  answering(401, { error: { code: "not_authenticated", message: "this token is not valid" } });
  await expect(logIn("ana", "wrong")).rejects.toThrow(
    new RequestFailed("this token is not valid", "not_authenticated"),
  );
});

test("a server that cannot be reached is told apart from one that refuses", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
  await expect(listKeys()).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining("can’t be") });
});

test("a server that takes too long is told apart from one that is away", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new DOMException("timed out", "TimeoutError")));
  await expect(logIn("ana", "secret")).rejects.toMatchObject({
    code: "unanswered",
    message: expect.stringContaining("30 s"),
  });
});

test("an error's sentence is found wherever a body keeps it", () => {
  expect(errorSentence({ error: "denied", message: "you may not" })).toBe("you may not");
  expect(errorSentence({ error: { message: "no" } })).toBe("no");
  expect(errorSentence({ detail: "no" })).toBe("no");
  expect(errorSentence([1])).toBeNull();
  expect(errorSentence(null)).toBeNull();
});
