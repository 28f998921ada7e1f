// One camera in detail, as its page follows it: what it can be set to, its samples, and what happened to it lately. It
// asks and sends; model/controls and model/telemetry decide.

import { type Signal, signal } from "@preact/signals";
import * as model from "./model/controls";
import { NO_FILTER, query } from "./model/filter";
import { paged, pointed, type Telemetry } from "./model/telemetry";
import type { CameraSettings, SiteEvent, TelemetryPage, TelemetryPoint, Value } from "./model/types";
import type { Site } from "./site";
import { fill, uris } from "./uris";

/** Lines of what happened lately; the rest is in the timeline. */
const LATELY = 8;

export class Closeup {
  readonly id: string;
  readonly controls: Signal<model.Controls> = signal(model.NO_CONTROLS);
  readonly telemetry: Signal<Telemetry | null> = signal(null);
  readonly events: Signal<readonly SiteEvent[]> = signal([]);
  readonly #site: Site;
  /** Which session is the newest: what an earlier one still answers is dropped. */
  #session = 0;
  #end: () => void = () => {};

  constructor(site: Site, id: string) {
    this.#site = site;
    this.id = id;
  }

  /** Follow the camera for as long as the session lasts; samples since the last that is known are fetched. */
  start(): void {
    const session = ++this.#session;
    const isNewest = (): boolean => session === this.#session;
    const topic = fill(uris.TOPIC_CAMERA_TELEMETRY, { camera: this.id });
    const following = this.#site.subscribe(topic, ([point]) => {
      if (!isNewest()) return;
      if (this.telemetry.value) this.telemetry.value = pointed(this.telemetry.value, point as TelemetryPoint);
      void this.ask();
    });
    this.#end = () => void following.then((end) => end()).catch(() => {});
    following.then(() => this.#askSamples(isNewest)).catch(warn);
    void this.ask();
    this.#askEvents(isNewest).catch(warn);
  }

  /** Follow it no more. */
  stop(): void {
    this.#session++;
    this.#end();
    this.#end = () => {};
    this.controls.value = model.lost(this.controls.value);
  }

  /** Ask what it can be set to, and is. */
  async ask(): Promise<void> {
    const session = this.#session;
    try {
      const settings = await this.#site.call<CameraSettings>(uris.CALL_CAMERA_SETTINGS, { camera: this.id });
      if (session === this.#session) this.controls.value = model.told(this.controls.value, settings);
    } catch (reason) {
      warn(reason);
    }
  }

  /** Set it: one setting at a time, the last choice of each. */
  choose(name: string, value: Value): void {
    this.controls.value = model.chose(this.controls.value, name, value);
    void this.#send();
  }

  async #send(): Promise<void> {
    const before = this.controls.value;
    this.controls.value = model.next(before);
    const { sending } = this.controls.value;
    if (sending === null || sending === before.sending) return;
    let failure: string | null = null;
    try {
      await this.#site.call(uris.CALL_CAMERA_SET, { camera: this.id, [sending[0]]: sending[1] });
    } catch (reason) {
      failure = reason instanceof Error ? reason.message : String(reason);
    }
    await this.ask(); // first: the control goes from what was chosen to what was taken, not by way of what was before
    this.controls.value = model.sent(this.controls.value, failure);
    void this.#send();
  }

  async #askSamples(isNewest: () => boolean): Promise<void> {
    const last = this.telemetry.value?.time.at(-1);
    const asked = { camera: this.id, ...(last !== undefined && { since: last }) };
    const page = await this.#site.call<TelemetryPage>(uris.CALL_CAMERA_TELEMETRY, asked);
    if (isNewest()) this.telemetry.value = paged(this.telemetry.value, page);
  }

  async #askEvents(isNewest: () => boolean): Promise<void> {
    if (!this.#site.may("event.view")) return;
    const wanted = { ...query({ ...NO_FILTER, group: "cameras", subject: this.id }, null), limit: LATELY };
    const page = await this.#site.history.list(wanted);
    if (isNewest()) this.events.value = page.events;
  }

  /** Return what happened lately, with what happened since it was asked for. */
  lately(newest: readonly SiteEvent[]): readonly SiteEvent[] {
    const last = this.events.value[0]?.sequence ?? 0;
    const since = newest.filter(
      ({ subject, sequence, kind }) => subject === this.id && sequence > last && kind.startsWith("camera."),
    );
    return [...since, ...this.events.value].slice(0, LATELY);
  }
}

function warn(reason: unknown): void {
  console.warn("the server did not tell of this camera", reason);
}
