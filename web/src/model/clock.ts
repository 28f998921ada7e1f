// The server's clock as seen from here, so that ages are right whatever the browser's clock says.
// A sample is one call of the server's time: when it left, when its answer came (both by our clock), what it said.

export interface Sample {
  readonly sent: number;
  readonly received: number;
  readonly server: number;
}

interface Estimate {
  readonly offset: number;
  readonly roundTrip: number;
}

export type Clock = readonly Estimate[];

export const NO_CLOCK: Clock = [];

/** Samples that are kept: at one in 10 s a minute's worth, in which no crystal drifts by more than some milliseconds. */
const KEPT = 6;

/** What two honest samples may disagree by beyond their own bounds, in seconds; past it the server's clock was set. */
const SLACK = 0.05;

/** Take one more sample in; older ones that it contradicts are forgotten. */
export function sampled(clock: Clock, sample: Sample): Clock {
  const roundTrip = sample.received - sample.sent;
  if (!(roundTrip >= 0)) return clock;
  const fresh = { offset: sample.server + roundTrip / 2 - sample.received, roundTrip };
  const agreeing = clock.filter(
    (old) => Math.abs(old.offset - fresh.offset) <= (old.roundTrip + fresh.roundTrip) / 2 + SLACK,
  );
  return [fresh, ...agreeing].slice(0, KEPT);
}

/** Return seconds to add to our clock for the server's, from the quickest sample, or null before the first. */
export function offset(clock: Clock): number | null {
  const [first, ...others] = clock;
  if (first === undefined) return null;
  return others.reduce((best, other) => (other.roundTrip < best.roundTrip ? other : best), first).offset;
}

/** Return the server's time now; before the first sample our own clock has to do. */
export function serverTime(clock: Clock, now: number): number {
  return now + (offset(clock) ?? 0);
}
