"""Between messages and Python: what a local session's callers and handlers give and get."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.errors import WampError
from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.options import CallOptions, EventDetails, PublishOptions
from gatekeeper.wamp.shared import Shared


@dataclass(frozen=True, slots=True)
class CallDetails:
    """Who calls: always disclosed to local callees, since they are the server itself.

    :ivar session: the caller's session ID.
    :ivar procedure: what was called, also where a pattern is registered.
    :ivar address: the caller's IP address; "local" for a session of this process.
    :ivar progress: takes a part of the result, as it takes a result, or one `Shared` for all of it; None if the caller
        doesn't want parts.
    :ivar identity: what the authenticator accepted; None for a caller at a router elsewhere.
    """

    session: int
    authid: str
    authrole: str
    procedure: str
    address: str
    progress: Callable[..., None] | None = None
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class CallResult:
    """A result of several values, or of named ones: what a call gives, and what an endpoint may return."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def payload_of(message: Message, start: int) -> tuple[list[Any], dict[str, Any]]:
    """Return the payload that begins at this place of a message."""
    if len(message) > start and type(message[start]) is Shared:
        return message[start].args, message[start].kwargs
    args: list[Any] = message[start] if len(message) > start else []
    kwargs: dict[str, Any] = message[start + 1] if len(message) > start + 1 else {}
    return args, kwargs


def result_of(message: Message) -> Any:
    """Return what a RESULT comes to in Python."""
    args, kwargs = payload_of(message, 3)
    if kwargs or len(args) > 1:
        return CallResult(tuple(args), kwargs)
    return args[0] if args else None


def exception_of(message: Message) -> WampError:
    """Return an ERROR as an exception."""
    args, kwargs = payload_of(message, 5)
    error = WampError(message[4], *args)
    error.kwargs = kwargs  # not as **kwargs: a peer may have named one `uri`
    return error


def event_details(message: Message, topic: str) -> EventDetails:
    """Return what an EVENT tells besides its payload."""
    told = message[3]
    return EventDetails(
        message[2],
        told.get("topic", topic),
        told.get("publisher"),
        told.get("publisher_authid"),
        told.get("publisher_authrole"),
        bool(told.get("retained")),
    )


Options = TypeVar("Options", CallOptions, PublishOptions)


def options_of(kwargs: dict[str, Any], kind: type[Options]) -> Options:
    """Take the options out of the named arguments; whatever else is named `options` is payload."""
    if isinstance(kwargs.get("options"), kind):
        options: Options = kwargs.pop("options")
        return options
    return kind()
