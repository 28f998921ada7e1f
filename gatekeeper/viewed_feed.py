"""The feeds that are made of one camera's pictures, each with its stream and its topic."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from gatekeeper import uris
from gatekeeper.cameras.feed import Feed
from gatekeeper.cameras.made import MadeFeed, Transcode
from gatekeeper.cameras.publisher import FramePublisher
from gatekeeper.config_pictures import SecondFeed
from gatekeeper.http.mjpeg import Stream, Terms
from gatekeeper.realm import Presence


@dataclass(frozen=True, slots=True)
class ViewedFeed:
    """One of them."""

    feed: MadeFeed
    stream: Stream
    publisher: FramePublisher

    @property
    def viewers(self) -> int:
        """How many take its pictures now."""
        return self.stream.metrics.viewers + self.publisher.subscribers

    def end(self) -> "Deferred[None]":
        """End; fires when the last viewer is gone."""
        self.publisher.close()
        self.feed.close()
        return self.stream.stop()


class ViewedFeeds:
    """All of a camera's.

    :param source: the camera's own feed.
    :param label: what the camera is called.
    """

    def __init__(
        self,
        source: Feed,
        *,
        label: Callable[[], str],
        transcode: Transcode,
        terms: Terms,
        session: Presence,
    ) -> None:
        self._source = source
        self._label = label
        self._transcode = transcode
        self._terms = terms
        self._session = session
        self._feeds: dict[str, ViewedFeed] = {}

    def configure(self, wanted: Iterable[SecondFeed]) -> None:
        """Have these and no others; who watches one that stays as it is goes on watching."""
        by_name = {one.name: one for one in wanted}
        for name in [name for name, one in self._feeds.items() if by_name.get(name) != one.feed.wanted]:
            self._feeds.pop(name).end()
        self._feeds = {name: self._feeds.get(name) or self._compose(one) for name, one in by_name.items()}

    def get(self, name: str) -> ViewedFeed | None:
        """Return one, or None."""
        return self._feeds.get(name)

    @property
    def streams(self) -> list[Stream]:
        """The streams of all."""
        return [one.stream for one in self._feeds.values()]

    @property
    def viewers(self) -> int:
        """How many take pictures of any of them."""
        return sum(one.viewers for one in self._feeds.values())

    def end(self) -> "list[Deferred[None]]":
        """End all; each fires when its last viewer is gone."""
        ending = [one.end() for one in self._feeds.values()]
        self._feeds = {}
        return ending

    def _compose(self, wanted: SecondFeed) -> ViewedFeed:
        feed = MadeFeed(self._source, wanted, label=self._label, transcode=self._transcode, reactor=self._terms.clock)
        topic = uris.TOPIC_FEED_FRAME.format(camera=feed.camera, feed=wanted.name)
        return ViewedFeed(feed, Stream(feed, self._terms), FramePublisher(self._session, feed, topic))
