// A page that is fetched when somebody opens it: the board doesn't carry it.

import { useSignal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { spoken } from "../model/language";

const SAY = spoken(
  { loading: "Loading…", failed: "This page could not be fetched from the server." },
  { loading: "Memuat…", failed: "Halaman ini tidak dapat diambil dari server." },
);

/** Return a component that fetches the one it stands for. */
export function later<Props extends object>(fetch: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  return function Later(props: Props): JSX.Element {
    const page = useSignal<{ readonly Page: ComponentType<Props> } | null>(null);
    const failed = useSignal(false);
    useEffect(() => {
      fetch().then(
        (Page) => {
          page.value = { Page };
        },
        () => {
          failed.value = true;
        },
      );
    }, []);
    if (page.value !== null) return <page.value.Page {...props} />;
    return (
      <main class="pages">
        {failed.value ? (
          <p class="problem" role="alert">
            {SAY.failed}
          </p>
        ) : (
          <p class="empty">{SAY.loading}</p>
        )}
      </main>
    );
  };
}
