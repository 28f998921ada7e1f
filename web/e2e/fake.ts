// A server made of words: the built page, answers over HTTP, and WAMP in MessagePack, all inside the browser's network
// layer. For what a real site can't be brought to on demand: a year of events, a chain that was tampered with.

import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { decode, encode } from "@msgpack/msgpack";
import type { Page, Route, WebSocketRoute } from "@playwright/test";
import type { SiteEvent } from "../src/model/types";
import { camera, door, OWNER, T0, user } from "../tests/fixtures";

const BUILT = fileURLToPath(new URL("../../gatekeeper/http/dashboard", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** What the real server sends with every answer. */
const POLICY =
  "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; object-src 'none'; base-uri 'none'; " +
  "frame-ancestors 'none'; form-action 'self'";

export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly bytes?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

type Procedure = (kwargs: Readonly<Record<string, unknown>>) => unknown;

/** The owner's identity as the server tells it. */
export const ME = {
  ...OWNER,
  permissions: [...OWNER.permissions, "event.hold", "event.export"],
  must_choose_password: false,
};

export class FakeSite {
  readonly url: string;
  readonly now = Date.now() / 1000;
  /** "METHOD /path" -> answer; what is not here is 404. */
  readonly http = new Map<string, Answer | ((route: Route) => Answer)>();
  readonly procedures = new Map<string, Procedure>();
  /** Requests that changed something, in order: "METHOD /path body". */
  readonly asked: string[] = [];
  #follower: { socket: WebSocketRoute; request: number } | null = null;

  /** A name that resolves nowhere: everything is answered here. Only loopback is a secure context over http. */
  constructor(url = "http://127.0.0.1:4711") {
    this.url = url;
    this.http.set("GET /api/access/me", { body: ME });
    this.http.set("GET /api/access/keys", { body: [] });
    this.http.set("GET /api/access/logins", { body: [] });
    this.http.set("GET /api/access/users", { body: [user({ name: "admin", role: "owner" })] });
    const cameras = [
      camera({ state: "offline", reason: "connection refused", since: this.now - 60 }),
      camera({ id: "yard", name: "Yard", state: "offline", reason: "no picture came", since: this.now - 9 }),
    ];
    const doors = [door({ since: this.now - 600, confirmed: this.now - 1 })];
    this.procedures.set("gatekeeper.system.time", () => ({ time: Date.now() / 1000 }));
    this.procedures.set("gatekeeper.system.status", () => ({
      name: "Number 7",
      version: "0",
      started: 0,
      demo: false,
      cameras,
      doors,
    }));
    this.procedures.set("gatekeeper.camera.list", () => cameras);
    this.procedures.set("gatekeeper.door.list", () => doors);
    this.procedures.set("gatekeeper.event.list", () => ({ events: [], next: null }));
  }

  /** Have a page talk to this site. */
  async serve(page: Page): Promise<void> {
    await page.route(`${this.url}/**`, (route) => this.#answer(route));
    await page.routeWebSocket(`${this.url.replace("http", "ws")}/ws`, (socket) => this.#session(socket));
  }

  /** Tell whoever follows of an event; return whether anybody does. */
  happen(told: SiteEvent): boolean {
    const follower = this.#follower;
    follower?.socket.send(Buffer.from(encode([50, follower.request, { progress: true }, [told]])));
    return follower !== null;
  }

  async #answer(route: Route): Promise<void> {
    const request = route.request();
    const path = new URL(request.url()).pathname;
    if (request.method() !== "GET") this.asked.push(`${request.method()} ${path} ${request.postData() ?? ""}`.trim());
    if (path === "/" || path.startsWith("/assets/")) {
      const file = path === "/" ? "/index.html" : path;
      const headers = { "Content-Type": TYPES[extname(file)] ?? "", "Content-Security-Policy": POLICY };
      return route.fulfill({ body: await readFile(BUILT + file), headers });
    }
    const found = this.http.get(`${request.method()} ${path}`);
    const answer = typeof found === "function" ? found(route) : found;
    const body = answer?.body ?? { error: { code: "not_found", message: "there is nothing at this address" } };
    const type = { "Content-Type": answer?.bytes ? "image/jpeg" : "application/json" };
    return route.fulfill({
      status: answer ? (answer.status ?? 200) : 404,
      headers: { ...type, ...answer?.headers },
      body: answer?.bytes ?? JSON.stringify(body),
    });
  }

  #session(socket: WebSocketRoute): void {
    const say = (...message: unknown[]): void => socket.send(Buffer.from(encode(message)));
    socket.onMessage((data) => {
      const [kind, request, , name, , kwargs] = decode(Buffer.from(data)) as [
        number,
        number,
        unknown,
        string,
        unknown,
        object,
      ];
      if (kind === 1) say(2, 1, { roles: { broker: {}, dealer: {} } });
      if (kind === 32) say(33, request, request);
      if (kind === 34) say(35, request);
      if (kind !== 48) return;
      if (name === "gatekeeper.event.follow") {
        this.#follower = { socket, request };
        return;
      }
      const procedure = this.procedures.get(name);
      if (procedure) say(50, request, {}, [procedure((kwargs ?? {}) as Record<string, unknown>)]);
      else say(8, 48, request, {}, "wamp.error.no_such_procedure", [`there is no ${name}`]);
    });
  }
}

// --- a chain, made as the server makes it ---------------------------------------------------------------------------------

/** Chains and signs events like gatekeeper/evidence/chain.py. */
export class FakeChain {
  readonly records: { sequence: number; previous: string; hash: string; body: string }[] = [];
  readonly #key: KeyObject;
  readonly #public: Buffer;

  constructor() {
    const pair = generateKeyPairSync("ed25519");
    this.#key = pair.privateKey;
    this.#public = pair.publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  }

  /** Record an event; return it as the server would tell it. */
  record(told: SiteEvent): SiteEvent {
    const { hash: _, held, pictures, bundle, actor, ...recorded } = told;
    const body = JSON.stringify({ ...recorded, site: "s", run: "r", elapsed: 1 });
    const previous = this.records.at(-1)?.hash ?? "00".repeat(32);
    const hash = createHash("sha256").update("gatekeeper-event-1\n").update(Buffer.from(previous, "hex")).update(body);
    const hex = hash.digest("hex");
    this.records.push({ sequence: told.sequence, previous, hash: hex, body });
    return { ...told, hash: hex };
  }

  /** Return what the server answers about its check: everything from the first record to the signed head. */
  verification(...erased: { event: string; pictures: string[] }[]): object {
    const last = this.records.at(-1);
    const key = createHash("sha256").update(this.#public).digest("hex").slice(0, 16);
    const signed = (said: object): { statement: string; signature: string } => {
      const statement = JSON.stringify({
        site: "s",
        sequence: last?.sequence,
        hash: last?.hash,
        time: T0,
        key,
        ...said,
      });
      const signature = sign(null, Buffer.from(`gatekeeper-statement-1\n${statement}`), this.#key);
      return { statement, signature: signature.toString("hex") };
    };
    return {
      sound: true,
      checked: this.records.length,
      first: 1,
      last: last?.sequence,
      begun: null,
      ended: T0,
      problems: [],
      site: "s",
      key,
      keys: { [key]: this.#public.toString("hex") },
      whole: true,
      begin: null,
      end: signed({ type: "head" }),
      statements: erased.map((one) => signed({ type: "erased", ...one })),
      records: this.records,
    };
  }
}
