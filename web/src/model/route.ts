// Which page is shown: the address's fragment, so that a reload, a bookmark and the back button work without a server.

import { type Filter, GROUPS, NO_FILTER, OUTCOMES } from "./filter";

export type Route =
  | { readonly page: "live" }
  | { readonly page: "camera"; readonly id: string }
  | { readonly page: "adding" }
  | { readonly page: "editing"; readonly id: string }
  | { readonly page: "events"; readonly filter: Filter }
  | { readonly page: "event"; readonly id: string }
  | { readonly page: "measurements" }
  | { readonly page: "team"; readonly team: number }
  | { readonly page: "screen" }
  | { readonly page: "pictures"; readonly camera: string | null; readonly day: string | null }
  | { readonly page: "people" }
  | { readonly page: "account" };

export type Page = Route["page"];

const FIELDS = ["group", "subject", "actor", "outcome", "day"] as const;

/** Read a fragment such as "#/events?group=doors"; what is not known is the live page. */
export function parse(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#\/?/, "").split("?", 2);
  const [page, id, more] = path.split("/").map(decoded);
  if (page === "cameras" && id === "new") return { page: "adding" };
  if (page === "cameras" && id && more === "edit") return { page: "editing", id };
  if (page === "cameras" && id) return { page: "camera", id };
  if (page === "events" && id) return { page: "event", id };
  if (page === "events") return { page: "events", filter: filterOf(new URLSearchParams(query)) };
  if (page === "measurements") return measured(id, more);
  if (page === "pictures") {
    const wanted = new URLSearchParams(query);
    return { page, camera: wanted.get("camera") || null, day: dayIn(wanted.get("day")) };
  }
  if (page === "people" || page === "account") return { page };
  return { page: "live" };
}

function measured(id: string | undefined, detail: string | undefined): Route {
  if (id === "screen") return { page: "screen" };
  const team = id === "teams" && /^[1-9]\d?$/.test(detail ?? "") ? Number(detail) : null;
  return team === null ? { page: "measurements" } : { page: "team", team };
}

function dayIn(text: string | null): string | null {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % that somebody typed
  }
}

function filterOf(query: URLSearchParams): Filter {
  const one = <Choice extends string>(field: string, choices: readonly Choice[], otherwise: Choice): Choice =>
    choices.find((choice) => choice === query.get(field)) ?? otherwise;
  return {
    group: one("group", GROUPS, NO_FILTER.group),
    outcome: one("outcome", OUTCOMES, NO_FILTER.outcome),
    subject: query.get("subject") || null,
    actor: query.get("actor") || null,
    day: query.get("day") || null,
  };
}

/** Return the fragment of a page: what `parse` reads back. */
export function fragment(route: Route): string {
  switch (route.page) {
    case "adding":
      return "#/cameras/new";
    case "editing":
      return `#/cameras/${encodeURIComponent(route.id)}/edit`;
    case "live":
      return "#/";
    case "camera":
      return `#/cameras/${encodeURIComponent(route.id)}`;
    case "event":
      return `#/events/${encodeURIComponent(route.id)}`;
    case "team":
      return `#/measurements/teams/${route.team}`;
    case "screen":
      return "#/measurements/screen";
    case "pictures": {
      const query = new URLSearchParams();
      if (route.camera !== null) query.set("camera", route.camera);
      if (route.day !== null) query.set("day", route.day);
      return query.size ? `#/pictures?${query}` : "#/pictures";
    }
    case "events": {
      const query = new URLSearchParams();
      for (const field of FIELDS) {
        const value = route.filter[field];
        if (value !== null && value !== NO_FILTER[field]) query.set(field, value);
      }
      return query.size ? `#/events?${query}` : "#/events";
    }
    default:
      return `#/${route.page}`;
  }
}
