// What the server says, for tests: a live camera and a locked door at T0.

import type { User } from "../src/model/account";
import type { Bundle, Picture } from "../src/model/film";
import type { Identity } from "../src/model/identity";
import type { CameraStatus, DoorStatus, SiteEvent } from "../src/model/types";

/** 21 November 2025, 14:00:00 UTC. */
export const T0 = 1763733600;

export function camera(changes: Partial<CameraStatus> = {}): CameraStatus {
  return {
    id: "entrance",
    name: "Front entrance",
    virtual: true,
    state: "live",
    since: T0 - 60,
    reason: null,
    fps: 12.5,
    width: 800,
    height: 600,
    sequence: 9,
    age: 0.1,
    kind: "pull",
    frames: 9,
    rejected: 0,
    reconnects: 0,
    viewers: 1,
    doors: [],
    feeds: [],
    sight: "ok",
    sight_since: T0 - 60,
    help: null,
    device: null,
    ...changes,
  };
}

export function door(changes: Partial<DoorStatus> = {}): DoorStatus {
  return {
    id: "front",
    name: "Front door",
    virtual: true,
    state: "locked",
    since: T0 - 60,
    confirmed: T0 - 1.2,
    source: "status",
    reason: null,
    connected: true,
    signal: { level: "GOOD", rssi: -67, received: T0 - 2 },
    lease: null,
    default_duration: 5,
    maximum_duration: 60,
    signed: true,
    cameras: ["entrance"],
    ...changes,
  };
}

export function event(sequence: number, changes: Partial<SiteEvent> = {}): SiteEvent {
  return {
    sequence,
    id: `01K${String(sequence).padStart(23, "0")}`,
    time: T0 + sequence,
    kind: "door.locked",
    subject: "front",
    actor: null,
    outcome: "ok",
    text: `event ${sequence}`,
    reason: null,
    cause: null,
    caller: null,
    details: {},
    hash: "",
    held: false,
    pictures: 0,
    bundle: null,
    ...changes,
  };
}

export const OWNER: Identity = {
  name: "admin",
  role: "owner",
  permissions: [
    "self",
    "system.view",
    "camera.view",
    "door.view",
    "door.open",
    "door.lock",
    "event.view",
    "access.admin",
  ],
  grants: [],
  things: null,
  mustChoosePassword: false,
};

export function user(changes: Partial<User> = {}): User {
  return {
    name: "ana",
    role: "operator",
    disabled: false,
    has_password: true,
    created: T0 - 86400,
    last_used: null,
    grants: [],
    keys: 0,
    logins: 0,
    ...changes,
  };
}

export function picture(number: number, camera: string, at: number, changes: Partial<Picture> = {}): Picture {
  return { number, camera, received: T0 + at, width: 640, height: 480, size: 9, sha256: "", ...changes };
}

/** Two cameras from −2 s to +2 s; the yard is blind from −0.5 s to +1 s. */
export function bundle(changes: Partial<Bundle> = {}): Bundle {
  return {
    state: "complete",
    reasons: [],
    moment: T0,
    from: T0 - 2,
    to: T0 + 2,
    cameras: {
      entrance: { frames: 4, lost: 0, blind: [] },
      yard: { frames: 2, lost: 0, blind: [[T0 - 0.5, T0 + 1, "no picture came"]] },
    },
    pictures: [
      picture(1, "entrance", -1.5),
      picture(2, "yard", -1),
      picture(3, "entrance", -0.5),
      picture(4, "entrance", 0.5),
      picture(5, "yard", 1.25),
      picture(6, "entrance", 1.5),
    ],
    ...changes,
  };
}
