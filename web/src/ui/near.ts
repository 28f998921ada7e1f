// A list that goes on when its end comes near.

import { useSignalEffect } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** How far below the screen the end may be: a screen ahead, so that somebody who scrolls doesn't wait. */
const AHEAD = "800px";

/**
 * Call `more` when the returned mark, which stands at the end of a list, comes near the screen, and again while it
 * stays there: a page of which little was wanted may leave the end in sight, and then nothing crosses the mark.
 * `wanted` reads signals; `owner` is whose list it is.
 */
export function useNearEnd(
  owner: unknown,
  wanted: () => boolean,
  more: () => Promise<void>,
): RefObject<HTMLDivElement> {
  const mark = useRef<HTMLDivElement>(null);
  const near = useRef(false);
  useEffect(() => {
    if (mark.current === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        near.current = entries.some(({ isIntersecting }) => isIntersecting);
        if (near.current) void more();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [owner]);
  useSignalEffect(() => {
    if (wanted() && near.current) setTimeout(() => void more(), 0);
  });
  return mark;
}
