// What the server says about cameras, doors and events; field for field as it comes over the wire.
// Times are unix seconds by the server's clock, durations and ages are seconds.

export type CameraState = "connecting" | "live" | "stalled" | "offline";

export interface CameraStatus {
  readonly id: string;
  readonly name: string;
  readonly virtual: boolean;
  readonly state: CameraState;
  readonly since: number;
  readonly reason: string | null;
  readonly fps: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly sequence: number;
  readonly age: number | null;
}

export type DoorState = "locked" | "unlocking" | "unlocked" | "locking" | "jammed" | "unknown" | "unavailable";

export interface Signal {
  readonly level: string;
  readonly rssi: number;
  readonly received: number;
}

export interface Lease {
  readonly ends: number;
  readonly duration: number;
  readonly holder: string;
  readonly reason: string | null;
}

export interface DoorStatus {
  readonly id: string;
  readonly name: string;
  readonly virtual: boolean;
  readonly state: DoorState;
  readonly since: number;
  readonly confirmed: number | null;
  readonly source: string;
  readonly reason: string | null;
  readonly connected: boolean;
  readonly signal: Signal | null;
  readonly lease: Lease | null;
  readonly default_duration: number;
  readonly maximum_duration: number;
  readonly cameras: readonly string[];
}

/** Who asked, and from where; no right follows from it. */
export interface Caller {
  readonly name: string | null;
  readonly address: string;
  readonly client: string;
  readonly method: string | null;
  readonly key: string | null;
  readonly session: string | null;
}

export interface SiteEvent {
  readonly sequence: number;
  readonly id: string;
  readonly time: number;
  readonly kind: string;
  readonly subject: string | null;
  readonly actor: string | null;
  readonly outcome: string;
  readonly text: string;
  readonly reason: string | null;
  readonly cause: string | null;
  readonly caller: Caller | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly hash: string;
  readonly held: boolean;
  readonly pictures: number;
  /** "open", "complete", "partial"; null where no pictures belong. */
  readonly bundle: string | null;
}

export interface SystemStatus {
  readonly name: string;
  readonly version: string;
  readonly started: number;
  readonly demo: boolean;
  readonly cameras: readonly CameraStatus[];
  readonly doors: readonly DoorStatus[];
}

/** One picture as published: the bytes, and when the server received them from the camera. */
export interface Frame {
  readonly jpeg: Uint8Array<ArrayBuffer>;
  readonly received: number;
}

/** How a thing should look: the stylesheet has one colour for each. */
export type Tone = "calm" | "attention" | "busy" | "alarm" | "unknown";
