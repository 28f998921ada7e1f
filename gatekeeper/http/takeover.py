"""Take a connection away from twisted.web after its request, to write to the socket without its layers.

twisted.web has no public way to do so; this is the one place that knows its channel and the wrappers around it.
"""

from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from twisted.web.server import Request


class CannotTakeOver(Exception):
    """The request has no connection of its own: HTTP/2, or it is gone already."""


class Takeover(Protocol):
    """The protocol in place of twisted.web's channel; tells the request when the connection ends.

    :ivar transport: the connection's; TLS or another wrapper, if there is one.
    """

    transport: Any

    def __init__(self, request: Request) -> None:
        channel: Any = request.channel
        if channel is None or channel.transport is None:
            raise CannotTakeOver
        self._channel = channel
        transport, channel.transport = channel.transport, None
        transport.unregisterProducer()  # the channel itself
        if isinstance(transport, ProtocolWrapper):  # TLS by endpoint, policies
            transport.wrappedProtocol = self
        elif isinstance(transport.protocol, ProtocolWrapper):  # startTLS
            transport.protocol.wrappedProtocol = self
        else:
            transport.protocol = self
        self.makeConnection(transport)
        transport.resumeProducing()  # the channel stops reading a peer that sends more before it is answered

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass it on to the request, whose `notifyFinish` may be waited for."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.connectionLost(reason)


def write_headers(request: Request) -> None:
    """Write the status line and the headers set on the request: as HTTP/1.1, neither chunked nor with a length."""
    channel: Any = request.channel
    if channel is None or channel.transport is None:
        raise CannotTakeOver
    if request.cookies:
        request.responseHeaders.setRawHeaders(b"Set-Cookie", request.cookies)
    channel.writeHeaders(b"HTTP/1.1", b"%d" % request.code, request.code_message, request.responseHeaders)
