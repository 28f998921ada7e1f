"""Idempotency keys: the same call twice is one opening, and both callers get its one answer."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from gatekeeper.errors import Busy, InvalidArgument, NotConnected

KEPT_FOR = 600.0
"""Seconds that an answer is remembered: longer than any caller retries."""

KEPT = 1000
"""Answers remembered at most; beyond that the oldest is forgotten."""


@dataclass(slots=True)
class _First:
    arguments: Hashable
    at: float
    waiting: list["Deferred[Any]"] = field(default_factory=list)
    answered: bool = False
    answer: Any = None


class Repeats:
    """The answers of the newest keyed calls.

    :param clock: monotonic seconds now.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._firsts: OrderedDict[Hashable, _First] = OrderedDict()

    def once(self, key: Hashable, arguments: Hashable, start: Callable[[], "Deferred[Any]"]) -> "Deferred[Any]":
        """Start the call unless one with this key was; fire with its answer in either case.

        An answer that says that nothing was sent isn't remembered: the caller may try again with the same key.

        :raises InvalidArgument: if the key was used with other arguments.
        """
        self._forget_old()
        first = self._firsts.get(key)
        if first is None:
            self._make_room()
            first = self._firsts[key] = _First(arguments, self._clock())
            answer = self._join(first)
            start().addBoth(self._answered, key, first)
            return answer
        if first.arguments != arguments:
            raise InvalidArgument("idempotency_key: used before with other arguments")
        return self._join(first)

    def _join(self, first: _First) -> "Deferred[Any]":
        answer: Deferred[Any] = Deferred()
        if first.answered:
            answer.callback(first.answer)  # a Failure makes it fail
        else:
            first.waiting.append(answer)
        return answer

    def _answered(self, answer: Any, key: Hashable, first: _First) -> None:
        first.answered, first.answer = True, answer
        if isinstance(answer, Failure):
            answer.cleanFailure()
            if answer.check(Busy, NotConnected):
                self._firsts.pop(key, None)
        waiting, first.waiting = first.waiting, []
        for one in waiting:
            one.callback(answer)

    def _forget_old(self) -> None:
        horizon = self._clock() - KEPT_FOR
        while self._firsts:
            key, first = next(iter(self._firsts.items()))
            if first.at > horizon or not first.answered:
                return
            del self._firsts[key]

    def _make_room(self) -> None:
        """Forget the oldest for a new one; never for a repeat, which could be the oldest's."""
        while len(self._firsts) >= KEPT:
            key, first = next(iter(self._firsts.items()))
            if not first.answered:
                return
            del self._firsts[key]
