// What the server says about cameras, doors and events; field for field as it comes over the wire.
// Times are unix seconds by the server's clock, durations and ages are seconds.

export type CameraState = "connecting" | "live" | "stalled" | "offline";

export type Sight = "unknown" | "ok" | "black" | "overexposed" | "frozen" | "looping" | "covered" | "moved";

/** How a camera that connects to the server says it is; null where it says nothing. */
export interface DeviceHealth {
  readonly received: number;
  readonly heap: number | null;
  readonly rssi: number | null;
  readonly uptime: number | null;
  readonly model: string | null;
  readonly firmware: string | null;
  readonly ip: string | null;
  readonly reset: string | null;
  readonly restarts: number;
  readonly restarted: number | null;
}

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
  readonly kind: "pull" | "push";
  readonly frames: number;
  readonly rejected: number;
  readonly reconnects: number;
  readonly viewers: number;
  /** Ids of the doors that it looks at. */
  readonly doors: readonly string[];
  /** Names of the feeds that are made of its pictures. */
  readonly feeds: readonly string[];
  readonly sight: Sight;
  readonly sight_since: number;
  /** What is being done about it, if it shows nothing. */
  readonly help: Help | null;
  readonly device: DeviceHealth | null;
}

/** What was done last for a camera that shows nothing; `alert`: somebody must look after it. */
export interface Help {
  readonly step: "reconnect" | "back_off" | "reboot" | "alert";
  readonly since: number;
  readonly reason: string;
}

/** Of a setting: a resolution is its number, a mode "speed" or "stability". */
export type Value = number | string | boolean;

export interface Option {
  readonly value: Value;
  readonly label: string;
  readonly note: string | null;
}

export interface Setting {
  readonly name: string;
  readonly label: string;
  readonly kind: "number" | "choice" | "switch" | "action";
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly unit: string | null;
  readonly note: string | null;
  readonly options: readonly Option[];
  /** What it was set to here. */
  readonly wished: Value | null;
  /** What the camera says it is; `said` in its own words. */
  readonly taken: Value | null;
  readonly said: string | null;
  readonly told: number | null;
}

export interface CameraSettings {
  readonly camera: string;
  readonly device: string | null;
  /** Why it takes no settings, or none now. */
  readonly reason: string | null;
  readonly settings: readonly Setting[];
}

/** Samples of a camera, oldest first: a time and a figure of each column per sample. */
export interface TelemetryPage {
  readonly every: number;
  readonly time: readonly number[];
  readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
}

/** One sample: `time`, and a figure by the name of its column. */
export type TelemetryPoint = Readonly<Record<string, number | null>>;

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
  /** Whether commands and answers are signed with a key that the lock and the server share. */
  readonly signed: boolean;
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
  /** How many teams measure; 0 where nothing is configured to. */
  readonly teams: number;
  readonly cameras: readonly CameraStatus[];
  readonly doors: readonly DoorStatus[];
}

/** One picture as it comes: the bytes, when the server received them from the camera, and for which tile it is. */
export interface Frame {
  readonly jpeg: Uint8Array<ArrayBuffer>;
  readonly received: number;
  readonly sequence: number;
  readonly tile: number;
}

/** How a thing should look: the stylesheet has one colour for each. */
export type Tone = "calm" | "attention" | "busy" | "alarm" | "unknown";

/** A picture of a camera that is kept by itself; `local` is its moment in the server's time zone. */
export interface Snapshot {
  readonly id: string;
  readonly camera: string;
  readonly day: string;
  readonly time: number;
  readonly local: string;
  readonly why: "demand" | "interval" | "event";
  readonly event: string | null;
  readonly who: string | null;
  readonly width: number;
  readonly height: number;
  readonly size: number;
  readonly sha256: string;
}

export interface SnapshotPage {
  readonly pictures: readonly Snapshot[];
  readonly next: string | null;
}

/** The days of which pictures are kept, newest first, in the server's time zone. */
export interface SnapshotDays {
  readonly zone: string;
  readonly today: string;
  readonly days: readonly { readonly camera: string; readonly day: string; readonly pictures: number }[];
}

/** How far the video of a day is. */
export interface Timelapse {
  readonly camera: string;
  readonly day: string;
  readonly fps: number;
  readonly state: "none" | "waiting" | "making" | "ready";
  readonly pictures: number;
  readonly done: number;
  readonly codec: "h264" | "mpeg4";
}
