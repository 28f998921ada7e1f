import { decode, encode } from "@msgpack/msgpack";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Link } from "../src/link";

type Message = unknown[];

/** A WebSocket whose other end is the test. */
class FakeSocket {
  static made: FakeSocket[] = [];
  readonly sent: Message[] = [];
  readonly protocols: string[];
  closed = false;
  onopen: () => void = () => {};
  onclose: () => void = () => {};
  onmessage: (message: { data: ArrayBuffer }) => void = () => {};

  constructor(_url: string, protocols: string[]) {
    this.protocols = protocols;
    FakeSocket.made.push(this);
  }

  send(bytes: Uint8Array): void {
    this.sent.push(decode(bytes) as Message);
  }

  close(): void {
    this.closed = true;
  }

  deliver(message: Message): ArrayBuffer {
    const data = encode(message).slice().buffer;
    this.onmessage({ data });
    return data;
  }
}

const log: string[] = [];
let link: Link;

function joined(): FakeSocket {
  link.dial();
  const socket = FakeSocket.made.at(-1) as FakeSocket;
  socket.onopen();
  socket.deliver([2, 4711, { roles: { broker: {}, dealer: {} } }]);
  return socket;
}

beforeEach(() => {
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.made = [];
  log.length = 0;
  link = new Link("ws://here/ws", {
    joined: () => log.push("joined"),
    lost: () => log.push("lost"),
    heard: () => {},
  });
});
afterEach(() => vi.unstubAllGlobals());

test("it joins the realm with the browser's cookie, in MessagePack", () => {
  const socket = joined();
  expect(socket.protocols).toEqual(["wamp.2.msgpack"]);
  expect(socket.sent[0]).toMatchObject([1, "gatekeeper", { authmethods: ["cookie"] }]);
  expect(log).toEqual(["joined"]);
});

test("a call carries keyword arguments and resolves with the first result", async () => {
  const socket = joined();
  const answer = link.call("gatekeeper.door.open", { door: "front" });
  const [, request] = socket.sent.at(-1) as [number, number];
  expect(socket.sent.at(-1)).toEqual([48, request, {}, "gatekeeper.door.open", [], { door: "front" }]);
  socket.deliver([50, request, {}, [{ state: "unlocked" }]]);
  expect(await answer).toEqual({ state: "unlocked" });
});

test("the parts of an answer come one by one, and go to their own call only", async () => {
  const socket = joined();
  const parts: unknown[] = [];
  const following = link.callForParts("gatekeeper.event.follow", { after: 7 }, (part) => parts.push(part));
  const [, request] = socket.sent.at(-1) as [number, number];
  expect(socket.sent.at(-1)).toEqual([
    48,
    request,
    { receive_progress: true },
    "gatekeeper.event.follow",
    [],
    { after: 7 },
  ]);
  const other = link.call("gatekeeper.system.time");
  const [, another] = socket.sent.at(-1) as [number, number];
  socket.deliver([50, request, { progress: true }, [{ sequence: 8 }]]);
  socket.deliver([50, another, {}, [{ time: 1 }]]);
  socket.deliver([50, request, { progress: true }, [{ sequence: 9 }]]);
  expect(await other).toEqual({ time: 1 });
  expect(parts).toEqual([{ sequence: 8 }, { sequence: 9 }]);
  socket.onclose();
  await expect(following).rejects.toMatchObject({ code: "lost" });
});

test("parts that come from a session that was given up are not taken", () => {
  const socket = joined();
  const parts: unknown[] = [];
  link.callForParts("gatekeeper.event.follow", {}, (part) => parts.push(part)).catch(() => {});
  const [, request] = socket.sent.at(-1) as [number, number];
  link.hangUp();
  socket.deliver([50, request, { progress: true }, [{ sequence: 8 }]]);
  expect(parts).toEqual([]);
});

test("a subscription ends when its function is called, and not twice over another session", async () => {
  const socket = joined();
  const subscribed = link.subscribe("gatekeeper.camera.yard.frame", () => {});
  const [, request] = socket.sent.at(-1) as [number, number];
  socket.deliver([33, request, 77]);
  const end = await subscribed;
  end();
  expect(socket.sent.at(-1)).toMatchObject([34, expect.any(Number), 77]);
  const before = socket.sent.length;
  link.hangUp();
  end();
  expect(socket.sent).toHaveLength(before);
});

test("an error is told by its sentence and its code", async () => {
  const socket = joined();
  const answer = link.call("gatekeeper.door.open", { door: "front" });
  const [, request] = socket.sent.at(-1) as [number, number];
  socket.deliver([8, 48, request, {}, "gatekeeper.error.timeout", ["the lock did not answer in time"]]);
  await expect(answer).rejects.toMatchObject({ code: "timeout", message: "the lock did not answer in time" });
});

test("what is unanswered when the connection is lost fails, and says that nobody knows", async () => {
  const socket = joined();
  const answer = link.call("gatekeeper.door.open", { door: "front" });
  socket.onclose();
  await expect(answer).rejects.toMatchObject({ code: "lost" });
  expect(log).toEqual(["joined", "lost"]);
});

test("nothing is sent without a connection", async () => {
  await expect(link.call("gatekeeper.door.lock", { door: "front" })).rejects.toMatchObject({ code: "not_connected" });
});

test("a picture's bytes are a view into the message that brought them", async () => {
  const socket = joined();
  const frames: Uint8Array[] = [];
  const subscribed = link.subscribe("gatekeeper.camera.yard.frame", ([jpeg]) => frames.push(jpeg as Uint8Array));
  const [, request] = socket.sent.at(-1) as [number, number];
  socket.deliver([33, request, 77]);
  await subscribed;
  const data = socket.deliver([36, 77, 1, {}, [new Uint8Array([255, 216, 255])], { received: 1.5 }]);
  expect(frames[0]).toEqual(new Uint8Array([255, 216, 255]));
  expect(frames[0]?.buffer).toBe(data);
});

test("a socket that was given up is heard no more", () => {
  const first = joined();
  link.hangUp();
  expect(first.closed).toBe(true);
  const second = joined();
  first.onclose();
  first.deliver([3, {}, "wamp.close.system_shutdown"]);
  expect(log).toEqual(["joined", "joined"]);
  expect(second.closed).toBe(false);
});

test("a router that refuses the session is left", () => {
  link.dial();
  const socket = FakeSocket.made[0] as FakeSocket;
  socket.onopen();
  socket.deliver([3, { message: "nobody is logged in" }, "wamp.error.not_authorized"]);
  expect(socket.closed).toBe(true);
});

test("a call for parts is cancelled by its signal, and a part that crosses the CANCEL does no harm", async () => {
  const socket = joined();
  const cancel = new AbortController();
  const parts: unknown[] = [];
  const watching = link.callForParts("gatekeeper.camera.watch", { tile: 1 }, (part) => parts.push(part), cancel.signal);
  const [, request] = socket.sent.at(-1) as [number, number];
  cancel.abort();
  expect(socket.sent.at(-1)).toEqual([49, request, { mode: "kill" }]);
  socket.deliver([50, request, { progress: true }, ["late"]]);
  expect(parts).toEqual(["late"]);
  socket.deliver([8, 48, request, {}, "wamp.error.canceled", []]);
  await expect(watching).rejects.toMatchObject({ code: "canceled" });
  expect(socket.closed).toBe(false);
});

test("a signal after the session is gone sends nothing", async () => {
  const socket = joined();
  const cancel = new AbortController();
  const watching = link.callForParts("gatekeeper.camera.watch", { tile: 1 }, () => {}, cancel.signal);
  link.hangUp();
  const { length } = socket.sent;
  cancel.abort();
  await expect(watching).rejects.toMatchObject({ code: "lost" });
  expect(socket.sent).toHaveLength(length);
});
