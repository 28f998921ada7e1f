"""Answers that may come later: where the router meets Deferreds, coroutines, and other people's errors."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

Report = Callable[[str, BaseException], None]
"""Told of an error in code that the router called: where it happened, and the exception."""

_log = Logger()


def log_failure(where: str, error: BaseException) -> None:
    """Log an error with its traceback; the default Report."""
    _log.failure("{where} failed", Failure(error, type(error), error.__traceback__), where=where)


def on_answer(answer: Any, answered: Callable[[Any], None], failed: Callable[[BaseException], None]) -> None:
    """Hand over an answer: at once if it is a plain value, else when its Deferred, coroutine or Future gives it."""
    later = deferred_of(answer)
    if later is None:
        answered(answer)
        return
    later.addCallbacks(answered, lambda failure: failed(failure.value))
    later.addErrback(_log_failure)


def after(answer: Any, decide: Callable[[Any], Any]) -> Any:
    """Return what `decide` makes of an answer: at once if that is a plain value, else a Deferred of it."""
    later = deferred_of(answer)
    return decide(answer) if later is None else later.addCallback(decide)


def deferred_of(answer: Any) -> Deferred[Any] | None:
    """Return the answer as a Deferred, or None if it is a plain value."""
    if isinstance(answer, Deferred):
        return answer
    if inspect.iscoroutine(answer):
        return Deferred.fromCoroutine(answer)
    if asyncio.isfuture(answer):
        return Deferred.fromFuture(answer)
    return None


def _log_failure(failure: Failure) -> None:
    _log.failure("taking an answer failed", failure)
