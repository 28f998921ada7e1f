"""What a local session may ask besides the name and the payload, and what its handlers are told; and decorators.

    @procedure("com.example.add")                    @topic("com.example.", match="prefix")
    def add(self, x, y): ...                         def changed(self, value, *, details): ...

`LocalSession.register_all(something)` and `subscribe_all(something)` take every method so marked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from gatekeeper.wamp.registrations import Invoke
from gatekeeper.wamp.uris import Match


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How a call is made.

    :ivar timeout: milliseconds until it fails with `wamp.error.timeout`; 0 for never.
    :ivar on_progress: called with each part of the result, as an event handler is.
    :ivar cancel_mode: what cancelling the Deferred does.
    :ivar disclose_me: whether a remote callee is told who calls.
    """

    timeout: int = 0
    on_progress: Callable[..., Any] | None = None
    cancel_mode: Literal["skip", "kill", "killnowait"] = "killnowait"
    disclose_me: bool = False

    def on_wire(self) -> dict[str, Any]:
        """Return the options of the CALL."""
        asked = {"timeout": self.timeout, "receive_progress": bool(self.on_progress), "disclose_me": self.disclose_me}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """Whom an event reaches, and whether it is kept; None where nothing is asked."""

    exclude_me: bool = True
    disclose_me: bool = False
    retain: bool = False
    eligible: list[int] | None = None
    eligible_authid: list[str] | None = None
    eligible_authrole: list[str] | None = None
    exclude: list[int] | None = None
    exclude_authid: list[str] | None = None
    exclude_authrole: list[str] | None = None

    def on_wire(self) -> dict[str, Any]:
        """Return the options of the PUBLISH."""
        asked = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in asked.items() if value not in (None, False) or name == "exclude_me"}


@dataclass(frozen=True, slots=True)
class EventDetails:
    """What is known of an event.

    :ivar publisher: the publisher's session ID, if it was disclosed.
    """

    publication: int
    topic: str
    publisher: int | None = None
    publisher_authid: str | None = None
    publisher_authrole: str | None = None
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What a decorated method is to become."""

    kind: Literal["procedure", "topic"]
    uri: str
    options: dict[str, Any] = field(default_factory=dict)


F = TypeVar("F", bound=Callable[..., Any])
_MARKS = "__wamp_marks__"


def procedure(
    uri: str, *, match: Match = "exact", invoke: Invoke = "single", details: bool = False
) -> Callable[[F], F]:
    """Mark a method as a procedure."""
    return _marking(Mark("procedure", uri, {"match": match, "invoke": invoke, "details": details}))


def topic(uri: str, *, match: Match = "exact", get_retained: bool = False, details: bool = False) -> Callable[[F], F]:
    """Mark a method as the handler of a topic's events."""
    return _marking(Mark("topic", uri, {"match": match, "get_retained": get_retained, "details": details}))


def marked(owner: object, kind: Literal["procedure", "topic"]) -> Iterator[tuple[Callable[..., Any], Mark]]:
    """Give the methods of an object that are marked so, each with its mark."""
    for name in dir(type(owner)):
        for mark in getattr(getattr(type(owner), name), _MARKS, ()):
            if mark.kind == kind:
                yield getattr(owner, name), mark


def _marking(mark: Mark) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        setattr(function, _MARKS, (*getattr(function, _MARKS, ()), mark))
        return function

    return decorate
