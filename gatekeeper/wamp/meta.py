"""The router's own procedures, as a callee that is always there: CALL, authorization and answers as of any other.

Which there are is decided in meta_sessions.py, meta_subscriptions.py and meta_registrations.py; each is a function of
the caller and of the call's arguments, and returns its result or raises WampError.
"""

from collections.abc import Callable
from typing import Any

from gatekeeper.wamp.answers import Report, on_answer
from gatekeeper.wamp.auth import Identity
from gatekeeper.wamp.calls import Calls, Invocation
from gatekeeper.wamp.errors import INVALID_ARGUMENT, INVALID_URI, RUNTIME_ERROR, WampError
from gatekeeper.wamp.ids import is_id
from gatekeeper.wamp.members import Member
from gatekeeper.wamp.messages import ERROR, INVOCATION, YIELD, Message, is_texts, payload
from gatekeeper.wamp.registrations import Endpoint, Registration


class Result:
    """What a procedure gives if that isn't one value: nothing, or names beside it."""

    __slots__ = ("args", "kwargs")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs


class Arguments:
    """A call's arguments, each taken as what it must be.

    :raises WampError: `wamp.error.invalid_argument`, from every method, if it is something else.
    """

    def __init__(self, message: Message) -> None:
        self.args: list[Any] = message[0] if message else []
        self.kwargs: dict[str, Any] = message[1] if len(message) > 1 else {}

    def id(self, place: int) -> int:
        """Return an ID."""
        value = self._at(place)
        if not is_id(value):
            raise WampError(INVALID_ARGUMENT, f"argument {place} is an ID")
        return int(value)

    def text(self, place: int) -> str:
        """Return a string."""
        value = self._at(place)
        if not isinstance(value, str):
            raise WampError(INVALID_ARGUMENT, f"argument {place} is a string")
        return value

    def texts(self, place: int) -> list[str] | None:
        """Return a list of strings, or None if it is left out."""
        value = self._at(place)
        if value is not None and not is_texts(value):
            raise WampError(INVALID_ARGUMENT, f"argument {place} is a list of strings")
        return value if value is None else list(value)

    def mapping(self, place: int) -> dict[str, Any]:
        """Return a map, which may be left out."""
        value = self._at(place)
        if value is not None and not isinstance(value, dict):
            raise WampError(INVALID_ARGUMENT, f"argument {place} is a map")
        return value or {}

    def named(self, name: str, kind: type, default: Any) -> Any:
        """Return a named argument of this type."""
        value = self.kwargs.get(name)
        if value is None:
            return default
        if type(value) is not kind:
            raise WampError(INVALID_ARGUMENT, f"{name} is a {kind.__name__}")
        return value

    def uri(self, name: str, is_uri: Callable[[str], bool], default: str) -> str:
        """Return a named argument that must be a URI."""
        value = self.kwargs.get(name, default)
        if not isinstance(value, str) or not is_uri(value):
            raise WampError(INVALID_URI, f"{name} is not a valid URI")
        return value

    def _at(self, place: int) -> Any:
        return self.args[place] if len(self.args) > place else None


Procedure = Callable[[Member, Arguments], Any]


class MetaCallee(Member):
    """The callee of the router's own procedures; no member that anybody sees.

    :param procedures: each by its name.
    """

    __slots__ = ("_calls", "_procedures", "_report")

    def __init__(self, procedures: dict[str, Procedure], calls: Calls, report: Report) -> None:
        super().__init__(Identity("router", "router", "internal"), "local", trusted=True)
        self._procedures = procedures
        self._calls = calls
        self._report = report

    def offered(self, created: str) -> dict[str, Registration]:
        """Return a registration for each procedure."""
        found = {}
        for number, name in enumerate(self._procedures, 1):
            found[name] = registration = Registration(number, name, "exact", "single", created)
            registration.endpoints.append(Endpoint(self, discloses=False, times=False))
        return found

    def invoke(self, invocation: Invocation, details: dict[str, Any], payload: Message) -> None:
        """Answer a call, now or when the answer is there."""
        if invocation.caller is None:
            return
        try:
            answer = self._procedures[invocation.procedure](invocation.caller, Arguments(payload))
        except Exception as error:  # noqa: BLE001 - a procedure's own words are WampErrors; any other is reported
            self._fail(invocation, error)
        else:
            on_answer(answer, lambda value: self._yield(invocation, value), lambda error: self._fail(invocation, error))

    def _yield(self, invocation: Invocation, value: Any) -> None:
        result = value if isinstance(value, Result) else Result(value)
        if self.invocations.get(invocation.id) is invocation:
            self._calls.yielded(self, [YIELD, invocation.id, {}, *payload(result.args, result.kwargs)])

    def _fail(self, invocation: Invocation, error: BaseException) -> None:
        if not isinstance(error, WampError):
            self._report(f"procedure {invocation.procedure}", error)
            error = WampError(RUNTIME_ERROR, "the router failed")
        if self.invocations.get(invocation.id) is invocation:
            self._calls.failed(self, [ERROR, INVOCATION, invocation.id, {}, error.uri, list(error.args)])
