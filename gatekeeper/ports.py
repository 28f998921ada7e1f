"""Where a site listens: for people and scripts, and for the cameras that connect to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IProtocolFactory

from gatekeeper import config
from gatekeeper.addresses import Place
from gatekeeper.cameras.push.camera import Port
from gatekeeper.errors import ConfigurationError
from gatekeeper.listening import Listening

KEYS = {Port.STREAM: "push.listen", Port.CONTROL: "push.control"}


class Ports:
    """Every port of a site.

    :param folder: what relative paths of certificates are relative to.
    :param data: the data folder.
    :param wall: Unix seconds now.
    :ivar main: for people and scripts.
    :raises ConfigurationError: if a certificate is missing or can't be used.
    """

    def __init__(
        self, settings: config.Site, folder: Path, data: Path, reactor: Any, wall: Callable[[], float]
    ) -> None:
        self._folder, self._data, self._reactor, self._wall = folder, data, reactor, wall
        self._running = False
        self.main = Listening(settings.places, folder, data, reactor, wall)
        self._push = {port: self._listening(port, place) for port, place in _push_places(settings).items()}

    def open(self, main: IProtocolFactory, push: Callable[[Port], IProtocolFactory]) -> None:
        """Listen on every port, or on none.

        :param push: returns what cameras are listened for with.
        :raises ConfigurationError: naming the place that can't be had.
        """
        self._factory = push
        self.main.open(main)
        try:
            for port, listening in self._push.items():
                listening.open(push(port))
        except ConfigurationError:
            self.close()
            raise

    def start(self) -> None:
        """Warn of certificates that end, from now on."""
        self._running = True
        for listening in self._all:
            listening.startService()

    def stop(self) -> "list[Deferred[Any]]":
        """Close every port."""
        self._running = False
        return [maybeDeferred(listening.stopService) for listening in self._all]

    def close(self) -> None:
        """Close every port of a site that was never started."""
        for listening in self._all:
            listening.close()

    def renew(self, settings: config.Site) -> None:
        """Read the certificates anew, and listen for cameras if the first that connects to us is there now.

        What was listened on stays as it is, whatever the configuration says now: that is for a restart.

        :raises ConfigurationError: if something can't be used or had; then nothing has changed.
        """
        renewed = self.main.certificates()
        opened: dict[Port, Listening] = {}
        try:
            for port, place in _push_places(settings).items():
                if port not in self._push:
                    listening = self._listening(port, place)
                    listening.open(self._factory(port))
                    opened[port] = listening
        except ConfigurationError:
            for listening in opened.values():
                listening.close()
            raise
        self._push |= opened
        for listening in opened.values() if self._running else ():
            listening.startService()
        self.main.renew(renewed)

    def is_own(self, host: str, port: int) -> bool:
        """Return whether a connection to a host and port would reach this site itself."""
        return any(listening.is_own(host, port) for listening in self._all)

    @property
    def numbers(self) -> frozenset[int]:
        """Every TCP port."""
        return frozenset(number for listening in self._all for number in listening.numbers)

    @property
    def push_port(self) -> int:
        """The TCP port that cameras connect to for pictures."""
        return self._push[Port.STREAM].port

    @property
    def _all(self) -> list[Listening]:
        return [self.main, *self._push.values()]

    def _listening(self, port: Port, place: Place) -> Listening:
        return Listening((place,), self._folder, self._data, self._reactor, self._wall, key=KEYS[port])


def _push_places(settings: config.Site) -> dict[Port, Place]:
    places = zip(Port, settings.push_places, strict=True)
    return {port: place for port, place in places if place is not None}
