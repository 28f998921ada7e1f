// Draws a camera's frames on its canvas: does what model/picture.ts decides, with the browser's JPEG decoder.

import { decide, EMPTY, type PictureCommand, type PictureEvent, type Slot } from "./model/picture";

/** What can be drawn: encoded bytes, or a blob of them. */
export interface Drawable {
  readonly jpeg: BlobPart;
}

export class Painter<Frame extends Drawable> {
  readonly #canvas: HTMLCanvasElement;
  readonly #drew: (frame: Frame, width: number, height: number) => void;
  readonly #undecodable: (frame: Frame) => void;
  #slot: Slot<Frame, ImageBitmap> = EMPTY;
  #wanted: Frame | null = null;

  constructor(
    canvas: HTMLCanvasElement,
    drew: (frame: Frame, width: number, height: number) => void,
    undecodable: (frame: Frame) => void = () => {},
  ) {
    this.#canvas = canvas;
    this.#drew = drew;
    this.#undecodable = undecodable;
  }

  /** Take a frame in; in a tab that nobody sees it is dropped undecoded. */
  show(frame: Frame): void {
    if (document.visibilityState !== "visible") return;
    this.#wanted = frame;
    this.#happened({ kind: "arrived", frame });
  }

  /** Draw nothing, also of what is being decoded. */
  clear(): void {
    this.#wanted = null;
    this.#canvas.getContext("2d", { alpha: false })?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #happened(event: PictureEvent<Frame, ImageBitmap>): void {
    const [slot, commands] = decide(this.#slot, event);
    this.#slot = slot;
    for (const command of commands) this.#enact(command);
  }

  #enact(command: PictureCommand<Frame, ImageBitmap>): void {
    switch (command.kind) {
      case "decode":
        createImageBitmap(new Blob([command.frame.jpeg], { type: "image/jpeg" })).then(
          (picture) => this.#happened({ kind: "decoded", picture }),
          () => {
            this.#undecodable(command.frame);
            this.#happened({ kind: "undecodable" });
          },
        );
        return;
      case "requestRepaint":
        requestAnimationFrame(() => this.#happened({ kind: "repainting" }));
        return;
      case "draw":
        this.#draw(command.frame, command.picture);
        return;
      case "free":
        command.picture.close();
    }
  }

  #draw(frame: Frame, picture: ImageBitmap): void {
    if (this.#wanted === null) {
      picture.close();
      return;
    }
    const { width, height } = picture;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    this.#canvas.getContext("2d", { alpha: false })?.drawImage(picture, 0, 0);
    picture.close();
    this.#drew(frame, width, height);
  }
}
