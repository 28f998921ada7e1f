// What the server says, for tests: a live camera and a locked door at T0.

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
    cameras: ["entrance"],
    ...changes,
  };
}

export function event(sequence: number, changes: Partial<SiteEvent> = {}): SiteEvent {
  return {
    sequence,
    time: T0 + sequence,
    kind: "door.locked",
    subject: "front",
    actor: null,
    outcome: "ok",
    text: `event ${sequence}`,
    ...changes,
  };
}
