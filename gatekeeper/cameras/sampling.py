"""Counts one camera's pictures as they come, and takes a sample every few seconds: thin, `telemetry` does the rest."""

from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.task import LoopingCall

from gatekeeper.cameras.feed import Condition, Feed
from gatekeeper.cameras.frame import CameraState
from gatekeeper.cameras.push.health import DeviceHealth
from gatekeeper.cameras.telemetry import FRESH, INTERVAL, Telemetry

Publish = Callable[[dict[str, float | None]], None]
"""Given each sample."""


class Sampling(Service):
    """The telemetry of one camera.

    :param clock: monotonic.
    :param feed: whose pictures are counted.
    :param wall: Unix seconds now.
    :param publish: given each sample as a point.
    :param wanted: pictures per second that we ask for, where we do.
    :param device: how the camera says it is; None of one that tells nothing of itself.
    :ivar telemetry: the samples.
    """

    def __init__(
        self,
        clock: Any,
        feed: Feed,
        *,
        wall: Callable[[], float],
        publish: Publish,
        wanted: float | None = None,
        device: Callable[[], DeviceHealth | None] | None = None,
    ) -> None:
        self.telemetry = Telemetry(feed.camera, device=device is not None, now=clock.seconds())
        self._clock = clock
        self._feed = feed
        self._wall = wall
        self._publish = publish
        self._wanted = wanted
        self._device = device
        self._call = LoopingCall(self._sample)
        self._call.clock = clock
        self._ends: list[Callable[[], None]] = []

    def startService(self) -> None:
        """Begin to count."""
        super().startService()
        subscription = self._feed.subscribe(self._frame)
        self._ends = [subscription.close, self._feed.observe(self._changed)]
        self._call.start(INTERVAL, now=False)

    def stopService(self) -> None:
        """Count no more; what was is kept."""
        super().stopService()
        if self._call.running:
            self._call.stop()
        for end in self._ends:
            end()
        self._ends = []

    def _frame(self) -> None:
        frame = self._feed.newest
        if frame is not None:
            self.telemetry.frame(len(frame.jpeg), frame.received)

    def _changed(self, condition: Condition) -> None:
        if condition.state is not CameraState.LIVE:
            self.telemetry.interrupted()

    def _sample(self) -> None:
        wall = self._wall()
        point = self.telemetry.sample(self._figures(wall), self._clock.seconds(), wall)
        self._publish(point)

    def _figures(self, wall: float) -> dict[str, float | None]:
        figures: dict[str, float | None] = {"rejected": self._feed.rejected, "wanted": self._wanted}
        health = self._device() if self._device is not None else None
        if health is None or not -FRESH < wall - health.received < FRESH:
            return figures
        return figures | {
            "wanted": health.fps,
            "dropped": health.dropped,
            "lost": health.lost,
            "heap": health.heap,
            "minimum_heap": health.minimum_heap,
            "psram": health.psram,
            "rssi": health.rssi,
            "uptime": health.uptime,
        }
