import type { Site } from "../site";
import { later } from "./later";

export const MeasurementsPage = later<{ readonly site: Site }>(async () => {
  const { MeasurementsPage } = await import("./measuring_pages");
  return MeasurementsPage;
});

export const TeamPage = later<{ readonly site: Site; readonly team: number }>(async () => {
  const { TeamPage } = await import("./measuring_pages");
  return TeamPage;
});

export const ScreenPage = later<{ readonly site: Site }>(async () => {
  const { ScreenPage } = await import("./measuring_pages");
  return ScreenPage;
});
