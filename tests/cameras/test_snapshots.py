"""Snapshots asked for again and again, from the virtual camera over loopback."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor

from gatekeeper import config
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.snapshots import SnapshotPull
from gatekeeper.simulators.camera import CameraFault
from tests.cameras.test_pull import Bench


class SnapshotBench(Bench):
    """The pull's bench, with snapshots."""

    def ask(self, password: str | None = None, **settings: Any) -> SnapshotPull:
        given = {"stall_timeout": 0.5, "retry_minimum": 0.02, "retry_maximum": 0.1, "snapshot_interval": 0.1}
        if password is not None:
            settings.setdefault("username", "admin")
        camera = config.Camera(id="front", snapshot=self.camera.snapshot, **{**given, **settings})
        pull = SnapshotPull(reactor, camera, password, self.feed, time.time, jitter=lambda: 0.0)
        self.pull = pull  # type: ignore[assignment]
        pull.startService()
        return pull


@pytest.fixture
def bench() -> Iterator[SnapshotBench]:
    it = SnapshotBench()
    yield it
    pytest_twisted.blockon(it.stop())


async def test_each_picture_is_the_cameras_own_on_a_connection_of_its_own(bench: SnapshotBench) -> None:
    pull = bench.ask()
    await bench.live(4)
    assert [frame.jpeg for frame in bench.frames] == list(bench.camera.pictures)[: len(bench.frames)]
    assert bench.camera.most_open == 1
    assert pull.connections >= 4
    assert bench.feed.reconnects == 0
    apart = bench.frames[-1].received - bench.frames[0].received
    assert apart > 0.15  # three intervals


@pytest.mark.parametrize("fault", [CameraFault.BASIC, CameraFault.DIGEST])
async def test_a_password_lets_us_in(bench: SnapshotBench, fault: CameraFault) -> None:
    bench.camera.fault = fault
    bench.ask(password="virtual")
    await bench.live(3)


@pytest.mark.parametrize("fault", [CameraFault.BASIC, CameraFault.DIGEST])
async def test_a_wrong_password_is_told(bench: SnapshotBench, fault: CameraFault) -> None:
    bench.camera.fault = fault
    bench.ask(password="hunter2")
    await bench.state(CameraState.OFFLINE, "wrong user name or password")


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        (CameraFault.REFUSE, CameraState.OFFLINE, "refused the connection"),
        (CameraFault.NOT_FOUND, CameraState.OFFLINE, "answered 404 Not Found for /capture"),
        (CameraFault.HTML, CameraState.STALLED, "nothing but parts that are no JPEG"),
        (CameraFault.TRUNCATED, CameraState.STALLED, "nothing but pictures without their end"),
        (CameraFault.GARBAGE, CameraState.STALLED, "nothing but parts that are no JPEG"),
        (CameraFault.EMPTY_PARTS, CameraState.STALLED, "nothing but empty answers"),
        (CameraFault.SILENT_ACCEPT, CameraState.OFFLINE, "took the connection, and did not answer within 0.5 s"),
        (CameraFault.SILENT, CameraState.STALLED, "a picture began and did not end within 0.5 s"),
        (CameraFault.CUT, CameraState.OFFLINE, "the connection was cut in the middle of a picture"),
    ],
)
async def test_a_broken_camera_is_named_and_heals(
    bench: SnapshotBench, fault: CameraFault, state: CameraState, reason: str
) -> None:
    bench.ask(connect_timeout=0.5)
    await bench.live()
    bench.camera.fault = fault
    await bench.state(state, reason)
    bench.camera.fault = CameraFault.NONE
    await bench.live()
    assert bench.camera.most_open == 1


async def test_a_picture_over_the_limit_is_refused(bench: SnapshotBench) -> None:
    bench.ask(maximum_frame_bytes=2000)
    await bench.state(CameraState.STALLED, "a picture over the size limit")


async def test_a_stop_in_the_middle_ends_the_connection(bench: SnapshotBench) -> None:
    pull = bench.ask(stall_timeout=30.0)
    await bench.live()
    bench.camera.fault = CameraFault.SILENT
    await bench.until(lambda: bench.feed.condition.state is CameraState.LIVE)
    await pull.stopService()
    assert not pull.connected
