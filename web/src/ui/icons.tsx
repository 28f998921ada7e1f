// Line icons, drawn for this page; all are decoration beside words.

import type { ComponentChildren, JSX } from "preact";
import type { DoorState } from "../model/types";

function Icon({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const BODY = <rect x="5" y="11" width="14" height="9.5" rx="2" />;
const KEYHOLE = <path d="M12 14.8v2" />;

const DOORS: Readonly<Record<DoorState, JSX.Element>> = {
  locked: (
    <>
      {BODY}
      {KEYHOLE}
      <path d="M8 11V8a4 4 0 0 1 8 0v3" />
    </>
  ),
  unlocked: (
    <>
      {BODY}
      {KEYHOLE}
      <path d="M8 11V7.500a4 4 0 0 1 7.7-1.5" />
    </>
  ),
  unlocking: (
    <>
      {BODY}
      <path d="M8 11V7.500a4 4 0 0 1 7.7-1.5" stroke-dasharray="2 2.4" />
    </>
  ),
  locking: (
    <>
      {BODY}
      <path d="M8 11V8a4 4 0 0 1 8 0v3" stroke-dasharray="2 2.4" />
    </>
  ),
  jammed: (
    <>
      <path d="M12 4 2.8 20h18.400Z" />
      <path d="M12 10v4.500M12 17.300v.2" />
    </>
  ),
  unknown: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M9.5 9.600a2.6 2.6 0 1 1 3.7 2.400c-.8.4-1.2.9-1.2 1.900M12 17v.2" />
    </>
  ),
  unavailable: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="m6 6 12 12" />
    </>
  ),
};

export function DoorIcon({ state }: { readonly state: DoorState }): JSX.Element {
  return <Icon>{DOORS[state]}</Icon>;
}

export function Mark(): JSX.Element {
  return (
    <Icon>
      <path d="M6.5 20V7A2.5 2.5 0 0 1 9 4.500h6A2.5 2.5 0 0 1 17.5 7v13M4 20h16M14.5 12.500v.2" />
    </Icon>
  );
}

export function SignalBars({ bars }: { readonly bars: number }): JSX.Element {
  return (
    <svg class="bars" viewBox="0 0 14 12" aria-hidden="true" focusable="false">
      {[1, 2, 3].map((bar) => (
        <rect
          key={bar}
          class={bar <= bars ? "on" : ""}
          x={(bar - 1) * 5}
          y={12 - bar * 4}
          width="3.5"
          height={bar * 4}
          rx="1"
        />
      ))}
    </svg>
  );
}
