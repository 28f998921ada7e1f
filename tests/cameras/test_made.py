"""A feed that is made of a camera's: once a frame however many look, never while nobody does, and with its states."""

import time
from typing import Any

import cv2
import numpy as np
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.made import PATIENCE, MadeFeed
from gatekeeper.cameras.transcoding import Made, transcode
from gatekeeper.config_pictures import SecondFeed
from gatekeeper.errors import NoPicture, ProtocolError
from tests.gallery.pictures import NOON, number_of, result, shade


class Workshop:
    """A camera, a feed that is made of it, and its maker under the test's thumb."""

    def __init__(self, **wanted: Any) -> None:
        self.clock = Clock()
        self.source = Feed("yard", NOON)
        self.asked: list[tuple[bytes, str | None]] = []
        self.jobs: list[Deferred[Made]] = []
        self.by_hand = False
        self.feed = MadeFeed(
            self.source,
            SecondFeed(name="small", **{"maximum_fps": 60.0, **wanted}),
            label=lambda: "Yard",
            transcode=self._make,
            reactor=self.clock,
            local=time.gmtime,
        )

    def _make(self, jpeg: bytes, width: int, wanted: SecondFeed, text: str | None) -> "Deferred[Made]":
        self.asked.append((jpeg, text))
        job: Deferred[Made] = Deferred()
        self.jobs.append(job)
        if not self.by_hand:
            self.finish()
        return job

    def finish(self) -> None:
        """Let the oldest job end."""
        self.jobs.pop(0).callback(Made(b"made of " + self.asked[-1 - len(self.jobs)][0], 32, 24))

    def put(self, text: str = "a") -> None:
        self.source.put(text.encode(), 64, 48, self.clock.seconds(), NOON + self.clock.seconds())
        self.clock.advance(0)

    def look(self) -> tuple[Any, list[bytes]]:
        """Look on; return the subscription, and what is seen."""
        seen: list[bytes] = []

        def notify() -> None:
            frame = subscription.take()
            if frame is not None:
                seen.append(frame.jpeg)

        subscription = self.feed.subscribe(notify)
        self.clock.advance(0)
        return subscription, seen


def test_a_frame_is_made_once_however_many_look() -> None:
    shop = Workshop()
    viewers = [shop.look() for _ in range(20)]
    for number in range(10):
        shop.put(str(number))
        shop.clock.advance(0.1)
    assert [jpeg for jpeg, _ in shop.asked] == [str(number).encode() for number in range(10)]
    assert all(seen == [f"made of {number}".encode() for number in range(10)] for _, seen in viewers)
    assert shop.feed.made == 10


def test_nothing_is_made_while_nobody_looks() -> None:
    shop = Workshop()
    shop.put("a")
    assert shop.asked == []
    assert shop.source.subscribers == 0
    (first, seen), (second, _) = shop.look(), shop.look()
    assert seen == [b"made of a"]
    first.close()
    shop.clock.advance(1)
    shop.put("b")
    assert len(shop.asked) == 2
    second.close()
    shop.clock.advance(1)
    shop.put("c")
    assert len(shop.asked) == 2
    assert shop.source.subscribers == 0


def test_who_comes_later_never_sees_a_frame_from_before(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Workshop()
    subscription, _ = shop.look()
    shop.put("a")
    subscription.close()
    shop.clock.advance(5)
    shop.put("b")
    shop.by_hand = True
    later, seen = shop.look()
    assert later.take() is None
    shop.finish()
    assert seen == [b"made of b"]


def test_a_frame_keeps_its_number_and_its_moment() -> None:
    shop = Workshop()
    for _ in range(3):
        shop.put("a")
        shop.clock.advance(1)
    shop.look()
    made = shop.feed.newest
    assert made is not None
    assert (made.camera, made.sequence, made.received, made.wall) == ("yard", 3, 2.0, NOON + 2)
    assert (made.width, made.height) == (32, 24)


def test_what_comes_while_one_is_made_is_skipped_but_for_the_newest() -> None:
    shop = Workshop()
    shop.by_hand = True
    _, seen = shop.look()
    for text in "abcd":
        shop.put(text)
        shop.clock.advance(0.1)
    assert len(shop.jobs) == 1
    shop.finish()
    shop.finish()
    assert [jpeg for jpeg, _ in shop.asked] == [b"a", b"d"]
    assert seen == [b"made of a", b"made of d"]


def test_it_is_no_faster_than_it_may_be_and_then_has_the_newest() -> None:
    shop = Workshop(maximum_fps=2.0)
    _, seen = shop.look()
    for number in range(20):
        shop.put(str(number))
        shop.clock.advance(0.125)
    assert seen == [f"made of {number}".encode() for number in (0, 3, 7, 11, 15, 19)]


def test_its_states_are_its_cameras() -> None:
    shop = Workshop()
    heard: list[Any] = []
    shop.feed.observe(heard.append)
    assert shop.feed.condition == shop.source.condition
    _, seen = shop.look()
    shop.put("a")
    shop.source.change(CameraState.STALLED, "no picture for 2 s", NOON + 5)
    assert shop.feed.condition == shop.source.condition == heard[-1]
    assert shop.feed.newest is None
    assert [condition.state for condition in heard] == ["live", "stalled"]
    shop.feed.close()
    shop.put("b")
    assert shop.feed.condition.state == "stalled"
    assert seen == [b"made of a"]


def test_what_is_ready_when_the_camera_is_gone_is_not_shown() -> None:
    shop = Workshop()
    shop.by_hand = True
    _, seen = shop.look()
    shop.put("a")
    shop.source.change(CameraState.OFFLINE, "gone", NOON)
    shop.finish()
    assert (seen, shop.feed.newest) == ([], None)


def test_a_picture_that_cannot_be_made_is_counted_and_the_next_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Workshop()
    shop.by_hand = True
    _, seen = shop.look()
    shop.put("a")
    shop.jobs.pop(0).errback(Failure(ProtocolError("no JPEG")))
    assert shop.feed.rejected == 1
    shop.clock.advance(1)
    shop.put("b")
    shop.finish()
    assert seen == [b"made of b"]


def test_a_snapshot_is_made_when_somebody_asks_and_once_a_frame() -> None:
    shop = Workshop()
    assert isinstance(result(shop.feed.snapshot()), NoPicture)
    shop.put("a")
    asked = shop.feed.snapshot()
    shop.clock.advance(0)
    assert result(asked).jpeg == b"made of a"
    assert result(shop.feed.snapshot()).jpeg == b"made of a"
    assert len(shop.asked) == 1
    assert shop.source.subscribers == 0
    shop.clock.advance(1)
    shop.put("b")
    again = shop.feed.snapshot()
    shop.clock.advance(0)
    assert result(again).jpeg == b"made of b"


def test_a_snapshot_that_does_not_come_is_told_and_one_that_nobody_wants_is_left() -> None:
    shop = Workshop()
    shop.by_hand = True
    shop.put("a")
    asked = shop.feed.snapshot()
    shop.clock.advance(PATIENCE)
    assert isinstance(result(asked), NoPicture)
    left = shop.feed.snapshot()
    left.addErrback(lambda _: None)
    left.cancel()
    assert shop.source.subscribers == 0
    shop.clock.advance(PATIENCE)


def test_the_text_has_the_cameras_name_and_the_servers_time() -> None:
    shop = Workshop(timestamp=True)
    shop.look()
    shop.put("a")
    assert [text for _, text in shop.asked] == ["Yard  2027-01-15 08:00:00"]


# --- pictures ---


@pytest.mark.parametrize(
    ("size", "width", "expected"),
    [
        ((640, 480), 320, (320, 240)),
        ((640, 480), 300, (300, 225)),
        ((1920, 1080), 100, (100, 56)),
        ((640, 480), None, (640, 480)),
        ((640, 480), 1000, (640, 480)),
    ],
)
def test_a_picture_is_as_wide_as_wanted_and_never_enlarged(
    size: tuple[int, int], width: int | None, expected: tuple[int, int]
) -> None:
    made = transcode(shade(9, *size), size[0], SecondFeed(name="small", width=width), None)
    image = cv2.imdecode(np.frombuffer(made.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert (made.width, made.height) == (image.shape[1], image.shape[0]) == expected
    assert number_of(image) == 9


def test_a_lower_quality_is_smaller() -> None:
    noise = cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8))[1].tobytes()
    sizes = [len(transcode(noise, 160, SecondFeed(name="x", quality=quality), None).jpeg) for quality in (90, 50, 10)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 3 * sizes[2]


@pytest.mark.parametrize("number", [0, 31])
@pytest.mark.parametrize("size", [(160, 120), (640, 480), (1920, 1080)])
def test_the_text_is_burnt_in_below_and_can_be_read_on_dark_and_bright(number: int, size: tuple[int, int]) -> None:
    made = transcode(shade(number, *size), size[0], SecondFeed(name="x", quality=95), "Yard  2027-01-15 08:00:00 ö")
    image = cv2.imdecode(np.frombuffer(made.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    lower, upper = image[size[1] * 3 // 4 :], image[: size[1] // 2]
    assert (int(lower.min()), int(lower.max())) <= (60, 255)
    assert int(lower.max()) - int(lower.min()) > 180
    assert int(upper.max()) - int(upper.min()) < 10


def test_what_is_no_jpeg_cannot_be_made() -> None:
    with pytest.raises(ProtocolError):
        transcode(b"\xff\xd8 nonsense \xff\xd9", 640, SecondFeed(name="x"), None)
