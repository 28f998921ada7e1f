// A whole site for the tests: two virtual cameras, a virtual lock and the server, each a process on loopback.
//
// The programs come from the virtual environment whose `bin` folder GATEKEEPER_BIN names (default ../.venv/bin).

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LineProcess } from "./process";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIN = resolve(process.env.GATEKEEPER_BIN ?? join(ROOT, ".venv", "bin"));
const ENV = { ...process.env, PYTHONPATH: ROOT, PYTHONUNBUFFERED: "1" };

/** The admin token of the test site. */
export const TOKEN = "e2e-3f6f0f0b9c5d4f7c8a51";

/** Seconds that an opening lasts here: long enough to look at, short enough to wait for. */
export const OPEN_DURATION = 4;

const LINK = /https?:\/\/\S+\/login\?code=[\w.~-]+/;

/** What the server says last when it starts: with the one-time link, or without once there is an owner. */
export const SERVING = /open (https?:\/\/[^/\s]+)\//;

/** A virtual device: a process that prints its port, then takes commands. */
export class Device {
  readonly port: number;
  readonly #process: LineProcess;

  constructor(process: LineProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(kind: "camera" | "lock", cwd: string, ...options: string[]): Promise<Device> {
    const args = ["-m", "gatekeeper.simulators", kind, "--port", "0", ...options];
    const process = new LineProcess(join(BIN, "python"), args, { cwd, env: ENV });
    const [, port] = await process.line(/^port (\d+)/);
    return new Device(process, Number(port));
  }

  /** Switch a fault on; "none" ends it. The names are those of CameraFault and LockFault. */
  async fault(name: string): Promise<void> {
    await this.#process.command(`fault ${name}`);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

export function twistd(cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): LineProcess {
  const all = ["-n", "--pidfile=", "gatekeeper", ...args];
  return new LineProcess(join(BIN, "twistd"), all, { cwd, env: { ...ENV, ...env } });
}

/** The server as it starts with no configuration at all: virtual devices of its own, and a token that nobody knows. */
export class Demo {
  readonly url: string;
  readonly link: string;
  readonly #folder: string;
  readonly #server: LineProcess;

  private constructor(folder: string, url: string, link: string, server: LineProcess) {
    this.#folder = folder;
    this.url = url;
    this.link = link;
    this.#server = server;
  }

  static async start(): Promise<Demo> {
    const folder = await mkdtemp(join(tmpdir(), "gatekeeper-e2e-"));
    const port = await freePort();
    const server = twistd(folder, {}, "--listen", `tcp:${port}:interface=127.0.0.1`, "--data", join(folder, "data"));
    const [link] = await server.line(LINK);
    return new Demo(folder, new URL(link).origin, link, server);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A server with one camera that connects to it, `garden`, which can be given faults. */
export class Garden {
  readonly url: string;
  readonly #folder: string;
  readonly #server: LineProcess;
  readonly #camera: LineProcess;

  private constructor(url: string, folder: string, server: LineProcess, camera: LineProcess) {
    this.url = url;
    this.#folder = folder;
    this.#server = server;
    this.#camera = camera;
  }

  static async start(): Promise<Garden> {
    const folder = await mkdtemp(join(tmpdir(), "gatekeeper-e2e-"));
    const [port, stream] = await Promise.all([freePort(), freePort()]);
    const text = `
listen = "tcp:${port}:interface=127.0.0.1"
data = "data"
[access]
admin_token = {env = "GATEKEEPER_E2E_TOKEN"}
[push]
listen = "tcp:${stream}:interface=127.0.0.1"
control = ""
[[cameras]]
id = "garden"
name = "Garden"
push = {path = "/garden"}
[[cameras.feeds]]
name = "small"
width = 160
`;
    await writeFile(join(folder, "site.toml"), text);
    const server = twistd(folder, { GATEKEEPER_E2E_TOKEN: TOKEN }, "--config", join(folder, "site.toml"));
    const dialled = ["--url", `ws://127.0.0.1:${stream}/garden`, "--redial", "0.5", "--resolution", "5", "--framed"];
    const args = ["-m", "gatekeeper.simulators", "push", ...dialled];
    const camera = new LineProcess(join(BIN, "python"), args, { cwd: folder, env: ENV });
    await server.line(SERVING);
    return new Garden(`http://127.0.0.1:${port}`, folder, server, camera);
  }

  /** Switch a fault of the camera on; "none" ends it. The names are those of PushFault. */
  async fault(name: string): Promise<void> {
    await this.#camera.command(`fault ${name}`);
  }

  /** End the camera. */
  async unplug(): Promise<void> {
    await this.#camera.stop();
  }

  /** The server's log, for a test that failed. */
  get log(): string {
    return this.#server.lines.join("\n");
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server.stop(), this.#camera.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A server with measurements of eight teams, and virtual laptops of some of them. */
export class Towers {
  readonly url: string;
  readonly #folder: string;
  readonly #server: LineProcess;
  readonly #laptops: ReadonlyMap<number, LineProcess>;

  private constructor(url: string, folder: string, server: LineProcess, laptops: ReadonlyMap<number, LineProcess>) {
    this.url = url;
    this.#folder = folder;
    this.#server = server;
    this.#laptops = laptops;
  }

  /** Start with laptops of these teams; a session lasts `duration` seconds. */
  static async start(teams: readonly number[], duration: number): Promise<Towers> {
    const folder = await mkdtemp(join(tmpdir(), "gatekeeper-e2e-"));
    const [port, listening] = await Promise.all([freePort(), freePort()]);
    const text = `
listen = "tcp:${port}:interface=127.0.0.1"
data = "data"
[access]
admin_token = {env = "GATEKEEPER_E2E_TOKEN"}
[measurements]
listen = "tcp:${listening}:interface=127.0.0.1"
open_sending = true
open_viewing = true
duration = ${duration}.0
`;
    await writeFile(join(folder, "site.toml"), text);
    const server = twistd(folder, { GATEKEEPER_E2E_TOKEN: TOKEN }, "--config", join(folder, "site.toml"));
    await server.line(SERVING);
    const dialled = ["--url", `ws://127.0.0.1:${listening}/`, "--rate", "30", "--always"];
    const laptop = (team: number): LineProcess => {
      const args = ["-m", "gatekeeper.simulators", "laptop", ...dialled, "--team", String(team)];
      return new LineProcess(join(BIN, "python"), args, { cwd: folder, env: ENV });
    };
    return new Towers(`http://127.0.0.1:${port}`, folder, server, new Map(teams.map((team) => [team, laptop(team)])));
  }

  /** Switch a fault of a team's laptop on; "none" ends it. The names are those of LaptopFault. */
  async fault(team: number, name: string): Promise<void> {
    await this.#laptops.get(team)?.command(`fault ${name}`);
  }

  ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    return askAt(this.url, method, path, body);
  }

  /** The server's log, for a test that failed. */
  get log(): string {
    return this.#server.lines.join("\n");
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server, ...this.#laptops.values()].map((one) => one.stop()));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export class Site {
  readonly cameras: Readonly<Record<"entrance" | "yard", Device>>;
  /** Of the front door, and of the back door. */
  readonly lock: Device;
  readonly backLock: Device;
  readonly url: string;
  readonly #folder: string;
  #server: LineProcess | null = null;

  private constructor(folder: string, url: string, entrance: Device, yard: Device, lock: Device, backLock: Device) {
    this.#folder = folder;
    this.url = url;
    this.cameras = { entrance, yard };
    this.lock = lock;
    this.backLock = backLock;
  }

  static async start(): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), "gatekeeper-e2e-"));
    const [entrance, yard, lock, back, port] = await Promise.all([
      Device.start("camera", folder),
      Device.start("camera", folder),
      Device.start("lock", folder),
      Device.start("lock", folder),
      freePort(),
    ]);
    await writeFile(join(folder, "site.toml"), configuration(port, entrance.port, yard.port, lock.port, back.port));
    const site = new Site(folder, `http://127.0.0.1:${port}`, entrance, yard, lock, back);
    await site.startServer();
    return site;
  }

  /** Start the server; its page and its data are those of before. */
  async startServer(): Promise<void> {
    const env = { GATEKEEPER_E2E_TOKEN: TOKEN };
    this.#server = twistd(this.#folder, env, "--config", join(this.#folder, "site.toml"));
    await this.#server.line(SERVING);
  }

  /** The folder of what outlives a restart. */
  get data(): string {
    return join(this.#folder, "data");
  }

  /** Ask over HTTP as the owner of the admin token; throws unless the answer is good. */
  ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    return askAt(this.url, method, path, body);
  }

  /** Add an account with a password and grants such as "door:front". */
  async addUser(name: string, role: string, password: string, ...grants: string[]): Promise<void> {
    const given = grants.map((grant) => ({ kind: grant.split(":")[0], thing: grant.split(":")[1] }));
    await this.ask("POST", "/api/access/users", { name, role, password, grants: given });
  }

  /** Run Python in the server's environment; return what it printed. */
  async python(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(join(BIN, "python"), args, { cwd: this.#folder, env: ENV });
    return stdout;
  }

  /** Return the one-time log-in link that the server printed when it started without an owner. */
  async loginLink(): Promise<string> {
    if (this.#server === null) throw new Error("the server is stopped");
    const [link] = await this.#server.line(LINK);
    return link;
  }

  /** Stop the server the way a service manager does. */
  async stopServer(): Promise<void> {
    await this.#server?.stop();
    this.#server = null;
  }

  /** Return the server's log, for a test that failed. */
  get log(): string {
    return this.#server?.lines.join("\n") ?? "";
  }

  async stop(): Promise<void> {
    await this.stopServer();
    const { entrance, yard } = this.cameras;
    await Promise.all([entrance.stop(), yard.stop(), this.lock.stop(), this.backLock.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function askAt<Answer>(url: string, method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, ...(body && { "Content-Type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

function configuration(port: number, entrance: number, yard: number, lock: number, back: number): string {
  return `
listen = "tcp:${port}:interface=127.0.0.1"
data = "data"

[access]
admin_token = {env = "GATEKEEPER_E2E_TOKEN"}

[[cameras]]
id = "entrance"
name = "Front entrance"
url = "http://127.0.0.1:${entrance}/stream"
doors = ["front"]
connect_timeout = 2.0
retry_maximum = 1.0

[[cameras]]
id = "yard"
name = "Yard"
url = "http://127.0.0.1:${yard}/stream"
connect_timeout = 2.0
retry_maximum = 1.0

[[doors]]
id = "front"
name = "Front door"
url = "ws://127.0.0.1:${lock}/ws"
open_duration = ${OPEN_DURATION}.0
retry_maximum = 1.0

[[doors]]
id = "back"
name = "Back door"
url = "ws://127.0.0.1:${back}/ws"
open_duration = ${OPEN_DURATION}.0
retry_maximum = 1.0

[evidence]
before = 2.0
after = 2.0
`;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
