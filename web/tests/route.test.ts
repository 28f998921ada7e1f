import { expect, test } from "vitest";
import { NO_FILTER } from "../src/model/filter";
import { fragment, parse, type Route } from "../src/model/route";

const routes: readonly [string, Route][] = [
  ["#/", { page: "live" }],
  ["#/events", { page: "events", filter: NO_FILTER }],
  [
    "#/events?group=doors&actor=ana&day=2026-11-28",
    { page: "events", filter: { ...NO_FILTER, group: "doors", actor: "ana", day: "2026-11-28" } },
  ],
  ["#/events/01K0ABC", { page: "event", id: "01K0ABC" }],
  ["#/cameras/garden", { page: "camera", id: "garden" }],
  ["#/measurements", { page: "measurements" }],
  ["#/measurements/teams/8", { page: "team", team: 8 }],
  ["#/measurements/screen", { page: "screen" }],
  ["#/pictures", { page: "pictures", camera: null, day: null }],
  ["#/pictures?camera=yard&day=2026-11-28", { page: "pictures", camera: "yard", day: "2026-11-28" }],
  ["#/people", { page: "people" }],
  ["#/account", { page: "account" }],
];

test.each(routes)("%s is a page, and the page is it again", (text, route) => {
  expect(parse(text)).toEqual(route);
  expect(fragment(route)).toBe(text);
});

test.each(["", "#", "#/nowhere", "#people/"])("%s is a page too", (text) => {
  expect(["live", "people"]).toContain(parse(text).page);
});

test.each(["#/measurements/teams", "#/measurements/teams/0", "#/measurements/teams/x", "#/measurements/nonsense"])(
  "%s is all teams",
  (text) => {
    expect(parse(text)).toEqual({ page: "measurements" });
  },
);

test("what somebody makes of an address by hand breaks nothing", () => {
  expect(parse("#/events/%")).toEqual({ page: "event", id: "%" });
  expect(parse("#/pictures?day=yesterday")).toEqual({ page: "pictures", camera: null, day: null });
  expect(parse("#/events?group=nonsense&outcome=odd")).toEqual({ page: "events", filter: NO_FILTER });
});
