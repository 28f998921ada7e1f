// One slot for pictures: the newest wins. While one is being decoded the next waits, and a newer one replaces it.
// What was decoded waits for the screen's next repaint; a newer one replaces it too, and the old one is freed.

export interface Slot<Encoded, Decoded> {
  readonly decoding: Encoded | null;
  readonly next: Encoded | null;
  readonly ready: { readonly of: Encoded; readonly picture: Decoded } | null;
}

export type PictureEvent<Encoded, Decoded> =
  | { readonly kind: "arrived"; readonly frame: Encoded }
  | { readonly kind: "decoded"; readonly picture: Decoded }
  | { readonly kind: "undecodable" }
  | { readonly kind: "repainting" };

export type PictureCommand<Encoded, Decoded> =
  | { readonly kind: "decode"; readonly frame: Encoded }
  | { readonly kind: "requestRepaint" }
  | { readonly kind: "draw"; readonly frame: Encoded; readonly picture: Decoded }
  | { readonly kind: "free"; readonly picture: Decoded };

export const EMPTY: Slot<never, never> = { decoding: null, next: null, ready: null };

type Decision<E, D> = [Slot<E, D>, readonly PictureCommand<E, D>[]];

function decodeNext<E, D>(slot: Slot<E, D>): Decision<E, D> {
  const { next } = slot;
  if (next === null) return [{ ...slot, decoding: null }, []];
  return [{ ...slot, decoding: next, next: null }, [{ kind: "decode", frame: next }]];
}

/** Decide one event; draw and free are each commanded exactly once for every decoded picture. */
export function decide<E, D>(slot: Slot<E, D>, event: PictureEvent<E, D>): Decision<E, D> {
  switch (event.kind) {
    case "arrived":
      if (slot.decoding !== null) return [{ ...slot, next: event.frame }, []];
      return decodeNext({ ...slot, next: event.frame });
    case "undecodable":
      return decodeNext(slot);
    case "decoded": {
      const { decoding, ready } = slot;
      if (decoding === null) return [slot, [{ kind: "free", picture: event.picture }]];
      const [after, commands] = decodeNext({ ...slot, ready: { of: decoding, picture: event.picture } });
      const first: PictureCommand<E, D> =
        ready === null ? { kind: "requestRepaint" } : { kind: "free", picture: ready.picture };
      return [after, [first, ...commands]];
    }
    case "repainting": {
      const { ready } = slot;
      if (ready === null) return [slot, []];
      return [{ ...slot, ready: null }, [{ kind: "draw", frame: ready.of, picture: ready.picture }]];
    }
  }
}
