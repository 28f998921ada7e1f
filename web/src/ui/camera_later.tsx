// A camera's page is fetched when somebody opens one: the board doesn't carry it.

import { useSignal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Site } from "../site";

const SAY = {
  loading: "Loading…",
  failed: "This page could not be fetched from the server.",
};

export interface CameraPageProps {
  readonly site: Site;
  readonly id: string;
}

export function CameraPage(props: CameraPageProps): JSX.Element {
  const page = useSignal<{ readonly Page: ComponentType<CameraPageProps> } | null>(null);
  const failed = useSignal(false);
  useEffect(() => {
    import("./camera_page").then(
      (found) => {
        page.value = { Page: found.CameraPage };
      },
      () => {
        failed.value = true;
      },
    );
  }, []);
  if (page.value !== null) return <page.value.Page {...props} key={props.id} />;
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
}
