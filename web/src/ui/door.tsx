import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { viewCard } from "../model/door";
import { spoken } from "../model/language";
import type { DoorCell, Site } from "../site";
import { HoldButton } from "./hold";
import { DoorIcon, SignalBars } from "./icons";

const SAY = spoken(
  {
    virtual: "virtual",
    unsigned: "unsigned",
    whyUnsigned: "This lock has no key: whoever is on its network can open it, or pretend to be it",
    signal: "The lock’s radio signal",
    reason: "Reason",
    optional: "(optional)",
    opening: "Opening…",
    locking: "Locking…",
    lock: "Lock",
    lease: "Time until the door locks itself",
  },
  {
    virtual: "virtual",
    unsigned: "tanpa tanda tangan",
    whyUnsigned:
      "Kunci ini tidak punya kunci rahasia: siapa pun di jaringannya dapat membukanya, atau menyamar sebagai kunci ini",
    signal: "Sinyal radio kunci",
    reason: "Alasan",
    optional: "(opsional)",
    opening: "Membuka…",
    locking: "Mengunci…",
    lock: "Kunci",
    lease: "Waktu sampai pintu mengunci sendiri",
  },
);

interface Props {
  readonly site: Site;
  readonly door: DoorCell;
}

export function DoorCard({ site, door }: Props): JSX.Element {
  const reason = useRef<HTMLInputElement>(null);
  const view = useComputed(() => viewCard(door.card.value, site.lostSince.value, site.clock.value, site.now.value));
  const face = useComputed(() => JSON.stringify({ ...view.value, provenance: "", lease: null }));
  const provenance = useComputed(() => view.value.provenance);
  face.value; // what follows is drawn again only when this changes; ages and the lease tick on their own
  const { state, word, tone, signal, whyNotOpen, canLock, failure, openLabel } = view.peek();
  const { status, pending } = door.card.value;
  const id = `door-${door.id}`;
  const [mayOpen, mayLock] = [site.may("door.open", door.id), site.may("door.lock", door.id)];
  const mayWork = mayOpen || mayLock;
  const open = (): void => {
    void site.order(door, "open", reason.current?.value ?? "");
    if (reason.current) reason.current.value = "";
  };
  return (
    <article class={`door panel ${tone}`} data-testid={id} aria-labelledby={`${id}-title`}>
      <header>
        <h3 id={`${id}-title`}>
          {status.name}
          {status.virtual && <span class="chip">{SAY.virtual}</span>}
          {!status.signed && (
            <span class="chip" title={SAY.whyUnsigned} data-testid={`${id}-unsigned`}>
              {SAY.unsigned}
            </span>
          )}
        </h3>
        {signal && (
          <span class="signal" title={SAY.signal}>
            <SignalBars bars={signal.bars} />
            {signal.text}
          </span>
        )}
      </header>
      <div class="face">
        <DoorIcon state={state} />
        <p class="word" data-testid={`${id}-state`} data-state={state} role="status" aria-live="polite">
          {word}
        </p>
      </div>
      <LeaseBar id={`${id}-lease`} view={view} />
      <p class="provenance">
        {provenance}
        <br />
        {view.peek().history}
      </p>
      {mayWork && (
        <label class="why">
          <span>
            {SAY.reason} <span class="optional">{SAY.optional}</span>
          </span>
          <input ref={reason} maxLength={200} autocomplete="off" data-testid={`${id}-reason`} />
        </label>
      )}
      {mayWork && (
        <div class="orders">
          {mayOpen && (
            <HoldButton
              testid={`${id}-open`}
              label={pending === "open" ? SAY.opening : openLabel}
              why={whyNotOpen}
              onHeld={open}
            />
          )}
          {mayLock && (
            <button
              type="button"
              class="lock"
              data-testid={`${id}-lock`}
              aria-disabled={!canLock}
              onClick={() => canLock && site.order(door, "lock", reason.current?.value ?? "")}
            >
              {pending === "lock" ? SAY.locking : SAY.lock}
            </button>
          )}
        </div>
      )}
      <p class="problem" role="alert" data-testid={`${id}-error`} hidden={failure === null}>
        {failure}
      </p>
    </article>
  );
}

interface LeaseProps {
  readonly id: string;
  readonly view: { readonly value: ReturnType<typeof viewCard> };
}

/** The place for it is kept when no opening runs: nothing on the card moves under a finger. */
function LeaseBar({ id, view }: LeaseProps): JSX.Element {
  const { left, text } = view.value.lease;
  if (left === null) {
    return (
      <div class="lease idle">
        <p>{text}</p>
        <div class="track" />
      </div>
    );
  }
  return (
    <div class="lease" data-testid={id}>
      <p>{text}</p>
      <progress max={1} value={left} aria-label={SAY.lease} />
    </div>
  );
}
