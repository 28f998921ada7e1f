"""The errors that leave gatekeeper, and the one table of how each looks on every wire.

An error that a caller can meet is a class here with a row in its own attributes: a `code` (stable, for programs), an
HTTP status, and a WAMP error URI made from the code. Nothing else in the program maps errors to wires.
"""

from typing import ClassVar

WAMP_PREFIX = "gatekeeper.error."


class GatekeeperError(Exception):
    """What every error of gatekeeper is; `str(error)` is one sentence that a person understands.

    :cvar code: the stable name for programs, the same on every wire.
    :cvar status: the HTTP status that carries it.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    @property
    def uri(self) -> str:
        """The WAMP error URI."""
        return WAMP_PREFIX + self.code


class ConfigurationError(GatekeeperError):
    """The configuration can't be used; the message names the key path, what was found and what is allowed."""

    code = "configuration"


class InvalidArgument(GatekeeperError):
    """An argument has the wrong type or range; the message names it."""

    code = "invalid_argument"
    status = 400


class TooLarge(GatekeeperError):
    """A request holds more than anything here takes."""

    code = "too_large"
    status = 413


class UpgradeRequired(GatekeeperError):
    """The address speaks WebSocket, and the request doesn't."""

    code = "upgrade_required"
    status = 426


class NotAuthenticated(GatekeeperError):
    """Nobody is logged in."""

    code = "not_authenticated"
    status = 401


class AccessDenied(GatekeeperError):
    """This caller may not do this."""

    code = "denied"
    status = 403


class InsecureChannel(AccessDenied):
    """Passwords aren't taken over this connection: it is plain HTTP and comes from another machine."""

    code = "insecure"


class TooManyAttempts(GatekeeperError):
    """Too many wrong passwords: wait.

    :ivar retry_after: seconds until the next attempt is looked at.
    """

    code = "too_many_attempts"
    status = 429

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFound(GatekeeperError):
    """There is nothing at this address."""

    code = "not_found"
    status = 404


class NoSuchDoor(NotFound):
    """No door has this id, or no id was given where there are several doors."""

    code = "no_such_door"


class NoSuchCamera(NotFound):
    """No camera has this id."""

    code = "no_such_camera"


class NoSuchFeed(NotFound):
    """The camera has no feed of this name."""

    code = "no_such_feed"


class NoSuchUser(NotFound):
    """No account has this name."""

    code = "no_such_user"


class NoSuchKey(NotFound):
    """No API key has this id."""

    code = "no_such_key"


class NoSuchEvent(NotFound):
    """No event has this id, or it isn't kept any more."""

    code = "no_such_event"


class NoSuchPicture(NotFound):
    """No kept picture has this id, or it isn't kept any more."""

    code = "no_such_picture"


class NoSuchSession(NotFound):
    """No measurement session has this id."""

    code = "no_such_session"


class MethodNotAllowed(GatekeeperError):
    """The address is right, the HTTP method is not."""

    code = "method_not_allowed"
    status = 405


class Busy(GatekeeperError):
    """Another command is in flight to this device: one at a time."""

    code = "busy"
    status = 409


class Conflict(GatekeeperError):
    """The name is taken, or this is the last owner."""

    code = "conflict"
    status = 409


class NotReloaded(GatekeeperError):
    """The configuration file can't be used, or there is none; the site runs on as it was."""

    code = "not_reloaded"
    status = 409


class StorageUnavailable(GatekeeperError):
    """The database can't take or give this now: it is full, locked, or gone.

    Nothing was stored, unless the message says that it may have been.
    """

    code = "storage_unavailable"
    status = 503


class Overloaded(StorageUnavailable):
    """More waits to be stored than may wait: send slower."""

    code = "overloaded"


class ProtocolError(GatekeeperError):
    """A peer broke the protocol that it speaks."""

    code = "protocol"
    status = 502


class DeviceError(GatekeeperError):
    """A device did not do what was asked of it."""

    code = "device"
    status = 502


class Rejected(DeviceError):
    """The device answered, and the answer was no."""

    code = "rejected"


class NotConnected(DeviceError):
    """There is no link to the device; nothing was sent and nothing is queued."""

    code = "not_connected"
    status = 503


class NoPicture(DeviceError):
    """The camera has no live picture to give."""

    code = "no_picture"
    status = 503


class Indeterminate(DeviceError):
    """The command left and no acknowledgement came in time: the device may or may not have acted.

    The state is `unknown` until the device's own STATUS answers.
    """

    code = "timeout"
    status = 504


def all_errors() -> list[type[GatekeeperError]]:
    """Every error class, parents before children: the table that the documentation and the tests walk."""
    found: list[type[GatekeeperError]] = [GatekeeperError]
    for cls in found:
        found.extend(cls.__subclasses__())
    return found
