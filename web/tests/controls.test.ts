import { expect, test } from "vitest";
import { chose, lost, NO_CONTROLS, next, sent, spell, told, viewControls, whyNot } from "../src/model/controls";
import type { CameraSettings, Setting } from "../src/model/types";

function setting(changes: Partial<Setting>): Setting {
  const nothing = { minimum: null, maximum: null, unit: null, note: null, options: [] };
  return {
    name: "",
    label: "",
    kind: "number",
    ...nothing,
    wished: null,
    taken: null,
    said: null,
    told: null,
    ...changes,
  };
}

const FPS = setting({
  name: "fps",
  minimum: 1,
  maximum: 30,
  unit: "1/s",
  wished: 15,
  taken: 15,
  said: "15 (actual: 12.3)",
});
const QUALITY = setting({ name: "quality", minimum: 5, maximum: 63, wished: 12, taken: 20, said: "20" });
const SIZE = setting({
  name: "resolution",
  kind: "choice",
  options: [
    { value: 5, label: "VGA 640x480", note: null },
    { value: 8, label: "HD 1280x720", note: null },
  ],
  wished: 8,
  taken: 8,
  said: "8 (HD (1280x720))",
});
const FLIP = setting({ name: "vflip", kind: "switch" });
const SETTINGS: CameraSettings = { camera: "garden", device: "x", reason: null, settings: [FPS, QUALITY, SIZE, FLIP] };
const KNOWN = told(NO_CONTROLS, SETTINGS);

function view(state: typeof KNOWN, name: string) {
  const found = viewControls(state).find((one) => one.setting.name === name);
  if (!found) throw new Error(name);
  return found;
}

test("each control shows what the camera says, what was asked of it, and whether they differ", () => {
  expect(view(KNOWN, "fps")).toMatchObject({
    value: 15,
    wished: "15",
    taken: "15 (actual: 12.3)",
    differs: false,
    busy: false,
  });
  expect(view(KNOWN, "quality")).toMatchObject({ value: 20, wished: "12", taken: "20", differs: true });
  expect(view(KNOWN, "resolution")).toMatchObject({ value: 8, wished: "HD 1280x720", taken: "HD 1280x720" });
  expect(view(KNOWN, "vflip")).toMatchObject({ value: null, wished: null, taken: null, differs: false });
});

test("words that mean nothing are shown as they are", () => {
  const odd = told(NO_CONTROLS, { ...SETTINGS, settings: [{ ...QUALITY, taken: null, said: "perhaps" }] });
  expect(view(odd, "quality")).toMatchObject({ value: 12, taken: "perhaps", differs: false });
});

test("one goes out at a time, of several choices for one the last, in the order of choosing", () => {
  let state = next(chose(chose(KNOWN, "fps", 10), "vflip", true));
  expect(state.sending).toEqual(["fps", 10]);
  expect(view(state, "fps")).toMatchObject({ value: 10, busy: true });
  state = chose(chose(chose(state, "quality", 30), "fps", 11), "fps", 12);
  expect(next(state)).toBe(state);
  const order: unknown[] = [];
  for (let turn = 0; turn < 5; turn++) {
    state = next(sent(state, null));
    order.push(state.sending);
  }
  expect(order).toEqual([["vflip", true], ["quality", 30], ["fps", 12], null, null]);
  expect(view(state, "fps")).toMatchObject({ value: 15, busy: false });
});

test("a refusal stays at its setting until that is chosen anew, and the value is the camera's", () => {
  const refused = sent(next(chose(KNOWN, "fps", 30)), 'fps: the camera answered "no"');
  expect(view(refused, "fps")).toMatchObject({ value: 15, busy: false, failure: 'fps: the camera answered "no"' });
  expect(view(refused, "quality").failure).toBeNull();
  expect(view(chose(refused, "fps", 9), "fps").failure).toBeNull();
});

test("what wasn't sent when the connection went is not sent later", () => {
  const state = lost(chose(next(chose(KNOWN, "fps", 10)), "quality", 30));
  expect(next(sent(state, "The connection was lost.")).sending).toBeNull();
});

test("an answer to nothing changes nothing", () => {
  expect(sent(KNOWN, "late")).toBe(KNOWN);
});

test("why nothing can be set is said", () => {
  expect(whyNot(KNOWN, false)).toBeNull();
  expect(whyNot(KNOWN, true)).toMatch(/No connection to the server/);
  expect(whyNot(NO_CONTROLS, false)).toMatch(/Asking/);
  const away = told(NO_CONTROLS, { ...SETTINGS, reason: "camera garden is not connected" });
  expect(whyNot(away, false)).toBe("Camera garden is not connected.");
});

test("values are spelt for people", () => {
  expect([spell(FLIP, true), spell(FLIP, false), spell(SIZE, 5), spell(SIZE, 99), spell(FPS, 3)]).toEqual([
    "on",
    "off",
    "VGA 640x480",
    "99",
    "3",
  ]);
});
