"""The error and close URIs of the WAMP specification, and the exceptions that carry them inside the router.

`WampError` is an answer: it becomes one ERROR message and the session lives on. `ProtocolViolation` is the end of the
session that caused it. `CodecError` says that bytes or values don't fit a serialization.
"""

from typing import Any

INVALID_URI = "wamp.error.invalid_uri"
INVALID_ARGUMENT = "wamp.error.invalid_argument"
NO_SUCH_PROCEDURE = "wamp.error.no_such_procedure"
NO_SUCH_REGISTRATION = "wamp.error.no_such_registration"
NO_SUCH_SUBSCRIPTION = "wamp.error.no_such_subscription"
NO_SUCH_REALM = "wamp.error.no_such_realm"
NO_MATCHING_AUTH_METHOD = "wamp.error.no_matching_auth_method"
PROCEDURE_ALREADY_EXISTS = "wamp.error.procedure_already_exists"
NOT_AUTHORIZED = "wamp.error.not_authorized"
AUTHORIZATION_FAILED = "wamp.error.authorization_failed"
AUTHENTICATION_FAILED = "wamp.error.authentication_failed"
OPTION_NOT_ALLOWED = "wamp.error.option_not_allowed"
DISCLOSE_ME_DISALLOWED = "wamp.error.option_disallowed.disclose_me"  # of PUBLISH, and of the table of URIs
DISCLOSE_ME_NOT_ALLOWED = "wamp.error.disclose_me.not_allowed"  # of CALL, whose section has a URI of its own
FEATURE_NOT_SUPPORTED = "wamp.error.feature_not_supported"
NO_SUCH_SESSION = "wamp.error.no_such_session"
PROTOCOL_VIOLATION = "wamp.error.protocol_violation"
CANCELED = "wamp.error.canceled"
TIMEOUT = "wamp.error.timeout"
UNAVAILABLE = "wamp.error.unavailable"  # also what a named limit of the router answers with
RUNTIME_ERROR = "wamp.error.runtime_error"  # not in the specification; every client library knows it

CLOSE_NORMAL = "wamp.close.normal"
GOODBYE_AND_OUT = "wamp.close.goodbye_and_out"
SYSTEM_SHUTDOWN = "wamp.close.system_shutdown"
KILLED = "wamp.close.killed"


class WampError(Exception):
    """An ERROR message as an exception: what a call fails with, and what an endpoint may raise.

    :ivar uri: the error URI.
    :ivar args: the positional payload, by convention one sentence.
    :ivar kwargs: the keyword payload.
    """

    def __init__(self, uri: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args)
        self.uri = uri
        self.kwargs = kwargs

    def __str__(self) -> str:
        return f"{self.uri}: {', '.join(map(str, self.args))}" if self.args else self.uri


class ProtocolViolation(Exception):
    """The peer broke the protocol; its session ends with ABORT `wamp.error.protocol_violation`."""


class CodecError(Exception):
    """Bytes that aren't a message of this serialization, or a value that it can't express."""
