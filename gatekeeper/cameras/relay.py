"""Feeds of other sites' cameras, from what is published on their topics: while somebody here watches them."""

from collections.abc import Callable
from typing import Any, Protocol

from gatekeeper import uris
from gatekeeper.cameras.feed import Feed


class Subscribed(Protocol):
    """A subscription."""

    def unsubscribe(self) -> None:
        """End it."""
        ...


class Relay:
    """Other sites' cameras.

    :param subscribe: as of a session of this process; of a topic that somebody subscribes to, the realm brings the
        events here.
    :param has: tells whether another site has a camera.
    :param clock: monotonic seconds now; `wall` Unix seconds.
    """

    def __init__(
        self,
        subscribe: Callable[[Callable[..., Any], str], Subscribed],
        has: Callable[[str], bool],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._subscribe = subscribe
        self._has = has
        self._clock = clock
        self._wall = wall
        self._feeds: dict[str, Feed] = {}
        self._subscriptions: dict[str, Subscribed] = {}

    def feed(self, camera: str) -> Feed | None:
        """Return the feed of a camera that another site has, or None; it must be begun if it is to be watched."""
        if not self._has(camera):
            return None
        return self._feeds.get(camera) or Feed(camera, self._wall())

    def begin(self, camera: str, feed: Feed) -> None:
        """Bring a camera's pictures to this feed of its; nothing happens if it is none of another site's."""
        if not self._has(camera) or camera in self._feeds:
            return
        self._feeds[camera] = feed

        def arrived(jpeg: bytes, *, width: int, height: int, received: float, **_: Any) -> None:
            feed.put(jpeg, width, height, self._clock(), received)

        self._subscriptions[camera] = self._subscribe(arrived, uris.TOPIC_CAMERA_FRAME.format(camera=camera))

    def end(self, camera: str) -> None:
        """Bring them no more."""
        self._feeds.pop(camera, None)
        subscription = self._subscriptions.pop(camera, None)
        if subscription is not None:
            subscription.unsubscribe()
