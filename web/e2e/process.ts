// A child process that speaks in lines: wait for what it prints, write it commands, and stop it for certain.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Seconds for a process to print what is waited for: importing Twisted and OpenCV on a busy machine takes some. */
const PRINTED_WITHIN = 40;

/** Seconds from SIGTERM to SIGKILL: a server locks its doors first, with a deadline of two seconds each. */
const STOPPED_WITHIN = 15;

interface Waiter {
  readonly pattern: RegExp;
  readonly resolve: (found: RegExpExecArray) => void;
}

export class LineProcess {
  readonly lines: string[] = [];
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #waiters = new Set<Waiter>();

  constructor(command: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
    this.#name = [command, ...args].join(" ");
    this.#child = spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.on("error", (error) => this.#printed(String(error)));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream) createInterface({ input: stream }).on("line", (line) => this.#printed(line));
    this.#ended = new Promise((resolve) => this.#child.once("close", () => resolve()));
  }

  /** Wait for a line that matches, among those from number `from` on. */
  async line(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    for (const line of this.lines.slice(from)) {
      const found = pattern.exec(line);
      if (found) return found;
    }
    let waiter: Waiter | undefined;
    const printed = new Promise<RegExpExecArray>((resolve) => {
      waiter = { pattern, resolve };
      this.#waiters.add(waiter);
    });
    const timer = after(PRINTED_WITHIN);
    const found = await Promise.race([printed, timer.elapsed, this.#ended]);
    timer.cancel();
    if (waiter) this.#waiters.delete(waiter);
    if (found) return found;
    throw new Error(`${this.#name} never printed ${pattern}:\n${this.lines.slice(-40).join("\n")}`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Write one command and wait for its "ok". */
  async command(text: string): Promise<void> {
    const before = this.lines.length;
    this.#child.stdin?.write(`${text}\n`);
    const [answer] = await this.line(/^(ok\b|error).*/, before);
    if (!answer.startsWith("ok")) throw new Error(`${this.#name} answered "${text}" with "${answer}"`);
  }

  /** End it by SIGTERM, and by SIGKILL if it doesn't listen. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = after(STOPPED_WITHIN);
    void timer.elapsed.then(() => this.#child.exitCode === null && this.#child.kill("SIGKILL"));
    await this.#ended;
    timer.cancel();
  }

  #printed(line: string): void {
    this.lines.push(line);
    for (const waiter of this.#waiters) {
      const found = waiter.pattern.exec(line);
      if (found) waiter.resolve(found);
    }
  }
}

function after(seconds: number): { elapsed: Promise<undefined>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), seconds * 1000);
  });
  return { elapsed, cancel: () => clearTimeout(timer) };
}
