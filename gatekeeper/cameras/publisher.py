"""A camera's frames as WAMP events, published only while somebody is subscribed."""

from collections.abc import Callable
from typing import Any, Protocol

from gatekeeper import uris
from gatekeeper.cameras.feed import Feed, Subscription


class Publisher(Protocol):
    """The server's own session, as far as frames need it."""

    def publish(self, topic: str, *args: Any, **kwargs: Any) -> None:
        """Publish an event."""
        ...

    def watch_subscribers(self, topic: str, listener: Callable[[int], None]) -> Callable[[], None]:
        """Tell the listener the number of the topic's subscribers, now and on each change; return what ends that."""
        ...


class FramePublisher:
    """Publishes one feed on its topic: the JPEG as the only argument, and its facts by name.

    :param session: the server's own session.
    :param feed: the camera's feed.
    :param topic: where; the camera's own unless another is given.
    :ivar subscribers: how many sessions take frames now.
    """

    def __init__(self, session: Publisher, feed: Feed, topic: str | None = None) -> None:
        self.subscribers = 0
        self._session = session
        self._feed = feed
        self._topic = topic or uris.TOPIC_CAMERA_FRAME.format(camera=feed.camera)
        self._subscription: Subscription | None = None
        self._end = session.watch_subscribers(self._topic, self._watched)

    def close(self) -> None:
        """Publish no more: the camera is gone."""
        self._end()
        self._watched(0)

    def _watched(self, subscribers: int) -> None:
        self.subscribers = subscribers
        if subscribers and self._subscription is None:
            self._subscription = self._feed.subscribe(self._publish)
        elif not subscribers and self._subscription is not None:
            self._subscription.close()
            self._subscription = None

    def _publish(self) -> None:
        frame = self._subscription.take() if self._subscription is not None else None
        if frame is not None:
            self._session.publish(
                self._topic,
                frame.jpeg,
                camera=frame.camera,
                sequence=frame.sequence,
                received=frame.wall,
                width=frame.width,
                height=frame.height,
                size=len(frame.jpeg),
            )
