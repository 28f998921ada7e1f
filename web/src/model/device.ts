// A camera as a device: what there is to know of it, in words.

import { viewHelp } from "./help";
import { spoken } from "./language";
import { bytes, measure } from "./telemetry";
import type { CameraStatus } from "./types";
import { count, duration, moment, whole } from "./words";

export interface Fact {
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

const SAY = spoken(
  {
    ways: { pull: "The server connects to it", push: "It connects to the server" },
    way: "Connection",
    size: "Picture",
    model: "Sensor",
    firmware: "Firmware",
    ip: "Address, as it says",
    uptime: "Running for",
    restarts: "Restarts seen",
    last: (time: string) => `, last ${time}`,
    reset: "Why it started",
    rssi: "WiFi",
    heap: "Free memory",
    told: "Last heard of",
    ago: (time: string) => `${time} ago`,
    now: "just now",
    help: "Done about it",
    frames: "Pictures so far",
    rejected: "Unreadable",
    reconnects: "Reconnections",
    viewers: "Watched by",
    many: (number: number) => count(number, "viewer"),
  },
  {
    ways: { pull: "Server menghubunginya", push: "Kamera menghubungi server" },
    way: "Koneksi",
    size: "Gambar",
    model: "Sensor",
    firmware: "Firmware",
    ip: "Alamat menurut kamera",
    uptime: "Menyala selama",
    restarts: "Mulai ulang yang terlihat",
    last: (time: string) => `, terakhir ${time}`,
    reset: "Sebab menyala",
    rssi: "WiFi",
    heap: "Memori bebas",
    told: "Kabar terakhir",
    ago: (time: string) => `${time} lalu`,
    now: "baru saja",
    help: "Yang dilakukan",
    frames: "Gambar sejauh ini",
    rejected: "Tidak terbaca",
    reconnects: "Sambung ulang",
    viewers: "Dilihat oleh",
    many: (number: number) => `${whole(number)} penonton`,
  },
);

/** Seconds after which a device's word about itself is old: it speaks every ten. */
const SILENT_AFTER = 30;

/** Return what is known of a camera; what isn't is left out. `now` is unix seconds by the server's clock. */
export function facts(status: CameraStatus, now: number): readonly Fact[] {
  const { device } = status;
  const size = status.width && status.height ? `${status.width} × ${status.height}` : null;
  const told = device ? Math.max(0, now - device.received) : null;
  const restarted = device?.restarted ? SAY.last(moment(device.restarted, now)) : "";
  const found: readonly (readonly [string, string, string | null | undefined])[] = [
    ["way", SAY.way, status.kind && SAY.ways[status.kind]],
    ["size", SAY.size, size],
    ["model", SAY.model, device?.model],
    ["firmware", SAY.firmware, device?.firmware],
    ["ip", SAY.ip, device?.ip],
    ["uptime", SAY.uptime, device?.uptime == null ? null : duration(device.uptime)],
    ["restarts", SAY.restarts, device ? `${device.restarts}${device.restarts ? restarted : ""}` : null],
    ["reset", SAY.reset, device?.reset],
    ["rssi", SAY.rssi, device?.rssi == null ? null : measure(device.rssi, "dBm")],
    ["heap", SAY.heap, device?.heap == null ? null : bytes(device.heap)],
    ["told", SAY.told, told === null ? null : told > SILENT_AFTER ? SAY.ago(duration(told)) : SAY.now],
    ["help", SAY.help, viewHelp(status.help, now)],
    ["frames", SAY.frames, whole(status.frames)],
    ["rejected", SAY.rejected, status.rejected ? whole(status.rejected) : null],
    ["reconnects", SAY.reconnects, status.reconnects ? String(status.reconnects) : null],
    ["viewers", SAY.viewers, SAY.many(status.viewers)],
  ];
  return found.flatMap(([id, name, text]) => (text ? [{ id, name, text }] : []));
}
