// The gallery as its page follows it: it asks and sends; model/gallery decides.

import { type Signal, signal } from "@preact/signals";
import { ask, RequestFailed } from "./http";
import { CallFailed } from "./link";
import * as model from "./model/gallery";
import type { Snapshot, SnapshotDays, SnapshotPage, Timelapse } from "./model/types";
import type { Site } from "./site";
import { fill, uris } from "./uris";

/** Pictures that one question asks for: some screens full of small ones. */
const PAGE = 200;

/** Milliseconds between two looks for what was kept since, while today is shown. */
const LOOK = 10_000;

/** Milliseconds between two looks at how far a video is. */
const FILM_LOOK = 1_000;

export class GalleryModel {
  readonly state: Signal<model.Gallery> = signal(model.NOTHING);
  readonly keeping: Signal<boolean> = signal(false);
  /** What could not be kept or deleted, and why. */
  readonly problem: Signal<string | null> = signal(null);
  readonly #site: Site;
  /** Which question is the newest: what an earlier one still answers is dropped. */
  #turn = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #film: ReturnType<typeof setTimeout> | undefined;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Show a camera and a day; null: the newest day of which there are pictures. */
  async show(camera: string | null, day: string | null): Promise<void> {
    const turn = ++this.#turn;
    this.#rest();
    this.problem.value = null;
    this.state.value = model.begin(camera, day);
    if (camera === null) return;
    try {
      const days = await this.#site.call<SnapshotDays>(uris.CALL_PICTURE_DAYS, { camera });
      if (turn !== this.#turn) return;
      this.state.value = model.daysTold(this.state.value, days);
      await this.more();
      this.#timer = setInterval(() => void this.#look(), LOOK);
    } catch (reason) {
      if (turn === this.#turn) this.state.value = model.failed(this.state.value, why(reason));
    }
  }

  /** Ask for more of the day's pictures, unless all are known or on their way. */
  async more(): Promise<void> {
    if (!model.wantsMore(this.state.value)) return;
    const turn = this.#turn;
    this.state.value = model.asked(this.state.value);
    const { camera, day, next } = this.state.value;
    const query = { camera, day, order: "oldest", limit: PAGE, ...(next !== null && { after: next }) };
    try {
      const page = await this.#site.call<SnapshotPage>(uris.CALL_PICTURE_LIST, query);
      if (turn === this.#turn) this.state.value = model.pageTold(this.state.value, page.pictures, page.next);
    } catch (reason) {
      if (turn === this.#turn) this.state.value = model.failed(this.state.value, why(reason));
    }
  }

  /** Try again after a failure. */
  retry(): void {
    const { camera, day, days } = this.state.value;
    if (days === null) {
      void this.show(camera, day);
      return;
    }
    this.state.value = { ...this.state.value, failure: null };
    void this.more();
  }

  async keep(): Promise<void> {
    const { camera } = this.state.value;
    await this.#do(async () => {
      const picture = await this.#site.call<Snapshot>(uris.CALL_CAMERA_KEEP, { camera });
      this.state.value = model.kept(this.state.value, picture);
    });
  }

  async delete(id: string): Promise<void> {
    await this.#do(async () => {
      await this.#site.call(uris.CALL_PICTURE_DELETE, { picture: id });
      this.state.value = model.deleted(this.state.value, id);
    });
  }

  open(id: string | null): void {
    this.state.value = { ...this.state.value, open: id };
  }

  turn(turn: model.Turn): void {
    this.state.value = model.turned(this.state.value, turn);
    if (this.state.value.open === this.state.value.pictures.at(-1)?.id) void this.more();
  }

  /** Follow how far the day's video is, while the browser waits for it. */
  followFilm(fps: number): void {
    clearTimeout(this.#film);
    const turn = this.#turn;
    const look = async (): Promise<void> => {
      const { camera, day } = this.state.value;
      if (turn !== this.#turn || camera === null || day === null) return;
      const path = `${fill(uris.TIMELAPSE_STATE, { camera, day })}?fps=${fps}`;
      const film = await ask<Timelapse>("GET", path).catch(() => null);
      if (turn !== this.#turn) return;
      this.state.value = { ...this.state.value, film };
      if (film !== null && film.state !== "ready") this.#film = setTimeout(() => void look(), FILM_LOOK);
    };
    this.#film = setTimeout(() => void look(), 200); // the download asks first
  }

  /** Follow it no more. */
  stop(): void {
    this.#turn++;
    this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#film);
  }

  /** Ask for what was kept since the last picture that is known, if today is shown. */
  async #look(): Promise<void> {
    const { day, days, complete, failure } = this.state.value;
    if (day !== days?.today || !complete || failure !== null || document.hidden) return;
    this.state.value = { ...this.state.value, complete: false };
    await this.more();
  }

  async #do(work: () => Promise<void>): Promise<void> {
    if (this.keeping.value) return;
    this.keeping.value = true;
    this.problem.value = null;
    try {
      await work();
    } catch (reason) {
      this.problem.value = why(reason);
    } finally {
      this.keeping.value = false;
    }
  }
}

function why(reason: unknown): string {
  return reason instanceof CallFailed || reason instanceof RequestFailed ? reason.message : String(reason);
}
