// Pictures for the tiles of the page, over its one connection: does what model/credit.ts decides. Whether a tile is in
// view is the browser's word.

import type { CallFailed, Link } from "./link";
import { decide, NOTHING, type Screen, type ScreenCommand, type ScreenEvent, type Watch } from "./model/credit";
import type { Frame } from "./model/types";
import { uris } from "./uris";

interface Part {
  readonly args: readonly [Frame["jpeg"]];
  readonly kwargs: { readonly received: number; readonly sequence: number };
}

export class Video {
  readonly #link: Link;
  readonly #shows = new Map<number, (frame: Frame) => void>();
  readonly #places = new WeakMap<Element, number>();
  readonly #calls = new Map<number, AbortController>();
  readonly #seen: IntersectionObserver;
  #screen: Screen = { ...NOTHING, isSeen: document.visibilityState === "visible" };
  #last = 0;

  constructor(link: Link) {
    this.#link = link;
    this.#seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting, boundingClientRect } of entries) {
        const place = this.#places.get(target);
        if (place !== undefined)
          this.#happened({ kind: "inView", place, width: isIntersecting ? boundingClientRect.width : null });
      }
    });
    document.addEventListener("visibilitychange", () =>
      this.#happened({ kind: "tab", isSeen: document.visibilityState === "visible" }),
    );
  }

  /** Show a camera's pictures while an element is in view, until the function that is returned is called. */
  show(camera: string, element: Element, show: (frame: Frame) => void): () => void {
    this.#last += 1;
    const place = this.#last;
    this.#shows.set(place, show);
    this.#places.set(element, place);
    this.#happened({ kind: "mounted", place, camera });
    this.#seen.observe(element);
    return () => {
      this.#seen.unobserve(element);
      this.#shows.delete(place);
      this.#happened({ kind: "unmounted", place });
    };
  }

  /** A picture was painted, or can't be: the next one may come. */
  painted({ tile, sequence }: Frame): void {
    this.#happened({ kind: "painted", tile, sequence });
  }

  joined(): void {
    this.#calls.clear();
    this.#happened({ kind: "joined" });
  }

  lost(): void {
    this.#calls.clear();
    this.#happened({ kind: "lost" });
  }

  #happened(event: ScreenEvent): void {
    const [screen, commands] = decide(this.#screen, event);
    this.#screen = screen;
    for (const command of commands) this.#enact(command);
  }

  #enact(command: ScreenCommand): void {
    switch (command.kind) {
      case "watch":
        this.#watch(command.place, command.watch);
        return;
      case "cancel":
        this.#calls.get(command.tile)?.abort();
        this.#calls.delete(command.tile);
        return;
      case "requestFlush":
        // Behind the frame's other tiles, which are painted before any timer runs.
        setTimeout(() => this.#happened({ kind: "flushing" }));
        return;
      case "credit":
        this.#link.call(uris.CALL_CAMERA_CREDIT, { painted: command.painted }).catch((reason: CallFailed) => {
          // A tile that the server ended meanwhile is told of by its own call.
          if (!["lost", "not_connected", "invalid_argument"].includes(reason.code)) console.warn("credit", reason);
        });
    }
  }

  #watch(place: number, { tile, camera, rate, ahead }: Watch): void {
    const cancel = new AbortController();
    this.#calls.set(tile, cancel);
    const asked = { camera, tile, ahead, ...(rate !== null && { rate }) };
    this.#link
      .callForParts<Part>(
        uris.CALL_CAMERA_WATCH,
        asked,
        ({ args: [jpeg], kwargs: { received, sequence } }) => {
          if (this.#calls.get(tile) === cancel) this.#shows.get(place)?.({ jpeg, received, sequence, tile });
        },
        cancel.signal,
      )
      .catch((reason: CallFailed) => {
        if (this.#calls.get(tile) !== cancel) return; // we ended it, or the connection did
        this.#calls.delete(tile);
        if (reason.code !== "lost") console.warn("pictures can’t be had", camera, reason.message);
        this.#happened({ kind: "ended", tile });
      });
  }
}
