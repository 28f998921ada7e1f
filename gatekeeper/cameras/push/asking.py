"""One command at a time to one camera, and the camera's own answer to it, or the time that is over.

A `response` carries no number, only the command's name. After a time-out the camera still owes an answer: one that
can't be meant for the next command of that name is taken for it, and dropped.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from gatekeeper.cameras.push.settings import Command, takes
from gatekeeper.cameras.push.wire import Response, shown
from gatekeeper.errors import GatekeeperError, Indeterminate, Rejected


class Asking:
    """The command that is in flight, if one is.

    :param clock: for the deadline.
    :param timeout: seconds that the camera has.
    """

    def __init__(self, clock: Any, timeout: float) -> None:
        self._clock = clock
        self._timeout = timeout
        self._command: Command | None = None
        self._answer: Deferred[str] | None = None
        self._timer: IDelayedCall | None = None
        self._owed: Counter[str] = Counter()  # command -> answers of which the time is over

    def ask(self, command: Command, send: Callable[[], None]) -> "Deferred[str]":
        """Send a command; fires with the camera's read-back.

        Fails with Rejected if the camera says no, with Indeterminate if it says nothing in time, or goes.
        """
        assert self._command is None, "one in flight"  # noqa: S101 - its caller sees to that
        answer: Deferred[str] = Deferred()
        self._command, self._answer = command, answer
        self._timer = self._clock.callLater(self._timeout, self._expire)
        send()
        return answer

    def answered(self, response: Response) -> None:
        """Take in an answer; one to no command of ours is dropped."""
        command = self._command
        if command is None or response.cmd != command.cmd:
            self._settle(response.cmd)
            return
        value, owed = shown(response.value), self._owed[command.cmd] > 0
        if response.status == "ok":
            if owed and not takes(command, response.value):
                self._settle(command.cmd)
                return
            self._end(value)
        elif owed:
            self._settle(command.cmd)
            self._end(Indeterminate(f"{command.cmd}: the camera refused this, or the same command before: {value}"))
        else:
            self._end(Rejected(f'{command.cmd}: the camera answered "{value}"'))

    def lost(self) -> None:
        """The connection is gone: nothing is owed any more, and what is in flight stays unanswered."""
        self._owed.clear()
        if self._command is not None:
            self._end(Indeterminate(f"{self._command.cmd}: the connection was lost before the camera answered"))

    def _settle(self, cmd: str) -> None:
        if self._owed[cmd] > 1:
            self._owed[cmd] -= 1
        else:
            del self._owed[cmd]

    def _expire(self) -> None:
        assert self._command is not None  # noqa: S101 - the timer belongs to it
        cmd = self._command.cmd
        self._owed[cmd] += 1
        self._end(Indeterminate(f"{cmd}: the camera did not answer within {self._timeout:g} s"))

    def _end(self, result: str | GatekeeperError) -> None:
        answer, timer = self._answer, self._timer
        self._command = self._answer = self._timer = None
        if timer is not None and timer.active():
            timer.cancel()
        if answer is not None:
            if isinstance(result, GatekeeperError):
                answer.errback(result)
            else:
                answer.callback(result)
