"""Frames as WAMP events: made only while somebody listens, and never changed on their way."""

from typing import Any

import pytest

from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.publisher import FramePublisher
from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.local import TRUSTED, LocalSession
from gatekeeper.wamp.router import Router

TOPIC = "gatekeeper.camera.yard.frame"


class Bench:
    """A feed, its publisher, and a session that may watch."""

    def __init__(self) -> None:
        router = Router("gatekeeper")
        who = Identity("gatekeeper", TRUSTED, "local")
        self.server, self.watcher = LocalSession(router, who), LocalSession(router, who)
        self.feed = Feed("yard", 1000.0)
        self.publisher = FramePublisher(self.server, self.feed)
        self.seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def watch(self) -> Any:
        return self.watcher.subscribe(lambda *args, **facts: self.seen.append((args, facts)), TOPIC)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_while_nobody_watches_nothing_is_taken(bench: Bench) -> None:
    bench.feed.put(b"jpeg", 640, 480, 1.0, 1001.0)
    assert (bench.feed.subscribers, bench.publisher.subscribers) == (0, 0)


def test_a_frame_is_published_as_it_is_with_its_facts(bench: Bench) -> None:
    bench.watch()
    jpeg = bytes(range(256))
    bench.feed.put(jpeg, 640, 480, 1.0, 1001.5)
    [(args, facts)] = bench.seen
    assert args[0] is jpeg
    assert facts == {
        "camera": "yard", "sequence": 1, "received": 1001.5, "width": 640, "height": 480, "size": 256,
    }  # fmt: skip


def test_many_watchers_are_one_subscriber_of_the_feed(bench: Bench) -> None:
    other = LocalSession(bench.watcher._router, Identity("x", TRUSTED, "local"))
    bench.watch()
    other.subscribe(lambda *_, **__: None, TOPIC)
    assert (bench.feed.subscribers, bench.publisher.subscribers) == (1, 2)


def test_when_the_last_one_leaves_the_feed_is_let_go_and_taken_up_again(bench: Bench) -> None:
    bench.watch().unsubscribe()
    bench.feed.put(b"jpeg", 640, 480, 1.0, 1001.0)
    assert (bench.feed.subscribers, bench.seen) == (0, [])
    bench.watch()
    bench.feed.put(b"later", 640, 480, 2.0, 1002.0)
    assert [args for args, _ in bench.seen] == [(b"later",)]


def test_another_cameras_topic_wakes_nobody(bench: Bench) -> None:
    bench.watcher.subscribe(lambda *_, **__: None, "gatekeeper.camera.hall.frame")
    assert bench.feed.subscribers == 0
