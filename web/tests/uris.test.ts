import { expect, test } from "vitest";
import { fill, uris } from "../src/uris";

test("a template is filled with its ids", () => {
  expect(fill(uris.TOPIC_CAMERA_STATE, { camera: "front-door" })).toBe("gatekeeper.camera.front-door.state");
});

test("a template without its id is an error, not an address", () => {
  expect(() => fill(uris.TOPIC_DOOR_STATE, { camera: "yard" })).toThrow(RangeError);
});
