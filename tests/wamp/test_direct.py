"""The path of a frame straight to the kernel, on a real socket that no reactor runs."""

import socket
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from twisted.internet import tcp
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactor
from twisted.python.failure import Failure

from gatekeeper.wamp.codecs import CBOR
from gatekeeper.wamp.transport import (
    PONG_ROOM,
)
from tests.wamp.bench import Bench
from tests.wamp.helpers import ROLES
from tests.wamp.wire import handshake, masked


def connected_by_a_socket() -> tuple[Any, socket.socket]:
    """Return a joined protocol on a real TCP transport that no reactor runs, and the client's end."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    bench = Bench(CBOR)
    port: Any = SimpleNamespace(_realPortNumber=1)
    transport = tcp.Server(ours, bench.protocol, ("127.0.0.1", 1), port, 1, MemoryReactor())
    bench.protocol.makeConnection(transport)
    for data in (handshake(CBOR), masked(CBOR.encode([1, "realm", ROLES]), binary=True)):
        bench.protocol.dataReceived(data)
        transport.doWrite()
    theirs.recv(65536)
    return bench.protocol, theirs


def hang_up(protocol: Any, theirs: socket.socket) -> None:
    protocol.connectionLost(Failure(ConnectionDone()))
    protocol.transport.socket.close()
    theirs.close()


def test_what_is_unsent_goes_first_even_if_the_kernel_has_room_again() -> None:
    protocol, theirs = connected_by_a_socket()
    frames = [bytes([0x82, 126]) + (60_000).to_bytes(2, "big") + bytes([number]) * 60_000 for number in range(20)]
    unsent = [protocol.write(frame) for frame in frames[:10]]
    assert unsent[-1] > 0
    received = theirs.recv(1 << 20)
    for frame in frames[10:]:
        protocol.write(frame)
    while protocol.unsent_bytes():
        protocol.transport.doWrite()
        received += theirs.recv(1 << 20)
    with suppress(BlockingIOError):
        received += theirs.recv(1 << 20)
    assert received == b"".join(frames)
    hang_up(protocol, theirs)


def test_pongs_do_not_pile_up_on_a_socket() -> None:
    protocol, theirs = connected_by_a_socket()
    while not protocol.unsent_bytes():
        protocol.write(bytes(60_000))
    for _ in range(2000):
        protocol.dataReceived(bytes.fromhex("89fd00000000") + bytes(125))
    assert protocol.unsent_bytes() < PONG_ROOM + 60_000
    hang_up(protocol, theirs)
