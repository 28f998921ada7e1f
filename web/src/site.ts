// The composition root: signals hold the state, model/ decides, link and access do. Components read the signals.

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { logIn, logOut, whoAmI } from "./access";
import { readClock } from "./clock";
import { CallFailed, Link } from "./link";
import { drew, type Tile, tile } from "./model/camera";
import { type Clock, NO_CLOCK, sampled } from "./model/clock";
import { begin, type Command, type Connection, type ConnectionEvent, decide, patience } from "./model/connection";
import { answered, type Card, card, failed, type Order, ordered } from "./model/door";
import { type Events, happened, recalled } from "./model/events";
import { answeredPulse, beat, heard, type Pulse, startPulse } from "./model/pulse";
import type { CameraStatus, DoorStatus, Frame, SiteEvent, SystemStatus } from "./model/types";
import { fill, uris } from "./uris";

/** Milliseconds between two looks at the clock: ages are shown in tenths of a second. */
const TICK = 100;

export interface CameraCell {
  readonly id: string;
  readonly tile: Signal<Tile>;
  /** Where frames go: the canvas that is mounted, if any. */
  show: ((frame: Frame) => void) | null;
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
  readonly events: Signal<Events> = signal([]);
  readonly #link: Link;
  #pulse: Pulse = startPulse(0);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string) {
    this.#link = new Link(url, {
      joined: () => this.#joined(),
      lost: () => this.#decide({ kind: "lost" }),
      heard: () => {
        this.#pulse = heard(this.#pulse, readClock());
      },
    });
    const [connection, commands] = begin(readClock());
    this.connection = signal(connection);
    this.lostSince = computed(() => this.connection.value.lostSince);
    setInterval(() => this.#tick(), TICK);
    this.#enact(commands);
  }

  async logIn(token: string): Promise<void> {
    await logIn(token);
    this.#decide({ kind: "loggedIn" });
  }

  async logOut(): Promise<void> {
    await logOut();
    this.#decide({ kind: "loggedOut" });
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
    camera.tile.value = drew(camera.tile.value, frame.received, width, height, readClock());
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
      else this.#link.hangUp();
    }
  }

  #tick(): void {
    const now = readClock();
    this.now.value = now;
    if (this.connection.value.phase !== "open") return;
    const [pulse, verdict] = beat(this.#pulse, now);
    this.#pulse = pulse;
    if (verdict === "gone") this.#decide({ kind: "elapsed" });
    else if (verdict === "ask") void this.#refresh();
  }

  #joined(): void {
    this.#pulse = startPulse(readClock());
    // The page stays "not known" until the server has told everything.
    this.#askTime()
      .then(() => this.#learn())
      .then(
        () => this.#decide({ kind: "joined" }),
        (reason) => {
          console.warn("the server did not tell its state", reason);
          this.#link.hangUp();
          this.#decide({ kind: "lost" });
        },
      );
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
    const system = await this.#link.call<SystemStatus>(uris.CALL_SYSTEM_STATUS);
    const live: SiteEvent[] = [];
    let record = (event: SiteEvent): unknown => live.push(event);
    await Promise.all([
      this.#link.subscribe(uris.TOPIC_EVENT, ([event]) => record(event as SiteEvent)),
      ...system.cameras.flatMap(({ id }) => this.#follow(id)),
      ...system.doors.map(({ id }) =>
        this.#link.subscribe(fill(uris.TOPIC_DOOR_STATE, { door: id }), ([status]) =>
          this.#doorChanged(status as DoorStatus),
        ),
      ),
    ]);
    await this.#relist();
    const recent = await this.#link.call<SiteEvent[]>(uris.CALL_EVENT_RECENT);
    this.system.value = system;
    document.title = system.name;
    this.events.value = recalled(recent, live);
    record = (event) => {
      this.events.value = happened(this.events.value, event);
    };
  }

  #follow(id: string): Promise<void>[] {
    const cell = (): CameraCell | undefined => this.cameras.value.find((known) => known.id === id);
    return [
      this.#link.subscribe(fill(uris.TOPIC_CAMERA_STATE, { camera: id }), ([status]) => {
        const known = cell();
        if (known) known.tile.value = tile(status as CameraStatus, known.tile.value);
      }),
      this.#link.subscribe(fill(uris.TOPIC_CAMERA_FRAME, { camera: id }), ([jpeg], { received }) => {
        cell()?.show?.({ jpeg: jpeg as Frame["jpeg"], received: received as number });
      }),
    ];
  }

  async #relist(): Promise<void> {
    const cameras = await this.#link.call<CameraStatus[]>(uris.CALL_CAMERA_LIST);
    const doors = await this.#link.call<DoorStatus[]>(uris.CALL_DOOR_LIST);
    batch(() => {
      this.cameras.value = merge(this.cameras.value, cameras, (status, known) => {
        if (!known) return { id: status.id, tile: signal(tile(status)), show: null };
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

  #doorChanged(status: DoorStatus): void {
    const known = this.doors.value.find(({ id }) => id === status.id);
    if (known) known.card.value = card(status, known.card.value);
  }

  #forget(): void {
    batch(() => {
      this.system.value = null;
      this.cameras.value = [];
      this.doors.value = [];
      this.events.value = [];
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
