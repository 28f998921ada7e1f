// Our own clock: unix seconds that never step while the page lives, even when the computer's clock is set.

/** Return the seconds now. The server's clock is this plus the offset in model/clock.ts. */
export function readClock(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}
