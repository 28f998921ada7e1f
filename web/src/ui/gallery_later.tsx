import type { Site } from "../site";
import { later } from "./later";

export const GalleryPage = later<{ readonly site: Site }>(async () => {
  const { GalleryPage } = await import("./gallery");
  return GalleryPage;
});
