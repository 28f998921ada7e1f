// Is the server still there? A browser cannot ping a WebSocket, and a dead network leaves one "open" for minutes.
// So the server's time is asked regularly, at once when everything fell silent, and an answer is owed in time.

/** Seconds between two questions; each is also a sample of the server's clock. */
export const ASK_EVERY = 10;

/** Seconds of silence after which we ask out of turn: moving cameras make this long. */
export const SILENCE = 3;

/** Seconds within which an answer is owed: thirty times what a bad wireless network needs. */
export const ANSWER_WITHIN = 4;

export interface Pulse {
  readonly heard: number;
  readonly asked: number;
  /** When the question that is still open was asked. */
  readonly owed: number | null;
}

/** Start with a question at once. */
export function startPulse(now: number): Pulse {
  return { heard: now, asked: Number.NEGATIVE_INFINITY, owed: null };
}

/** Something, anything, came from the server. */
export function heard(pulse: Pulse, now: number): Pulse {
  return { ...pulse, heard: now };
}

export function answeredPulse(pulse: Pulse, now: number): Pulse {
  return { ...pulse, heard: now, owed: null };
}

/** Decide at a tick: nothing, ask the time, or take the server for gone. */
export function beat(pulse: Pulse, now: number): [Pulse, "rest" | "ask" | "gone"] {
  if (pulse.owed !== null) return [pulse, now - pulse.owed > ANSWER_WITHIN ? "gone" : "rest"];
  const silent = now - pulse.heard > SILENCE && now - pulse.asked > SILENCE;
  if (!silent && now - pulse.asked < ASK_EVERY) return [pulse, "rest"];
  return [{ ...pulse, asked: now, owed: now }, "ask"];
}
