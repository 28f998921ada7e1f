// Every address of the server that the dashboard uses: the names and templates of gatekeeper/uris.py.
// A test of the server holds this table to that one, so it stays plain string literals.

export const uris = {
  REALM: "gatekeeper",
  WEBSOCKET_PATH: "/ws",

  LOGIN: "/login",
  LOGOUT: "/logout",
  WHOAMI: "/api/access/me",
  NEW_TOKEN: "/api/access/token",

  CALL_SYSTEM_STATUS: "gatekeeper.system.status",
  CALL_SYSTEM_TIME: "gatekeeper.system.time",
  CALL_CAMERA_LIST: "gatekeeper.camera.list",
  CALL_DOOR_LIST: "gatekeeper.door.list",
  CALL_DOOR_OPEN: "gatekeeper.door.open",
  CALL_DOOR_LOCK: "gatekeeper.door.lock",
  CALL_EVENT_RECENT: "gatekeeper.event.recent",

  TOPIC_CAMERA_FRAME: "gatekeeper.camera.<camera>.frame",
  TOPIC_CAMERA_STATE: "gatekeeper.camera.<camera>.state",
  TOPIC_DOOR_STATE: "gatekeeper.door.<door>.state",
  TOPIC_EVENT: "gatekeeper.event",
} as const;

/** Return a template with its ids filled in. */
export function fill(template: string, ids: Readonly<Record<string, string>>): string {
  return template.replace(/<(\w+)>/g, (_, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new RangeError(`${template} needs ${name}`);
    return id;
  });
}
