// The pages of measurements, which are fetched together when somebody opens one of them.

import "../styles/measurements.css";

export { MeasurementsPage } from "./measurements";
export { ScreenPage } from "./screen";
export { TeamPage } from "./team";
