// The button that opens a door: pointer, touch and keyboard all become "pressed" and "released" of model/hold.ts.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { readClock } from "../clock";
import { type Hold, type HoldEvent, hold, IDLE } from "../model/hold";
import { spoken } from "../model/language";

/** Milliseconds between two looks at a hold: a twentieth of it. */
const TICK = 40;

const SAY = spoken(
  {
    holding: "Keep holding…",
    how: "Press and hold for 0.8 s; Space or Enter too.",
  },
  {
    holding: "Tahan terus…",
    how: "Tekan dan tahan selama 0,8 detik; bisa juga Spasi atau Enter.",
  },
);

interface Props {
  readonly testid: string;
  readonly label: string;
  /** Why it can't be used now; null when it can. */
  readonly why: string | null;
  readonly onHeld: () => void;
}

type Pointer = JSX.TargetedPointerEvent<HTMLButtonElement>;
type Key = JSX.TargetedKeyboardEvent<HTMLButtonElement>;

export function HoldButton({ testid, label, why, onHeld }: Props): JSX.Element {
  const hint = useId();
  const state = useSignal<Hold>(IDLE);
  const latest = useRef({ why, onHeld });
  latest.current = { why, onHeld };
  const { phase } = state.value;

  const happened = (event: HoldEvent): void => {
    const [next, open] = hold(state.peek(), event, readClock());
    state.value = next;
    if (open && latest.current.why === null) latest.current.onHeld();
  };
  const pressed = (source: string): void => {
    if (why === null) happened({ kind: "pressed", source });
  };

  useEffect(() => {
    if (phase !== "holding") return;
    const timer = setInterval(() => happened({ kind: "ticked" }), TICK);
    const cancel = (): void => happened({ kind: "cancelled" });
    window.addEventListener("blur", cancel);
    document.addEventListener("visibilitychange", cancel);
    return () => {
      clearInterval(timer);
      window.removeEventListener("blur", cancel);
      document.removeEventListener("visibilitychange", cancel);
    };
  }, [phase]);
  useEffect(() => {
    if (why !== null && phase === "holding") happened({ kind: "cancelled" });
  }, [why, phase]);

  const pointer = ({ pointerId }: Pointer): string => `pointer ${pointerId}`;
  const held = ({ key }: Key): boolean => key === " " || key === "Enter";
  return (
    <>
      <button
        type="button"
        class={phase === "holding" ? "hold holding" : "hold"}
        data-testid={testid}
        aria-disabled={why !== null}
        aria-describedby={hint}
        onPointerDown={(event: Pointer) => {
          if (event.button !== 0 || !event.isPrimary) return;
          // Touch captures its pointer; without the capture a finger that slides off the button lets go of it.
          if (event.currentTarget.hasPointerCapture(event.pointerId))
            event.currentTarget.releasePointerCapture(event.pointerId);
          pressed(pointer(event));
        }}
        onPointerUp={(event: Pointer) => happened({ kind: "released", source: pointer(event) })}
        onPointerLeave={(event: Pointer) => happened({ kind: "released", source: pointer(event) })}
        onPointerCancel={(event: Pointer) => happened({ kind: "released", source: pointer(event) })}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={(event: Key) => {
          if (event.key === "Escape") happened({ kind: "cancelled" });
          if (!held(event)) return;
          event.preventDefault();
          if (!event.repeat) pressed(`key ${event.key}`);
        }}
        onKeyUp={(event: Key) => {
          if (!held(event)) return;
          event.preventDefault();
          happened({ kind: "released", source: `key ${event.key}` });
        }}
        onBlur={() => happened({ kind: "cancelled" })}
      >
        <span class="fill" aria-hidden="true" />
        <span class="label">{phase === "holding" ? SAY.holding : label}</span>
      </button>
      <p id={hint} class="hint how">
        {why ?? SAY.how}
      </p>
    </>
  );
}
