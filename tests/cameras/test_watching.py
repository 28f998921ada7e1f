"""Tiles that are watched over the router: pictures by credit, and every way in which that ends."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from gatekeeper.cameras.credit import INITIAL_WINDOW, QUEUED
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.tile import Asked, painted_of
from gatekeeper.cameras.watching import PROBE_PAUSE, Watching
from gatekeeper.errors import AccessDenied, GatekeeperError, InvalidArgument, NoSuchCamera
from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.codecs import MSGPACK
from gatekeeper.wamp.local import TRUSTED, CallDetails, LocalSession
from gatekeeper.wamp.router import Router
from tests.wamp.helpers import Client, Everybody


class House:
    """Two cameras, what watches them, and a router with a procedure for it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.router = Router("realm", Everybody(), clock=self.clock)
        self.feeds = {name: Feed(name, 0.0) for name in ("yard", "hall")}
        self.watching = Watching(
            self.feeds, self.clock, self.router.unsent_bytes, self.router.when_drained, self.router.probe
        )
        server = LocalSession(self.router, Identity("server", TRUSTED, "local"))
        server.register(self._watch, "a.watch", details=True)

    def _watch(self, *, details: CallDetails, **asked: Any) -> "Deferred[None]":
        assert details.progress is not None
        return self.watching.watch(details.session, details.progress, Asked(**asked))

    def picture(self, camera: str = "yard", size: int = 1000) -> int:
        feed = self.feeds[camera]
        return feed.put(b"%06d" % (feed.frames + 1) + b"x" * size, 640, 480, self.clock.seconds(), 1000.5).sequence


class Page:
    """A session with tiles; a tile's call has its number."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.client = Client(house.router, MSGPACK).join()

    def watch(self, tile: int = 1, camera: str = "yard", **more: Any) -> list[int]:
        asked = {"camera": camera, "tile": tile, **more}
        return self._pictures(self.client.say(48, tile, {"receive_progress": True}, "a.watch", [], asked))

    def got(self) -> list[int]:
        return self._pictures(self.client.take())

    def paint(self, *painted: tuple[int, int]) -> None:
        self.house.watching.credit(self.client.session.id, painted_of([*map(list, painted)]), lambda camera: True)

    @staticmethod
    def _pictures(messages: list[Any]) -> list[int]:
        assert all(message[0] == 50 and message[2] == {"progress": True} for message in messages), messages
        return [message[4]["sequence"] for message in messages]


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def page(house: House) -> Page:
    return Page(house)


def test_a_picture_comes_as_it_is_with_its_facts(house: House, page: Page) -> None:
    page.watch(3)
    house.picture(size=2)
    [message] = page.client.take()
    facts = {"camera": "yard", "sequence": 1, "received": 1000.5, "width": 640, "height": 480, "size": 8}
    assert message == [50, 3, {"progress": True}, [b"000001xx"], facts]


def test_a_tile_without_credit_is_not_told_of_anything(house: House, page: Page) -> None:
    page.watch()
    for _ in range(5):
        house.picture()
    assert page.got() == [1]
    assert house.feeds["yard"].subscribers == 0


def test_with_the_credit_goes_the_newest_and_what_came_between_is_skipped(house: House, page: Page) -> None:
    page.watch()
    for _ in range(5):
        house.picture()
    page.paint((1, 1))
    assert page.got() == [1, 5]
    page.paint((1, 5))
    assert page.got() == []
    house.picture()
    assert page.got() == [6]


def test_a_tile_that_begins_gets_the_newest_at_once_if_the_camera_is_live(house: House, page: Page) -> None:
    house.picture()
    house.picture()
    assert page.watch(1) == [2]
    house.feeds["yard"].change(CameraState.OFFLINE, "gone", 1.0)
    assert page.watch(2) == []
    house.picture()
    assert page.got() == [3]


def test_one_encoding_serves_every_viewer_of_a_picture(house: House) -> None:
    pages = [Page(house) for _ in range(3)]
    for page in pages:
        page.watch()
    house.picture()
    frame = house.feeds["yard"].newest
    assert frame is not None
    assert house.watching.part(frame) is house.watching.part(frame)
    assert [page.got() for page in pages] == [[1]] * 3


def test_what_isnt_read_isnt_sent_more_and_then_the_newest_of_each_follows(house: House, page: Page) -> None:
    page.client.stall()
    page.watch(1, "yard", ahead=2)
    page.watch(2, "hall", ahead=2)
    for _ in range(4):
        house.picture("yard")
        house.picture("hall")
    assert len(page.client.link.frames) == 2  # WELCOME and one picture
    page.client.drain()
    assert page.got() == [1, 4, 4]


def test_one_stalled_session_costs_the_others_nothing(house: House, page: Page) -> None:
    other = Page(house)
    page.client.stall()
    for one in (page, other):
        one.watch(ahead=2)
    house.picture()
    house.picture()
    assert other.got() == [1, 2]


def test_a_rate_is_kept_though_nothing_else_happens(house: House, page: Page) -> None:
    page.watch(rate=10)
    for sequence in (1, 2, 3):
        house.picture()
        house.clock.advance(0.001)
        if sequence < 3:
            page.paint((1, sequence))
    assert page.got() == [1, 2]
    house.clock.advance(0.05)
    assert page.got() == []
    house.clock.advance(0.25)
    assert page.got() == [3]
    assert house.clock.getDelayedCalls() == []


def test_a_tile_ends_when_its_call_is_cancelled(house: House, page: Page) -> None:
    page.watch()
    [answer] = page.client.say(49, 1, {"mode": "kill"})
    assert answer[:3] == [8, 48, 1]
    assert answer[4] == "wamp.error.canceled"
    house.picture()
    assert (page.got(), house.feeds["yard"].subscribers, house.watching.viewers("yard")) == ([], 0, 0)


def test_what_was_under_way_to_a_closed_tile_gives_way_to_the_others(house: House, page: Page) -> None:
    page.watch(1, "yard")
    house.picture("yard", size=3_000_000)
    assert page.got() == [1]
    page.watch(2, "hall")
    house.picture("hall")
    assert page.got() == []
    page.client.say(49, 1, {"mode": "kill"})
    house.clock.advance(0.0)
    assert page.got() == [1]


def test_a_session_that_leaves_leaves_nothing_behind(house: House, page: Page) -> None:
    page.watch(1, rate=1)
    page.watch(2, "hall")
    house.picture()
    assert (house.watching.viewers("yard"), house.watching.viewers("hall")) == (1, 1)
    page.client.session.lost()
    assert (house.watching.viewers("yard"), house.watching.viewers("hall")) == (0, 0)
    assert [feed.subscribers for feed in house.feeds.values()] == [0, 0]
    assert house.clock.getDelayedCalls() == []
    assert (house.watching._screens, house.watching._newest) == ({}, {})


def test_a_camera_that_is_taken_away_ends_its_tiles_with_a_word(house: House, page: Page) -> None:
    page.watch(1, "yard")
    page.watch(2, "hall")
    house.watching.end("yard", NoSuchCamera("camera yard was removed"))
    assert page.client.take() == [[8, 48, 1, {}, "gatekeeper.error.no_such_camera", ["camera yard was removed"]]]
    house.picture("hall")
    assert page.got() == [1]


def test_who_may_not_view_a_camera_any_more_gets_no_further_picture(house: House, page: Page) -> None:
    page.watch(1, "yard")
    page.watch(2, "hall")
    house.picture("yard")
    house.picture("hall")
    page.got()
    house.watching.credit(page.client.session.id, painted_of([[1, 1], [2, 1]]), lambda camera: camera != "yard")
    [answer] = page.client.take()
    assert answer[4] == AccessDenied("").uri
    house.picture("yard")
    house.picture("hall")
    assert page.got() == [2]


def test_credit_is_only_for_what_the_session_itself_watches(house: House, page: Page) -> None:
    other = Page(house)
    page.watch(1)
    house.picture()
    with pytest.raises(InvalidArgument, match="this session watches nothing"):
        other.paint((1, 1))
    other.watch(2)
    with pytest.raises(InvalidArgument, match="found tile 1; allowed: one that this session watches"):
        other.paint((1, 1))
    house.picture()
    assert page.got() == [1]


def test_what_is_right_of_credit_counts_beside_what_is_wrong(house: House, page: Page) -> None:
    page.watch(1)
    house.picture()
    house.picture()
    with pytest.raises(InvalidArgument, match="found tile 9"):
        page.paint((9, 1), (1, 1))
    assert page.got() == [1, 2]


def test_an_unknown_camera_is_no_tile(house: House) -> None:
    with pytest.raises(GatekeeperError, match="there is no camera cellar"):
        house.watching.watch(1, lambda part: None, Asked(camera="cellar", tile=1))
    assert house.watching._screens == {}


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        "x",
        [1],
        [[1]],
        [[1, 2, 3, 4]],
        [["1", 2]],
        [[True, 2]],
        [[1, 2, -1.0]],
        [[1, 2, 11.0]],
        [[1, 2]] * 201,
    ],
)
def test_credit_of_another_shape_is_refused_with_a_sentence(given: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"painted: found .*; allowed: at most 200 times \[tile, sequence"):
        painted_of(given)


def test_probes_among_the_pictures_tell_what_the_connection_carries(house: House, page: Page) -> None:
    page.watch(1, "yard", ahead=2)
    window = house.watching._screens[page.client.session.id]._tiles.window
    before = window.bytes

    def answer_after(seconds: float) -> None:
        house.picture()
        page.paint((1, page.got()[-1]))
        house.clock.advance(seconds)
        page.client.session.probed()
        house.clock.advance(PROBE_PAUSE)

    answer_after(0.01)
    assert window.bytes == before  # there was room enough
    for _ in range(QUEUED):
        answer_after(0.5)
    assert window.bytes < before
    assert page.client.link.record.count(("probe", None)) == 1 + QUEUED


def test_what_waits_for_room_in_the_window_goes_on_when_a_probe_comes_back(house: House, page: Page) -> None:
    page.watch(1, "yard")
    page.watch(2, "hall")
    house.picture("yard", size=INITIAL_WINDOW)
    house.picture("hall")
    assert page.got() == [1]
    page.client.session.probed()
    assert page.got() == [1]
    page.client.session.lost()
    page.client.session.probed()
