// Which tiles have pictures coming, and when their credit goes back. A tile that is in view is watched by a call of its
// own; the server sends the next picture when the last one's credit came back, and that is when it was painted. A tile
// out of view, in a tab that nobody sees, or without a connection is not watched at all.

/** CSS pixels below which a tile is too small for motion to be followed: a wall of many. */
const SMALL = 240;

/** Pictures a second that a small tile takes at most. */
const SMALL_RATE = 10;

/** CSS pixels from which a tile is looked at by itself: its next picture travels while the last is painted. */
const LARGE = 600;

export interface Watch {
  readonly tile: number;
  readonly camera: string;
  /** Pictures a second at most; null for every one. */
  readonly rate: number | null;
  /** Pictures that may be under way. */
  readonly ahead: number;
}

interface Place {
  readonly camera: string;
  /** Width in CSS pixels while it is in view. */
  readonly width: number | null;
  /** The number under which it is watched. */
  readonly tile: number | null;
  /** The server said that there is no more: it isn't asked again in this session. */
  readonly refused: boolean;
}

export interface Screen {
  readonly isJoined: boolean;
  readonly isSeen: boolean;
  /** By the page's own key for a tile. */
  readonly places: ReadonlyMap<number, Place>;
  /** Credit that is to go back: the newest painted picture of each watched tile. */
  readonly owed: ReadonlyMap<number, number>;
  readonly last: number;
}

export type ScreenEvent =
  | { readonly kind: "joined" | "lost" | "flushing" }
  | { readonly kind: "tab"; readonly isSeen: boolean }
  | { readonly kind: "mounted"; readonly place: number; readonly camera: string }
  | { readonly kind: "unmounted"; readonly place: number }
  | { readonly kind: "inView"; readonly place: number; readonly width: number | null }
  | { readonly kind: "painted"; readonly tile: number; readonly sequence: number }
  | { readonly kind: "ended"; readonly tile: number };

export type ScreenCommand =
  | { readonly kind: "watch"; readonly place: number; readonly watch: Watch }
  | { readonly kind: "cancel"; readonly tile: number }
  | { readonly kind: "requestFlush" }
  | { readonly kind: "credit"; readonly painted: readonly (readonly [number, number])[] };

export const NOTHING: Screen = { isJoined: false, isSeen: true, places: new Map(), owed: new Map(), last: 0 };

type Decision = [Screen, readonly ScreenCommand[]];

function placeOf(screen: Screen, tile: number): [number, Place] | undefined {
  return [...screen.places].find(([, place]) => place.tile === tile);
}

function changed(screen: Screen, key: number, change: Partial<Place>): Screen {
  const place = screen.places.get(key);
  return place ? { ...screen, places: new Map(screen.places).set(key, { ...place, ...change }) } : screen;
}

/** Bring what is watched in line with what should be. */
function settled(screen: Screen): Decision {
  const commands: ScreenCommand[] = [];
  const places = new Map(screen.places);
  const owed = new Map(screen.owed);
  let { last } = screen;
  for (const [key, place] of places) {
    const wanted = screen.isJoined && screen.isSeen && place.width !== null && !place.refused;
    if (wanted === (place.tile !== null)) continue;
    if (place.tile !== null) {
      commands.push({ kind: "cancel", tile: place.tile });
      owed.delete(place.tile);
      places.set(key, { ...place, tile: null });
    } else {
      const width = place.width ?? 0;
      last += 1;
      const watch: Watch = {
        tile: last,
        camera: place.camera,
        rate: width < SMALL ? SMALL_RATE : null,
        ahead: width < LARGE ? 1 : 2,
      };
      commands.push({ kind: "watch", place: key, watch });
      places.set(key, { ...place, tile: last });
    }
  }
  return [{ ...screen, places, owed, last }, commands];
}

/** Forget what is watched: the session that did it is gone. */
function unwatched(screen: Screen): Screen {
  const places = new Map([...screen.places].map(([key, place]) => [key, { ...place, tile: null, refused: false }]));
  return { ...screen, places, owed: new Map() };
}

/** Decide one event. Numbers of tiles are never used twice, so that what comes late for one is nobody's. */
export function decide(screen: Screen, event: ScreenEvent): Decision {
  switch (event.kind) {
    case "joined":
      return settled({ ...unwatched(screen), isJoined: true });
    case "lost":
      return [{ ...unwatched(screen), isJoined: false }, []];
    case "tab":
      return settled({ ...screen, isSeen: event.isSeen });
    case "mounted": {
      const place: Place = { camera: event.camera, width: null, tile: null, refused: false };
      return [{ ...screen, places: new Map(screen.places).set(event.place, place) }, []];
    }
    case "unmounted": {
      const [after, commands] = settled(changed(screen, event.place, { width: null }));
      const places = new Map(after.places);
      places.delete(event.place);
      return [{ ...after, places }, commands];
    }
    case "inView":
      return settled(changed(screen, event.place, { width: event.width }));
    case "painted": {
      if (placeOf(screen, event.tile) === undefined) return [screen, []];
      const owed = new Map(screen.owed).set(event.tile, event.sequence);
      return [{ ...screen, owed }, screen.owed.size === 0 ? [{ kind: "requestFlush" }] : []];
    }
    case "flushing":
      if (screen.owed.size === 0) return [screen, []];
      return [{ ...screen, owed: new Map() }, [{ kind: "credit", painted: [...screen.owed] }]];
    case "ended": {
      const found = placeOf(screen, event.tile);
      if (found === undefined) return [screen, []];
      const owed = new Map(screen.owed);
      owed.delete(event.tile);
      return [changed({ ...screen, owed }, found[0], { tile: null, refused: true }), []];
    }
  }
}
