"""Where remote sessions come from: WebSocket, and RawSocket on TCP and Unix sockets. Only these modules do I/O."""

from gatekeeper.wamp.connection import CLOSING_SECONDS, HANDSHAKE_SECONDS, LEAVING_SECONDS, PING_SECONDS, PONG_ROOM
from gatekeeper.wamp.rawsocket import RawSocketFactory, rawsocket_factory
from gatekeeper.wamp.websocket import MAX_FRAGMENTS, WampFactory, is_allowed_origin, websocket_factory

__all__ = [
    "CLOSING_SECONDS",
    "HANDSHAKE_SECONDS",
    "LEAVING_SECONDS",
    "MAX_FRAGMENTS",
    "PING_SECONDS",
    "PONG_ROOM",
    "RawSocketFactory",
    "WampFactory",
    "is_allowed_origin",
    "rawsocket_factory",
    "websocket_factory",
]
