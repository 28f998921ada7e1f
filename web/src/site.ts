// The composition root: signals hold the state, model/ decides, link and access do. Components read the signals.

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { endLogIns, logIn, logInByKey, logOut, setUp, whoAmI } from "./access";
import { readClock } from "./clock";
import { History } from "./history";
import { CallFailed, Link } from "./link";
import { drew, type Tile, tile } from "./model/camera";
import { type Clock, NO_CLOCK, sampled } from "./model/clock";
import { begin, type Command, type Connection, type ConnectionEvent, decide, patience } from "./model/connection";
import { answered, type Card, card, failed, type Order, ordered } from "./model/door";
import { type Identity, may } from "./model/identity";
import { answeredPulse, beat, heard, type Pulse, startPulse } from "./model/pulse";
import { parse, type Route } from "./model/route";
import type { CameraStatus, DoorStatus, Frame, SystemStatus } from "./model/types";
import { fill, uris } from "./uris";
import { Video } from "./video";

/** Milliseconds between two looks at the clock: ages are shown in tenths of a second. */
const TICK = 100;

export interface CameraCell {
  readonly id: string;
  readonly tile: Signal<Tile>;
}

export interface DoorCell {
  readonly id: string;
  readonly card: Signal<Card>;
}

export class Site {
  readonly now = signal(readClock());
  readonly clock: Signal<Clock> = signal(NO_CLOCK);
  readonly connection: Signal<Connection>;
  readonly lostSince: ReadonlySignal<number | null>;
  readonly system: Signal<SystemStatus | null> = signal(null);
  readonly cameras: Signal<readonly CameraCell[]> = signal([]);
  readonly doors: Signal<readonly DoorCell[]> = signal([]);
  readonly identity: ReadonlySignal<Identity | null>;
  readonly route: Signal<Route>;
  readonly history: History;
  readonly #link: Link;
  readonly #video: Video;
  /** Topics that this session has subscribed to for states. */
  readonly #heard = new Set<string>();
  #pulse: Pulse = startPulse(0);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string) {
    this.#link = new Link(url, {
      joined: () => this.#joined(),
      lost: () => {
        this.#video.lost();
        this.#decide({ kind: "lost" });
      },
      heard: () => {
        this.#pulse = heard(this.#pulse, readClock());
      },
    });
    this.history = new History(this.#link);
    this.#video = new Video(this.#link);
    this.route = signal(parse(location.hash));
    window.addEventListener("hashchange", () => {
      this.route.value = parse(location.hash);
    });
    const [connection, commands] = begin(readClock());
    this.connection = signal(connection);
    this.identity = computed(() => this.connection.value.identity);
    this.lostSince = computed(() => this.connection.value.lostSince);
    setInterval(() => this.#tick(), TICK);
    this.#enact(commands);
  }

  async logIn(name: string, password: string): Promise<void> {
    await logIn(name, password);
    this.#decide({ kind: "loggedIn" });
  }

  async logInByKey(key: string): Promise<void> {
    await logInByKey(key);
    this.#decide({ kind: "loggedIn" });
  }

  /** Choose name and password after the one-time link. */
  async setUp(name: string, password: string): Promise<void> {
    await setUp(name, password);
    this.#decide({ kind: "loggedIn" });
  }

  async logOut(): Promise<void> {
    await logOut();
    this.#decide({ kind: "loggedOut" });
  }

  /** End every log-in of this account, this one too. */
  async logOutEverywhere(): Promise<void> {
    await endLogIns(false);
    this.#decide({ kind: "loggedOut" });
  }

  /** Return whether we may; whoever may not sees no control for it. */
  may(permission: string, thing: string | null = null): boolean {
    return may(this.identity.value, permission, thing);
  }

  /** Whether teams measure here, and we may see any. */
  get measures(): boolean {
    return (this.system.value?.teams ?? 0) > 0 && this.may("measurement.view");
  }

  call<Result>(procedure: string, kwargs: object = {}): Promise<Result> {
    return this.#link.call<Result>(procedure, kwargs);
  }

  /** Subscribe for as long as this session lasts, or until the function that is returned is called. */
  subscribe(topic: string, handler: Parameters<Link["subscribe"]>[1]): Promise<() => void> {
    return this.#link.subscribe(topic, handler);
  }

  /** Order a door opened or locked; the outcome shows on its card. */
  async order(door: DoorCell, order: Order, reason: string): Promise<void> {
    const said = reason.trim() && { reason: reason.trim() };
    const once = order === "open" && { idempotency_key: randomKey() };
    door.card.value = ordered(door.card.value, order);
    try {
      const procedure = order === "open" ? uris.CALL_DOOR_OPEN : uris.CALL_DOOR_LOCK;
      await this.#link.call(procedure, { door: door.id, ...said, ...once });
      door.card.value = answered(door.card.value, order);
    } catch (reason) {
      const text = reason instanceof CallFailed ? reason.message : String(reason);
      door.card.value = failed(door.card.value, order, text, readClock());
    }
  }

  /** A camera's canvas drew a frame. */
  drew(camera: CameraCell, frame: Frame, width: number, height: number): void {
    camera.tile.value = drew(camera.tile.value, frame.received, width, height, readClock(), this.clock.value);
    this.#video.painted(frame);
  }

  /** Have a camera's frames shown while an element is in view, until the function that is returned is called. */
  watch(camera: CameraCell, element: Element, show: (frame: Frame) => void): () => void {
    return this.#video.show(camera.id, element, show);
  }

  /** A camera's frame can't be drawn. */
  skipped(frame: Frame): void {
    this.#video.painted(frame);
  }

  #decide(event: ConnectionEvent): void {
    const [connection, commands] = decide(this.connection.value, event, readClock());
    if (connection === this.connection.value) return;
    this.connection.value = connection;
    clearTimeout(this.#timer);
    const seconds = patience(connection, Math.random());
    if (seconds !== null) this.#timer = setTimeout(() => this.#decide({ kind: "elapsed" }), seconds * 1000);
    if (connection.phase === "signedOut") this.#forget();
    this.#enact(commands);
  }

  #enact(commands: readonly Command[]): void {
    for (const command of commands) {
      if (command === "ask") void whoAmI().then((event) => this.#decide(event));
      else if (command === "dial") this.#link.dial();
      else this.#hangUp();
    }
  }

  #hangUp(): void {
    this.#link.hangUp();
    this.#video.lost();
  }

  #tick(): void {
    const now = readClock();
    this.now.value = now;
    if (this.connection.value.phase !== "open" || !this.#mayAsk) return;
    const [pulse, verdict] = beat(this.#pulse, now);
    this.#pulse = pulse;
    if (verdict === "gone") this.#decide({ kind: "elapsed" });
    else if (verdict === "ask") void this.#refresh();
  }

  #joined(): void {
    this.#pulse = startPulse(readClock());
    // The page stays "not known" until the server has told everything.
    (this.#mayAsk ? this.#askTime() : Promise.resolve())
      .then(() => this.#learn())
      .then(
        () => this.#decide({ kind: "joined" }),
        (reason) => {
          console.warn("the server did not tell its state", reason);
          this.#hangUp();
          this.#decide({ kind: "lost" });
        },
      );
  }

  /** Whether we may ask for the server's time and state: a device's account, or a narrow key, has neither. */
  get #mayAsk(): boolean {
    return this.may("system.view");
  }

  async #askTime(): Promise<void> {
    const sent = readClock();
    const { time } = await this.#link.call<{ time: number }>(uris.CALL_SYSTEM_TIME);
    const received = readClock();
    this.#pulse = answeredPulse(this.#pulse, received);
    this.clock.value = sampled(this.clock.value, { sent, received, server: time });
  }

  async #refresh(): Promise<void> {
    try {
      await this.#askTime();
      await this.#relist();
    } catch (reason) {
      console.warn("the server did not answer", reason); // its pulse decides what that means
    }
  }

  /** Subscribe to everything first, then ask for everything: nothing that changes in between is missed. */
  async #learn(): Promise<void> {
    const system = this.#mayAsk ? await this.#link.call<SystemStatus>(uris.CALL_SYSTEM_STATUS) : null;
    await this.#relist(); // what we may see: there is nothing to subscribe to of the rest
    this.#heard.clear(); // they were the last session's
    await this.#link.subscribe(uris.TOPIC_CHANGED, () => void this.#renew());
    await this.#listen();
    await this.#relist();
    this.#video.joined();
    if (this.may("event.view")) await this.history.follow();
    this.system.value = system;
    if (system !== null) document.title = system.name;
  }

  /** Cameras or doors came or went. */
  async #renew(): Promise<void> {
    try {
      await this.#relist();
      await this.#listen();
      await this.#relist();
    } catch (reason) {
      console.warn("the server did not say what changed", reason); // its next list does
    }
  }

  /** Subscribe to the state of everything that there is and that isn't listened to yet. */
  async #listen(): Promise<void> {
    const topics: [string, (status: unknown) => void][] = [
      ...this.cameras.value.map(({ id }): [string, (status: unknown) => void] => [
        fill(uris.TOPIC_CAMERA_STATE, { camera: id }),
        (status) => this.#cameraChanged(status as CameraStatus),
      ]),
      ...this.doors.value.map(({ id }): [string, (status: unknown) => void] => [
        fill(uris.TOPIC_DOOR_STATE, { door: id }),
        (status) => this.#doorChanged(status as DoorStatus),
      ]),
    ];
    const fresh = topics.filter(([topic]) => !this.#heard.has(topic));
    for (const [topic] of fresh) this.#heard.add(topic);
    await Promise.all(fresh.map(([topic, take]) => this.#link.subscribe(topic, ([status]) => take(status))));
  }

  async #relist(): Promise<void> {
    const cameras = await this.#list<CameraStatus>("camera.view", uris.CALL_CAMERA_LIST);
    const doors = await this.#list<DoorStatus>("door.view", uris.CALL_DOOR_LIST);
    batch(() => {
      this.cameras.value = merge(this.cameras.value, cameras, (status, known) => {
        if (!known) return { id: status.id, tile: signal(tile(status)) };
        known.tile.value = tile(status, known.tile.value);
        return known;
      });
      this.doors.value = merge(this.doors.value, doors, (status, known) => {
        if (!known) return { id: status.id, card: signal(card(status)) };
        known.card.value = card(status, known.card.value);
        return known;
      });
    });
  }

  /** Ask for a list; nobody is asked for what we may see none of. */
  async #list<Status>(permission: string, procedure: string): Promise<Status[]> {
    return this.may(permission) ? this.#link.call<Status[]>(procedure) : [];
  }

  #cameraChanged(status: CameraStatus): void {
    const known = this.cameras.value.find(({ id }) => id === status.id);
    if (known) known.tile.value = tile(status, known.tile.value);
  }

  #doorChanged(status: DoorStatus): void {
    const known = this.doors.value.find(({ id }) => id === status.id);
    if (known) known.card.value = card(status, known.card.value);
  }

  #forget(): void {
    batch(() => {
      this.system.value = null;
      this.cameras.value = [];
      this.doors.value = [];
      this.history.forget();
    });
  }
}

/** Bring cells in line with a list from the server; the array stays the same when no cell came or went. */
function merge<Cell extends { id: string }, Status extends { id: string }>(
  before: readonly Cell[],
  list: readonly Status[],
  take: (status: Status, known: Cell | undefined) => Cell,
): readonly Cell[] {
  const after = list.map((status) =>
    take(
      status,
      before.find(({ id }) => id === status.id),
    ),
  );
  return after.length === before.length && after.every((cell, index) => cell === before[index]) ? before : after;
}

/** Return a key that no other order has. (crypto.randomUUID is missing on pages served over plain HTTP.) */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
