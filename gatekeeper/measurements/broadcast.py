"""What was stored, told to all who may see it: one message for many samples, encoded once for all who see the same.

A chart moves at the pace of a screen, so samples are told every `EVERY` seconds, and nobody waits longer for that. Who
doesn't read what is told is ended by its own side (`listener`, the router): samples aren't skipped for one and not for
another.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import msgspec
from twisted.internet.interfaces import IDelayedCall

from gatekeeper import uris
from gatekeeper.measurements import wire
from gatekeeper.measurements.session import Session
from gatekeeper.measurements.wire import NewData
from gatekeeper.storage.measurements import SampleRow
from gatekeeper.wamp.framing import frame

EVERY: Final = 0.02
"""Seconds between messages: a screen shows 60 pictures a second, and an eye doesn't see 20 ms."""

CHUNK: Final = 250
"""Samples in one `new_data`: 50 KB, which is written in one go; at real rates there are a dozen."""

TEXT: Final = 0x81
"""First octet of a frame that is a whole text."""

Audience = frozenset[int] | None
"""The teams that somebody may see; None for all, those of tomorrow too."""


class Viewer(Protocol):
    """A page that is told of samples."""

    @property
    def audience(self) -> Audience: ...

    def tell(self, frames: Sequence[bytes]) -> None:
        """Send WebSocket frames that are made."""
        ...


class TeamSamples(msgspec.Struct, frozen=True):
    """Samples of one team that were stored, as columns, in the order in which they were.

    :ivar session: None in free mode.
    :ivar time: Unix seconds at which each was measured; `elapsed` seconds of the session, None in free mode.
    :ivar a: millimetres of point A, `b` of point B, as measured whether it was detected or not.
    """

    team: int
    session: int | None
    time: list[float]
    elapsed: list[float] | None
    a: list[float]
    b: list[float]
    a_detected: list[bool]
    b_detected: list[bool]


class Broadcast:
    """Tells pages and subscribers.

    :param form: `array`, `flat` or `both`: that of `new_data`.
    :param publish: the site's own, on a WAMP topic.
    :param session_of: returns a session by its id; `category` that of free mode.
    """

    def __init__(
        self,
        reactor: Any,
        *,
        form: str,
        wall: Callable[[], float],
        publish: Callable[..., Any],
        session_of: Callable[[int], Session | None],
        category: Callable[[], str],
    ) -> None:
        self._reactor = reactor
        self._form = form
        self._wall = wall
        self._publish = publish
        self._session_of = session_of
        self._category = category
        self._waiting: list[SampleRow] = []
        self._timer: IDelayedCall | None = None
        self._listening: dict[str, int] = {}
        self.viewers: set[Viewer] = set()

    def listened(self, topic: str) -> Callable[[int], None]:
        """Return what takes the number of a topic's subscribers: nothing is made for nobody."""

        def changed(count: int) -> None:
            self._listening[topic] = count

        return changed

    def add(self, rows: Sequence[SampleRow]) -> None:
        """Take in samples that are stored."""
        if not self.viewers and not any(self._listening.values()):
            return
        self._waiting.extend(rows)
        if self._timer is None:
            self._timer = self._reactor.callLater(EVERY, self.flush)

    def tell(self, text: bytes) -> None:
        """Tell every page something that is no sample."""
        self.flush()  # what came before is told before
        frames = [frame(TEXT, text)]
        for viewer in tuple(self.viewers):
            viewer.tell(frames)

    def flush(self) -> None:
        """Tell what waits."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        rows, self._waiting = self._waiting, []
        if rows:
            self._to_pages(rows)
            self._to_topics(rows)

    # --- pages ---

    def _to_pages(self, rows: Sequence[SampleRow]) -> None:
        if not self.viewers:
            return
        known = {number: self._session_of(number) for number in {row.session for row in rows} if number is not None}
        category = self._category()
        found = [enriched_of(row, known, category) for row in rows]
        texts: dict[Audience, list[bytes]] = {}
        for viewer in tuple(self.viewers):
            audience = viewer.audience
            if audience not in texts:
                seen = found if audience is None else [one for one in found if one.laptop_id in audience]
                texts[audience] = [frame(TEXT, text) for text in self._texts(seen)]
            if texts[audience]:
                viewer.tell(texts[audience])

    def _texts(self, found: Sequence[NewData]) -> "list[bytes]":
        texts: list[bytes] = []
        if self._form in ("array", "both"):
            now = self._wall()
            texts += [wire.new_data(found[at : at + CHUNK], now) for at in range(0, len(found), CHUNK)]
        if self._form in ("flat", "both"):
            texts += [wire.flat(one) for one in found]
        return texts

    # --- topics ---

    def _to_topics(self, rows: Sequence[SampleRow]) -> None:
        everybody = self._listening.get(uris.TOPIC_MEASUREMENT_SAMPLES.template)
        groups: dict[tuple[int, int | None], list[SampleRow]] = {}
        for row in rows:
            groups.setdefault((row.team, row.session), []).append(row)
        whole = []
        for (team, _), group in groups.items():
            topic = uris.TOPIC_MEASUREMENT_SAMPLE.format(team=str(team))
            if not everybody and not self._listening.get(topic):
                continue
            columns = msgspec.to_builtins(columns_of(group))
            whole.append(columns)
            if self._listening.get(topic):
                self._publish(topic, columns)
        if everybody:
            self._publish(uris.TOPIC_MEASUREMENT_SAMPLES.template, whole)


def enriched_of(row: SampleRow, known: dict[int, Session | None], category: str) -> NewData:
    """Return a sample with what is known of its session."""
    return wire.enriched(row, known[row.session] if row.session is not None else None, category)


def columns_of(group: Sequence[SampleRow]) -> TeamSamples:
    """Return samples of one team and session as columns."""
    first = group[0]
    return TeamSamples(
        team=first.team,
        session=first.session,
        time=[row.time for row in group],
        elapsed=[row.elapsed for row in group if row.elapsed is not None] if first.session is not None else None,
        a=[row.a for row in group],
        b=[row.b for row in group],
        a_detected=[row.a_detected for row in group],
        b_detected=[row.b_detected for row in group],
    )
