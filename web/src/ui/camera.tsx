import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { viewTile } from "../model/camera";
import { spoken } from "../model/language";
import { fragment } from "../model/route";
import type { Frame } from "../model/types";
import { Painter } from "../painter";
import type { CameraCell, Site } from "../site";

const SAY = spoken(
  {
    virtual: "virtual",
    age: "Age of this picture",
    delay: "From the server’s receipt of this picture to its drawing here",
    rate: "Pictures per second drawn here",
    size: "Size of the picture",
    picture: (name: string) => `Picture of ${name}`,
  },
  {
    virtual: "virtual",
    age: "Umur gambar ini",
    delay: "Dari diterimanya gambar ini oleh server sampai digambar di sini",
    rate: "Gambar per detik yang ditampilkan di sini",
    size: "Ukuran gambar",
    picture: (name: string) => `Gambar ${name}`,
  },
);

interface Props {
  readonly site: Site;
  readonly camera: CameraCell;
}

export function CameraTile({ site, camera }: Props): JSX.Element {
  const view = useComputed(() => viewTile(camera.tile.value, site.lostSince.value, site.clock.value, site.now.value));
  const about = useComputed(() => {
    const { word, tone, present } = view.value;
    return `${word}\n${tone}\n${present}`;
  });
  const notice = useComputed(() => view.value.notice);
  const isQuiet = useComputed(() => view.value.notice === null);
  const age = useComputed(() => view.value.age);
  const delay = useComputed(() => view.value.delay);
  const rate = useComputed(() => view.value.rate);
  const size = useComputed(() => view.value.size);
  about.value; // what follows is drawn again only when this changes; the figures are text nodes of their own
  const { word, tone, present } = view.peek();
  const { name, virtual } = camera.tile.value.status;
  const title = `camera-${camera.id}-title`;
  return (
    <article class={`camera ${tone}`} data-testid={`camera-${camera.id}`} aria-labelledby={title}>
      <div class={present ? "stage" : "stage past"}>
        <Screen site={site} camera={camera} name={name} />
        <p class="notice" hidden={isQuiet}>
          {notice}
        </p>
      </div>
      <div class="caption">
        <h3 id={title}>
          <a href={fragment({ page: "camera", id: camera.id })} data-testid={`camera-${camera.id}-link`}>
            {name}
          </a>
          {virtual && <span class="chip">{SAY.virtual}</span>}
        </h3>
        <span class={`pill ${tone}`} data-testid={`camera-${camera.id}-state`} role="status">
          {word}
        </span>
        <p class="figures">
          <span data-testid={`camera-${camera.id}-age`} title={SAY.age}>
            {age}
          </span>
          <span data-testid={`camera-${camera.id}-delay`} title={SAY.delay}>
            {delay}
          </span>
          <span data-testid={`camera-${camera.id}-rate`} title={SAY.rate}>
            {rate}
          </span>
          <span title={SAY.size}>{size}</span>
        </p>
      </div>
    </article>
  );
}

/** The canvas that a camera's frames are drawn on. */
export function Screen({ site, camera, name }: Props & { readonly name: string }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current === null) return;
    const painter = new Painter<Frame>(
      canvas.current,
      (frame, width, height) => site.drew(camera, frame, width, height),
      (frame) => site.skipped(frame),
    );
    return site.watch(camera, canvas.current, (frame) => painter.show(frame));
  }, [site, camera]);
  return <canvas ref={canvas} width="640" height="480" role="img" aria-label={SAY.picture(name)} />;
}
