"""Setting one push camera: one command after the other, and what it was set to again when it is back.

Nothing waits for an absent camera but its wishes; a reboot is none.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.cameras.push import wire
from gatekeeper.cameras.push.asking import Asking
from gatekeeper.cameras.push.settings import REBOOT, Command
from gatekeeper.cameras.push.wishes import Wishes
from gatekeeper.errors import Busy, DeviceError, NotConnected

RESTORE_AFTER: Final = 1.0  # seconds after registering: the camera's first `health` says what needn't be set


class Ear(Protocol):
    """Where commands go."""

    def say(self, text: bytes) -> None:
        """Send a text."""
        ...


Took = Callable[[Command, str], None]
"""Told each command that the camera took, with its words."""


class Tuning:
    """One camera's settings.

    :param clock: for deadlines.
    :param camera: its id.
    :param timeout: seconds that it has to answer a command.
    :param ear: returns where commands go now; None while it isn't connected.
    :param wishes: what it was set to.
    :param took: told of each command that it took.
    :param wall: Unix seconds now.
    """

    _log = Logger()

    def __init__(
        self,
        clock: Any,
        *,
        camera: str,
        timeout: float,
        ear: Callable[[], Ear | None],
        wishes: Wishes,
        took: Took,
        wall: Callable[[], float],
    ) -> None:
        self.asking = Asking(clock, timeout)
        self._clock = clock
        self._camera = camera
        self._ear = ear
        self._wishes = wishes
        self._took = took
        self._wall = wall
        self._busy = False
        self._restoring: IDelayedCall | None = None

    def set(self, commands: Sequence[Command]) -> "Deferred[dict[str, str]]":
        """Send commands one after the other; fires with what the camera says it took, by name.

        Fails with NotConnected, Busy, Rejected or Indeterminate; what was set before that stays set.
        """
        if self._ear() is None:
            raise NotConnected(f"camera {self._camera} is not connected: nothing was sent, and nothing waits for it")
        if self._busy:
            raise Busy(f"camera {self._camera} is being set already: one at a time")
        self._busy = True
        return Deferred.fromCoroutine(self._set(commands))

    def registered(self) -> None:
        """The camera is back: set it again to what it was set to, soon."""
        if self._wishes.again() and self._restoring is None:
            self._restoring = self._clock.callLater(RESTORE_AFTER, self._restore)

    def stop(self) -> None:
        """End what waits; a command in flight stays unanswered."""
        if self._restoring is not None and self._restoring.active():
            self._restoring.cancel()
        self._restoring = None
        self.asking.lost()

    async def _set(self, commands: Sequence[Command]) -> dict[str, str]:
        taken: dict[str, str] = {}
        try:
            for command in commands:
                taken[command.cmd] = await self._ask(command)
        except DeviceError as error:
            if taken:
                raise type(error)(f"{error}; set before that: {', '.join(taken)}") from error
            raise
        finally:
            self._busy = False
        return taken

    async def _ask(self, command: Command) -> str:
        if command.cmd == "resolution" and self._wishes.taken("resolution") == int(command.val):
            words = f"{command.val} (as it was)"  # the real camera calls it an error to set it again
        else:
            ear = self._ear()
            if ear is None:
                raise NotConnected(f"camera {self._camera} is not connected any more")
            text = wire.command(command.cmd, command.val, self._wall())
            words = await self.asking.ask(command, lambda: ear.say(text))
        self._wishes.took(command, words, self._wall())
        if command.cmd != REBOOT.cmd:
            self._took(command, words)
        return words

    def _restore(self) -> None:
        self._restoring = None
        if self._busy:  # somebody sets it right now: after that
            self._restoring = self._clock.callLater(RESTORE_AFTER, self._restore)
            return
        self._busy = True
        Deferred.fromCoroutine(self._set_again(self._wishes.again())).addErrback(self._failed)

    async def _set_again(self, commands: Sequence[Command]) -> None:
        """Set each for itself: one that it takes no more must not cost the others."""
        try:
            for command in commands:
                if self._ear() is None:
                    break
                try:
                    await self._ask(command)
                except DeviceError as error:
                    self._log.warn(
                        "camera {camera} could not be set again to what it was: {reason}",
                        camera=self._camera,
                        reason=str(error),
                    )
        finally:
            self._busy = False

    def _failed(self, failure: Failure) -> None:
        self._log.failure("camera {camera} could not be set again", failure, camera=self._camera)
