import { expect, test } from "vitest";
import {
  asked,
  begin,
  byHour,
  clock,
  daysTold,
  deleted,
  failed,
  type Gallery,
  kept,
  neighbour,
  opened,
  pageTold,
  total,
  turned,
  turnOf,
  wantsMore,
} from "../src/model/gallery";
import type { Snapshot, SnapshotDays } from "../src/model/types";

const DAY = "2026-11-28";

function picture(id: string, local = "15:08:40", more: Partial<Snapshot> = {}): Snapshot {
  return {
    id,
    camera: "yard",
    day: DAY,
    time: 1_795_878_520,
    local: `${DAY}T${local}+0100`,
    why: "interval",
    event: null,
    who: null,
    width: 640,
    height: 480,
    size: 30_000,
    sha256: "00",
    ...more,
  };
}

function days(...counts: readonly [string, number][]): SnapshotDays {
  const list = counts.map(([day, pictures]) => ({ camera: "yard", day, pictures }));
  return { zone: "CET (UTC+01:00)", today: "2026-11-29", days: list };
}

function shown(...ids: readonly string[]): Gallery {
  const told = daysTold(begin("yard", DAY), days(["2026-11-29", 2], [DAY, ids.length]));
  return pageTold(
    asked(told),
    ids.map((id) => picture(id)),
    null,
  );
}

const ids = ({ pictures }: Gallery): string => pictures.map(({ id }) => id).join("");

test("without a wish the newest day is shown, and today if there is none", () => {
  expect(daysTold(begin("yard", null), days([DAY, 3])).day).toBe(DAY);
  expect(daysTold(begin("yard", null), days()).day).toBe("2026-11-29");
  expect(daysTold(begin("yard", "2026-01-01"), days([DAY, 3])).day).toBe("2026-01-01");
});

test("pictures come page by page, in their order and none twice", () => {
  let gallery = daysTold(begin("yard", DAY), days([DAY, 5]));
  expect(wantsMore(begin("yard", null))).toBe(false);
  expect(wantsMore(gallery)).toBe(true);
  gallery = asked(gallery);
  expect(wantsMore(gallery)).toBe(false);
  gallery = pageTold(gallery, [picture("A"), picture("B")], "B");
  expect([ids(gallery), gallery.next, gallery.complete, total(gallery)]).toEqual(["AB", "B", false, 5]);
  gallery = pageTold(asked(gallery), [picture("C"), picture("B")], null);
  expect([ids(gallery), gallery.next, gallery.complete]).toEqual(["ABC", "C", true]);
  expect(wantsMore(gallery)).toBe(false);
});

test("after a failure nothing is asked until somebody tries again", () => {
  const gallery = failed(asked(daysTold(begin("yard", DAY), days())), "no connection");
  expect([gallery.failure, gallery.loading, wantsMore(gallery)]).toEqual(["no connection", false, false]);
  expect(asked(gallery).failure).toBeNull();
});

test("a picture that was kept is shown where it belongs, and counted once", () => {
  const before = shown("A", "B");
  const after = kept(before, picture("C"));
  expect([ids(after), total(after)]).toEqual(["ABC", 3]);
  expect(kept(after, picture("C"))).toEqual(after);
  const other = kept(before, picture("D", "00:00:01", { day: "2026-11-29" }));
  expect([ids(other), other.days?.days[0]?.pictures]).toEqual(["AB", 3]);
  const first = kept(shown("A"), picture("E", "00:00:01", { day: "2026-11-30" }));
  expect(first.days?.days[0]).toEqual({ camera: "yard", day: "2026-11-30", pictures: 1 });
  expect(kept(before, picture("F", "15:00:00", { camera: "hall" }))).toBe(before);
});

test("what comes before the rest of the day is known is shown when that is", () => {
  const half = pageTold(asked(daysTold(begin("yard", DAY), days([DAY, 9]))), [picture("A")], "A");
  expect([ids(kept(half, picture("Z"))), total(kept(half, picture("Z")))]).toEqual(["A", 10]);
});

test("a picture that was deleted gives its place to the next one, or the one before", () => {
  const gallery = { ...shown("A", "B", "C"), open: "B" };
  const middle = deleted(gallery, "B");
  expect([ids(middle), middle.open, total(middle)]).toEqual(["AC", "C", 2]);
  const last = deleted(middle, "C");
  expect([ids(last), last.open]).toEqual(["A", "A"]);
  const none = deleted(last, "A");
  expect([ids(none), none.open, none.days?.days.map(({ day }) => day)]).toEqual(["", null, ["2026-11-29"]]);
  expect(deleted(gallery, "A").open).toBe("B");
});

test("pictures are put together by the hour of the server's clock", () => {
  const list = [picture("A", "07:59:59"), picture("B", "08:00:00"), picture("C", "08:30:00")];
  expect(byHour(list).map(({ label, pictures }) => [label, pictures.length])).toEqual([
    ["07:00", 1],
    ["08:00", 2],
  ]);
  expect(list.map(clock)).toEqual(["07:59:59", "08:00:00", "08:30:00"]);
  expect(byHour([])).toEqual([]);
});

test("keys go from one picture to the next, and stop at the ends", () => {
  let gallery: Gallery = { ...shown("A", "B", "C"), open: "A" };
  expect(opened(gallery)?.id).toBe("A");
  const press = (key: string): string | null => {
    const turn = turnOf(key);
    if (turn) gallery = turned(gallery, turn);
    return gallery.open;
  };
  expect(press("ArrowLeft")).toBe("A");
  expect(press("ArrowRight")).toBe("B");
  expect(press("End")).toBe("C");
  expect(press("ArrowRight")).toBe("C");
  expect(press("ArrowLeft")).toBe("B");
  expect(press("Home")).toBe("A");
  expect(press("x")).toBe("A");
  expect([neighbour(gallery, -1), neighbour(gallery, 1)]).toEqual([null, "B"]);
});

test("while none is large the keys do nothing", () => {
  const gallery = shown("A", "B");
  expect([turned(gallery, "on"), opened(gallery), neighbour(gallery, 1)]).toEqual([gallery, null, null]);
  expect(turned({ ...shown(), open: "A" }, "last").open).toBe("A");
});
