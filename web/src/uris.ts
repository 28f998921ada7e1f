// Every address of the server that the dashboard uses: the names and templates of gatekeeper/uris.py.
// A test of the server holds this table to that one, so it stays plain string literals.

export const uris = {
  REALM: "gatekeeper",
  WEBSOCKET_PATH: "/ws",

  LOGIN: "/login",
  LOGOUT: "/logout",
  SETUP: "/api/access/setup",
  WHOAMI: "/api/access/me",
  PASSWORD: "/api/access/password",
  LOGINS: "/api/access/logins",
  END_LOGINS: "/api/access/logins/end",
  KEYS: "/api/access/keys",
  REVOKE_KEY: "/api/access/keys/<key>",
  USERS: "/api/access/users",
  CHANGE_USER: "/api/access/users/<user>",
  GRANT: "/api/access/users/<user>/grants/<kind>/<thing>",
  STREAM: "/cameras/<camera>/stream.mjpg",
  SNAPSHOT: "/cameras/<camera>/snapshot.jpg",
  FEED_STREAM: "/cameras/<camera>/feeds/<feed>/stream.mjpg",
  FEED_SNAPSHOT: "/cameras/<camera>/feeds/<feed>/snapshot.jpg",
  EVENTS: "/events",
  EVENT: "/events/<event>",
  EVENT_FRAME: "/events/<event>/frames/<number>.jpg",
  EVENT_EXPORT: "/events/<event>/export.zip",
  EVENT_VERIFY: "/events/<event>/verification",
  EVENT_HOLD: "/events/<event>/hold",
  MEASUREMENT_EXPORT: "/measurements/samples.<extension>",

  PICTURE: "/pictures/<picture>.jpg",
  PICTURE_SMALL: "/pictures/<picture>/thumbnail.jpg",
  TIMELAPSE: "/cameras/<camera>/timelapse/<day>.mp4",
  TIMELAPSE_STATE: "/cameras/<camera>/timelapse/<day>",

  CALL_SYSTEM_STATUS: "gatekeeper.system.status",
  CALL_SYSTEM_TIME: "gatekeeper.system.time",
  CALL_CAMERA_LIST: "gatekeeper.camera.list",
  CALL_CAMERA_SETTINGS: "gatekeeper.camera.settings",
  CALL_CAMERA_SET: "gatekeeper.camera.set",
  CALL_CAMERA_TELEMETRY: "gatekeeper.camera.telemetry",
  CALL_CAMERA_WATCH: "gatekeeper.camera.watch",
  CALL_CAMERA_CREDIT: "gatekeeper.camera.credit",
  CALL_CAMERA_STRANGERS: "gatekeeper.camera.strangers",
  CALL_CAMERA_TRY: "gatekeeper.camera.try",
  CALL_CAMERA_ADD: "gatekeeper.camera.add",
  CALL_CAMERA_CHANGE: "gatekeeper.camera.change",
  CALL_CAMERA_REMOVE: "gatekeeper.camera.remove",
  CALL_CAMERA_KEEP: "gatekeeper.camera.keep",
  CALL_PICTURE_LIST: "gatekeeper.picture.list",
  CALL_PICTURE_DAYS: "gatekeeper.picture.days",
  CALL_PICTURE_DELETE: "gatekeeper.picture.delete",
  CALL_DOOR_LIST: "gatekeeper.door.list",
  CALL_DOOR_OPEN: "gatekeeper.door.open",
  CALL_DOOR_LOCK: "gatekeeper.door.lock",
  CALL_EVENT_LIST: "gatekeeper.event.list",
  CALL_EVENT_FOLLOW: "gatekeeper.event.follow",
  CALL_MEASUREMENT_STATUS: "gatekeeper.measurement.status",
  CALL_MEASUREMENT_START: "gatekeeper.measurement.start",
  CALL_MEASUREMENT_STOP: "gatekeeper.measurement.stop",
  CALL_MEASUREMENT_TAP: "gatekeeper.measurement.tap",
  CALL_MEASUREMENT_CATEGORY: "gatekeeper.measurement.category",
  CALL_MEASUREMENT_COLLAPSE: "gatekeeper.measurement.collapse",
  CALL_MEASUREMENT_SESSIONS: "gatekeeper.measurement.sessions",
  CALL_MEASUREMENT_STATISTICS: "gatekeeper.measurement.statistics",
  CALL_MEASUREMENT_CHART: "gatekeeper.measurement.chart",

  TOPIC_CHANGED: "gatekeeper.system.changed",
  TOPIC_CAMERA_STATE: "gatekeeper.camera.<camera>.state",
  TOPIC_CAMERA_TELEMETRY: "gatekeeper.camera.<camera>.telemetry",
  TOPIC_DOOR_STATE: "gatekeeper.door.<door>.state",
  TOPIC_MEASUREMENT_STATE: "gatekeeper.measurement.state",
  TOPIC_MEASUREMENT_SAMPLE: "gatekeeper.measurement.team.<team>.sample",
  TOPIC_MEASUREMENT_STATISTICS: "gatekeeper.measurement.team.<team>.statistics",
  TOPIC_MEASUREMENT_SAMPLES: "gatekeeper.measurement.samples",
} as const;

/** Return a template with its ids filled in; for an HTTP path each is escaped. */
export function fill(template: string, ids: Readonly<Record<string, string | number>>): string {
  return template.replace(/<(\w+)>/g, (_, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new RangeError(`${template} needs ${name}`);
    return encodeURIComponent(id);
  });
}
