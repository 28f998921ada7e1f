// A camera as a device: what there is to know of it, in words.

import { bytes, measure } from "./telemetry";
import type { CameraStatus } from "./types";
import { count, duration, moment } from "./words";

export interface Fact {
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

/** Seconds after which a device's word about itself is old: it speaks every ten. */
const SILENT_AFTER = 30;

const WAYS = { pull: "The server connects to it", push: "It connects to the server" } as const;

/** Return what is known of a camera; what isn't is left out. `now` is unix seconds by the server's clock. */
export function facts(status: CameraStatus, now: number): readonly Fact[] {
  const { device } = status;
  const size = status.width && status.height ? `${status.width} × ${status.height}` : null;
  const told = device ? Math.max(0, now - device.received) : null;
  const restarted = device?.restarted ? `, last ${moment(device.restarted, now)}` : "";
  const found: readonly (readonly [string, string, string | null | undefined])[] = [
    ["way", "Connection", status.kind && WAYS[status.kind]],
    ["size", "Picture", size],
    ["model", "Sensor", device?.model],
    ["firmware", "Firmware", device?.firmware],
    ["ip", "Address, as it says", device?.ip],
    ["uptime", "Running for", device?.uptime == null ? null : duration(device.uptime)],
    ["restarts", "Restarts seen", device ? `${device.restarts}${device.restarts ? restarted : ""}` : null],
    ["reset", "Why it started", device?.reset],
    ["rssi", "WiFi", device?.rssi == null ? null : measure(device.rssi, "dBm")],
    ["heap", "Free memory", device?.heap == null ? null : bytes(device.heap)],
    ["told", "Last heard of", told === null ? null : told > SILENT_AFTER ? `${duration(told)} ago` : "just now"],
    ["frames", "Pictures so far", status.frames.toLocaleString("en-GB")],
    ["rejected", "Unreadable", status.rejected ? status.rejected.toLocaleString("en-GB") : null],
    ["reconnects", "Reconnections", status.reconnects ? String(status.reconnects) : null],
    ["viewers", "Watched by", count(status.viewers, "viewer")],
  ];
  return found.flatMap(([id, name, text]) => (text ? [{ id, name, text }] : []));
}
