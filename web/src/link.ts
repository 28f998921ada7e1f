// The WAMP session with the server: autobahn.js over one WebSocket, in MessagePack. Thin: it says what came and does
// what it is told; whether and when to dial again is decided in model/connection.ts.
//
// Only autobahn's session is used. Its transport would decode with msgpack5 on a Buffer made for browsers; here a
// picture's bytes are a view into the message that arrived.

import { Decoder, encode } from "@msgpack/msgpack";
import { type Deferred, Session, type Transport, Error as WampError } from "autobahn/lib/session.js";
import { spoken } from "./model/language";
import { uris } from "./uris";

export interface LinkEvents {
  joined(): void;
  lost(): void;
  heard(): void;
}

/** A call that failed, with a sentence for people. `code` is the last part of the WAMP error URI. */
export class CallFailed extends Error {
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

type Handler = (args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>) => void;

const SAY = spoken(
  {
    lost: "The connection to the server was lost before it answered.",
    none: "There is no connection to the server.",
  },
  {
    lost: "Koneksi ke server terputus sebelum dijawab.",
    none: "Tidak ada koneksi ke server.",
  },
);

function defer(notify: (part: unknown) => void = () => {}): Deferred {
  const made = { notify } as Deferred;
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

function failure(reason: unknown): CallFailed {
  if (reason instanceof CallFailed) return reason;
  if (!(reason instanceof WampError)) return new CallFailed("internal", String(reason));
  const [text] = reason.args;
  return new CallFailed(reason.error.split(".").at(-1) ?? "", typeof text === "string" ? text : reason.error);
}

export class Link {
  readonly #events: LinkEvents;
  readonly #url: string;
  readonly #unanswered = new Set<(reason: CallFailed) => void>();
  #socket: WebSocket | null = null;
  #session: Session | null = null;
  /** Who gets the parts of the call that is being made: autobahn makes a call's deferred while it sends it. */
  #parts: ((part: unknown) => void) | undefined;

  constructor(url: string, events: LinkEvents) {
    this.#url = url;
    this.#events = events;
  }

  /** Open a WebSocket and join the realm with the cookie that the browser sends along. */
  dial(): void {
    this.hangUp();
    const socket = new WebSocket(this.#url, ["wamp.2.msgpack"]);
    socket.binaryType = "arraybuffer";
    const transport: Transport = {
      onmessage: () => {},
      send: (message) => socket.send(encode(message)),
      close: (code, reason) => socket.close(code, reason),
    };
    const session = new Session(transport, () => defer(this.#parts), undefined, console.error);
    session.onjoin = () => this.#events.joined();
    session.onleave = () => socket.close();
    const decoder = new Decoder();
    socket.onopen = () => session.join(uris.REALM, ["cookie"]);
    socket.onclose = () => this.#closed(socket);
    socket.onmessage = (message: MessageEvent<ArrayBuffer>) => {
      if (socket !== this.#socket) return;
      this.#events.heard();
      transport.onmessage(decoder.decode(message.data));
    };
    this.#socket = socket;
    this.#session = session;
  }

  /** Leave without waiting for anybody: what is still unanswered fails now. */
  hangUp(): void {
    const socket = this.#socket;
    this.#forget();
    socket?.close();
  }

  /** Call a procedure with keyword arguments; rejects with CallFailed. */
  async call<Result>(procedure: string, kwargs: object = {}): Promise<Result> {
    return this.#call<Result>(procedure, kwargs, undefined);
  }

  /**
   * Call a procedure that answers in parts, each given to `take` as it comes; it lasts until the last, or the session.
   * When the signal says so it is cancelled: some parts may still come before it rejects.
   */
  async callForParts<Part>(
    procedure: string,
    kwargs: object,
    take: (part: Part) => void,
    signal?: AbortSignal,
  ): Promise<unknown> {
    return this.#call(procedure, kwargs, (part) => take(part as Part), signal);
  }

  async #call<Result>(
    procedure: string,
    kwargs: object,
    parts: ((part: unknown) => void) | undefined,
    signal?: AbortSignal,
  ): Promise<Result> {
    const session = this.#session;
    if (!session?.isOpen) throw new CallFailed("not_connected", SAY.none);
    const { promise, resolve, reject } = defer();
    this.#unanswered.add(reject);
    this.#parts = parts;
    const calling = session.call(procedure, [], kwargs, parts && { receive_progress: true });
    calling.then(resolve, reject);
    this.#parts = undefined;
    // By any other mode autobahn forgets the call at once, and takes a part that crosses the CANCEL for a crime.
    const cancel = (): void => {
      if (session === this.#session && session.isOpen) calling.cancel({ mode: "kill" });
    };
    signal?.addEventListener("abort", cancel);
    try {
      return (await promise) as Result;
    } catch (reason) {
      throw failure(reason);
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#unanswered.delete(reject);
    }
  }

  /** Subscribe for as long as this session lasts, or until the function that is returned is called. */
  async subscribe(topic: string, handler: Handler): Promise<() => void> {
    const session = this.#session;
    if (!session?.isOpen) return () => {};
    const subscription = await session.subscribe(topic, handler);
    return () => {
      if (session === this.#session && session.isOpen) session.unsubscribe(subscription).catch(() => {});
    };
  }

  #closed(socket: WebSocket): void {
    if (socket !== this.#socket) return; // an earlier one, that was given up
    this.#forget();
    this.#events.lost();
  }

  #forget(): void {
    this.#socket = null;
    this.#session = null;
    for (const reject of this.#unanswered) reject(new CallFailed("lost", SAY.lost));
    this.#unanswered.clear();
  }
}
