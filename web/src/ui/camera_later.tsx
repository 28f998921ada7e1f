import type { Site } from "../site";
import { later } from "./later";

export interface CameraPageProps {
  readonly site: Site;
  readonly id: string;
}

export const CameraPage = later<CameraPageProps>(async () => {
  const { CameraPage } = await import("./camera_page");
  return CameraPage;
});
