"""Cameras and doors that come, change and go while the site runs: what did not change is not touched."""

from pathlib import Path
from typing import Any

import pytest
from twisted.application.service import Service
from twisted.internet.defer import Deferred

from gatekeeper import config
from gatekeeper.cameras.frame import CameraState
from gatekeeper.viewed import FAREWELL
from gatekeeper.wanted import Wanted, WantedDoor
from tests.cameras.pictures import picture
from tests.sites import Memory, Plug

WALL = 1_800_000_000.0


class Stage(Memory):
    """A site that runs, and who looks at it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.site._devices.startService()
        self.viewing, self.doorways = self.site.viewing, self.site.doorways
        self.states: list[dict[str, Any]] = []
        self.watcher = self.session()

    def done(self, coroutine: Any) -> list[Any]:
        """Begin what takes time; the list has its result when it is over."""
        results: list[Any] = []
        Deferred.fromCoroutine(coroutine).addBoth(results.append)
        return results

    def camera(self, id_: str, **about: Any) -> Wanted:
        return Wanted(config.Camera(id=id_, **{"url": f"http://192.168.137.30/{id_}", **about}))

    def shoot(self, camera: str, jpeg: bytes = b"") -> None:
        now = float(self.net.seconds())
        self.viewing.feeds[camera].put(jpeg or picture(), 16, 16, now, WALL + now)

    def watch(self, camera: str) -> Any:
        return self.send("GET", f"/cameras/{camera}/stream.mjpg", self.bearer)

    def ids(self) -> list[str]:
        return [one["id"] for one in self.ask("GET", "/cameras", self.bearer).json]


class Slow(Service):
    """A part that takes its time to end."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def stopService(self) -> "Deferred[None]":
        super().stopService()
        return self.ended


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_camera_that_is_added_is_there_for_everybody(stage: Stage) -> None:
    stage.viewing.add(stage.camera("attic"))
    stage.viewing.settle(["attic", "yard", "hall"])
    assert stage.ids() == ["attic", "yard", "hall"]
    assert list(stage.viewing.streams) == ["attic", "yard", "hall"]
    assert stage.net.tcpClients[-1][:2] == ("192.168.137.30", 80)
    stage.watcher.subscribe(lambda *args, **about: stage.states.append(about), "gatekeeper.camera.attic.frame")
    wire = stage.watch("attic")
    stage.shoot("attic")
    stage.net.advance(0)
    assert b"Content-Type: image/jpeg" in wire.value()
    assert stage.viewing.viewers("attic") == 2
    assert [one["sequence"] for one in stage.states] == [1]


def test_what_is_done_about_a_camera_is_shown_and_on_the_record_each_step_after_the_one_before(stage: Stage) -> None:
    stage.watcher.subscribe(stage.states.append, "gatekeeper.camera.yard.state")
    for _ in range(120):
        stage.net.advance(1.0)
    shown = stage.ask("GET", "/cameras/yard", stage.bearer).json
    assert (shown["state"], shown["help"]["step"]) == ("offline", "alert")
    assert stage.states[-1]["help"] == shown["help"]
    for _ in range(90):  # its own tries, at random times, say offline between the pictures
        stage.shoot("yard")
        stage.net.advance(1.0)
        if stage.states[-1]["help"] is None:
            break
    assert stage.states[-1]["help"] is None
    events = stage.ask("GET", "/events?subject=yard&kind=camera.&order=oldest", stage.bearer).json["events"]
    told = [(event["kind"].removeprefix("camera."), event["outcome"]) for event in events]
    assert told[0] == ("offline", "alarm")
    steps = [event for event, (kind, _) in zip(events[1:], told[1:], strict=True) if kind not in ("offline", "live")]
    assert [(event["kind"].removeprefix("camera."), event["outcome"]) for event in steps] == [
        ("reconnecting", "ok"), ("not_helped", "ok"), ("backing_off", "ok"), ("not_helped", "ok"),
        ("needs_help", "alarm"), ("helped", "ok"),
    ]  # fmt: skip
    assert [event["cause"] for event in steps] == [event["id"] for event in (events[0], *steps[:-1])]


def test_a_camera_that_is_changed_is_not_helped_for_what_it_was(stage: Stage) -> None:
    for _ in range(10):
        stage.net.advance(1.0)
    before = stage.viewing.viewed["yard"].help
    assert before.help is not None
    stage.done(stage.viewing.change(stage.camera("yard", self_help="none")))
    stage.net.advance(0)
    assert stage.viewing.viewed["yard"].help is not before
    assert stage.viewing.cameras.status("yard").help is None
    assert before._timer is None


def test_a_camera_that_is_removed_is_gone_and_who_watches_is_told_and_let_go(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []

    def draw(done: Any, _: object, lines: list[str]) -> None:
        drawn.append(lines)
        done(True, picture())

    monkeypatch.setattr(stage.viewing._pictures, "callInThreadWithCallback", draw)
    monkeypatch.setattr(stage.net, "callFromThread", lambda call, *args: call(*args), raising=False)
    stage.watcher.subscribe(lambda *args, **about: stage.states.append(args[0]), "gatekeeper.camera.yard.state")
    stage.shoot("yard")
    gone, stays = stage.watch("yard"), stage.watch("hall")
    seats = stage.viewing._common.terms.seats
    assert seats.taken == 2
    ended = stage.done(stage.viewing.remove("yard"))
    assert stage.ids() == ["hall"]
    assert stage.ask("GET", "/cameras/yard/stream.mjpg", stage.bearer).code == "no_such_camera"
    assert (stage.states[-1]["state"], stage.states[-1]["reason"]) == ("offline", "it was removed from this site")
    stage.net.advance(0)
    assert drawn[-1][-1] == "it was removed from this site"
    assert not gone.disconnecting
    stage.net.advance(FAREWELL)
    assert gone.disconnecting or gone.aborted
    gone.protocol.connectionLost(_lost())
    assert ended == [None]
    assert seats.taken == 1
    assert not stays.disconnecting
    assert not stays.aborted
    assert stage.viewing.viewers("hall") == 1
    assert "yard" not in stage.viewing._common.lookout.watches


def test_nothing_of_a_removed_camera_is_left_behind(stage: Stage) -> None:
    watchers = stage.site._router.broker._watchers
    assert "gatekeeper.camera.yard.frame" in watchers
    stage.site.keeping.recorder.start()  # type: ignore[union-attr]
    feed = stage.viewing.feeds["yard"]
    assert feed.subscribers == 2  # the recorder's and the sampling's
    ended = stage.done(stage.viewing.remove("yard"))
    stage.doorways.settle(["front"], [])
    stage.site.keeping.recorder.refresh()  # type: ignore[union-attr]
    assert ended == [None]
    assert "gatekeeper.camera.yard.frame" not in watchers
    assert feed.subscribers == 0
    assert len(stage.viewing.devices.services) == 2  # the other camera's, and the reception


def test_a_camera_that_changes_keeps_its_viewers_and_takes_another_way(stage: Stage) -> None:
    stage.shoot("yard")
    wire = stage.watch("yard")
    feed, dialled = stage.viewing.feeds["yard"], len(stage.net.tcpClients)
    slow = Slow()
    slow.setServiceParent(stage.viewing.viewed["yard"].parts)
    ended = stage.done(stage.viewing.change(stage.camera("yard", doors=("front",))))
    assert len(stage.net.tcpClients) == dialled, "not before all of the first has ended"
    slow.ended.callback(None)
    assert ended == [None]
    assert stage.net.tcpClients[-1][:2] == ("192.168.137.30", 80)
    assert stage.viewing.feeds["yard"] is feed
    assert feed.condition.state is CameraState.CONNECTING
    stage.shoot("yard", picture())
    stage.net.advance(0)
    assert not wire.disconnecting
    assert not wire.aborted
    assert stage.viewing.viewers("yard") == 1
    kinds = [event.kind for event in stage.site.journal.recent() if event.subject == "yard"]
    assert "camera.offline" not in kinds


def test_a_camera_that_is_called_otherwise_goes_on(stage: Stage) -> None:
    dialled = len(stage.net.tcpClients)
    stage.viewing.rename(stage.camera("hall", name="The hall"))
    stage.viewing.settle(["yard", "hall"])
    assert [one["name"] for one in stage.ask("GET", "/cameras", stage.bearer).json] == ["yard", "The hall"]
    assert len(stage.net.tcpClients) == dialled


def test_a_camera_that_connects_to_us_from_now_on_is_waited_for(stage: Stage) -> None:
    ended = stage.done(stage.viewing.change(stage.camera("hall", url=None, push=config.Push(path="/s3"))))
    assert ended == [None]
    assert stage.viewing.cameras.status("hall").kind == "push"
    assert stage.viewing.feeds["hall"].condition.reason == "has not connected yet"


# --- doors ---


def test_a_door_that_is_removed_is_locked_before_its_link_is_closed(stage: Stage) -> None:
    lock = Plug(stage.net).greet()
    stage.watcher.call("gatekeeper.door.open", "front")
    lock.says("OK:Door opened", "ACK:OPEN_DOOR")
    assert lock.heard() == ["OPEN_DOOR"]
    ended = stage.done(stage.doorways.remove("front"))
    assert lock.heard() == ["LOCK_DOOR"]
    assert not ended
    assert "front" in stage.doorways.links
    assert lock.ours.disconnecting is False
    lock.says("OK:Door locked", "ACK:LOCK_DOOR")
    lock.carry()
    lock.lose()
    assert ended == [None]
    assert stage.doorways.links == {}
    assert stage.ask("GET", "/doors", stage.bearer).json == []
    kinds = [event.kind for event in stage.site.journal.recent() if event.subject == "front"]
    assert kinds[-2:] == ["door.locked", "door.link_lost"]


def test_a_door_that_is_added_is_dialled_and_tied_to_its_cameras(stage: Stage) -> None:
    door = config.Door(id="back", url="ws://192.168.137.40:8181/ws")
    stage.doorways.add(WantedDoor(door))
    stage.doorways.settle(["back", "front"], [config.Camera(id="yard", url="http://x/", doors=("back",))])
    assert [one["id"] for one in stage.ask("GET", "/doors", stage.bearer).json] == ["back", "front"]
    assert stage.doorways.doors.status("back").cameras == ("yard",)
    assert stage.doorways.doors.status("front").cameras == ()
    assert stage.net.tcpClients[-1][1] == 8181


def _lost() -> Any:
    from twisted.internet.error import ConnectionDone
    from twisted.python.failure import Failure

    return Failure(ConnectionDone())
