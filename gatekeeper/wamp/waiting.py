"""Messages that wait for an authorizer whose answer takes time.

They are served in the order in which they came, each when all before it are. Answers to invocations (YIELD, ERROR)
don't wait: they need no authorization, and the authorizer itself may be what was called.
"""

from collections import deque

from gatekeeper.wamp.codecs import CBOR
from gatekeeper.wamp.errors import CodecError
from gatekeeper.wamp.messages import Message

MAX_MESSAGES = 1000  # a page's burst of subscriptions and calls at its start fits
MAX_BYTES = 1024 * 1024  # what one session may make the router hold


class Waiting:
    """One session's messages, the one in question first."""

    __slots__ = ("_bytes", "messages")

    def __init__(self, first: Message) -> None:
        self.messages = deque([first])
        self._bytes = 0

    def add(self, message: Message) -> bool:
        """Take a message behind the others; tell whether there was room."""
        self._bytes += _size(message)
        if len(self.messages) >= MAX_MESSAGES or self._bytes > MAX_BYTES:
            return False
        self.messages.append(message)
        return True


def _size(message: Message) -> int:
    try:
        return len(CBOR.encode(message))
    except CodecError:
        return MAX_BYTES  # a local session's own values; it waits alone
