import { describe, expect, test } from "vitest";
import { adopting, changes, EMPTY, facts, problem, suggested, table, wayProblem } from "../src/model/adding";

const YARD = { ...EMPTY, address: " http://10.0.0.1/ ", name: "The yard", id: "the-yard" };
const STRANGER = { address: "10.0.0.9", path: "/", id: null, frames: 3, width: 640, height: 480 };

describe("the id that a name suggests", () => {
  test.each([
    ["The Café, rear", "the-cafe-rear"],
    ["  Ayam #2 ", "ayam-2"],
    ["門", ""],
    ["x".repeat(60), "x".repeat(40)],
    [`${"x".repeat(39)} y`, "x".repeat(39)],
  ])("%s", (name, id) => expect(suggested(name)).toBe(id));
});

test("what is missing is said, one thing at a time", () => {
  expect(problem(EMPTY, [], false)).toContain("id");
  expect(problem({ ...YARD, id: "The Yard" }, [], false)).toContain("lower-case");
  expect(problem({ ...YARD, id: "new" }, [], false)).toContain("page");
  expect(problem(YARD, ["the-yard"], false)).toContain("already");
  expect(problem({ ...YARD, address: " " }, [], false)).toContain("address");
  expect(problem({ ...YARD, username: "ana" }, [], false)).toContain("together");
  expect(problem({ ...YARD, way: "push" }, [], false)).toContain("tells");
  expect(problem(YARD, ["yard"], false)).toBeNull();
  expect(wayProblem({ ...EMPTY, address: "http://x/" }, false), "a test needs no name").toBeNull();
});

test("what is left empty is no key of the table", () => {
  expect(table(YARD)).toEqual({ id: "the-yard", name: "The yard", url: "http://10.0.0.1/" });
  const more = { ...YARD, way: "snapshot" as const, doors: ["front"], username: "a", password: "b" };
  expect(table(more)).toEqual({
    id: "the-yard",
    name: "The yard",
    doors: ["front"],
    snapshot: "http://10.0.0.1/",
    username: "a",
    password: "b",
  });
  expect(table({ ...YARD, way: "push", push: { path: "/s3", device: "", address: "" } })).toEqual({
    id: "the-yard",
    name: "The yard",
    push: { path: "/s3" },
  });
});

test("only what was changed is sent; an address that is left empty stays", () => {
  const form = { ...EMPTY, id: "yard", name: "The yard", doors: ["front"] };
  expect(changes(form, "The yard", ["front"])).toEqual({});
  expect(changes(form, "yard", [])).toEqual({ name: "The yard", doors: ["front"] });
  expect(changes({ ...form, name: " ", doors: [] }, "yard", ["front"])).toEqual({ name: null, doors: null });
  expect(changes({ ...form, address: "http://x/" }, "The yard", ["front"])).toEqual({ url: "http://x/" });
  expect(problem(form, ["yard"], true)).toBeNull();
});

test("a stranger is told by the best that it says of itself", () => {
  expect(adopting({ ...STRANGER, id: "Kitchen cam" })).toMatchObject({
    way: "push",
    id: "kitchen-cam",
    push: { device: "Kitchen cam", path: "" },
  });
  expect(adopting({ ...STRANGER, path: "/s3" })).toMatchObject({
    id: "s3",
    push: { path: "/s3", device: "", address: "" },
  });
  expect(adopting(STRANGER)).toMatchObject({ id: "", push: { address: "10.0.0.9", path: "" } });
});

test("what is said of a picture that came", () => {
  const tried = { picture: "", reason: null, width: 640, height: 480, size: 41_900, fps: 8.1 };
  expect(facts(tried)).toBe("640 × 480, 42 kB, 8.1 pictures per second");
  expect(facts({ ...tried, fps: null })).toBe("640 × 480, 42 kB");
});
