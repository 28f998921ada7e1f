"""The sender's half of a WebSocket against Autobahn's server, cut anywhere."""

from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from gatekeeper.measurements import client_frames
from gatekeeper.measurements.client_frames import BINARY, CLOSE, MAXIMUM, PING, PONG, TEXT, BrokenProtocol, Frames
from tests.sites import Wire

ADDRESS = client_frames.address_of("ws://127.0.0.1:8080/x?token=t")


class Echo(WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn has no types here
    def onConnect(self, request: Any) -> None:
        self.asked = request

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


def server() -> tuple[Any, Wire]:
    factory = WebSocketServerFactory(reactor=Clock())
    factory.protocol = Echo
    factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
    wire = Wire()
    protocol = factory.buildProtocol(None)
    protocol.makeConnection(wire)
    return protocol, wire


def opened() -> tuple[Any, Wire]:
    protocol, wire = server()
    key = client_frames.new_key()
    protocol.dataReceived(client_frames.request(ADDRESS, key, "secret"))
    head, _, rest = wire.value().partition(b"\r\n\r\n")
    client_frames.answered(head, key)
    assert rest == b""
    wire.clear()
    return protocol, wire


def test_the_handshake_is_one_that_a_server_takes_and_carries_the_token() -> None:
    protocol, _ = opened()
    assert protocol.asked.headers["authorization"] == "Bearer secret"
    assert protocol.asked.params == {"token": ["t"]}


def test_a_page_that_answers_instead_of_a_websocket_is_told() -> None:
    with pytest.raises(BrokenProtocol, match=r"the server answered: HTTP/1\.1 401 Unauthorized"):
        client_frames.answered(b"HTTP/1.1 401 Unauthorized\r\nServer: x", "k")
    with pytest.raises(BrokenProtocol, match="did not open"):
        client_frames.answered(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: wrong", "k")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 70_000).map(lambda size: b"x" * size), max_size=4), st.data())
def test_messages_come_back_whole_however_they_are_cut(messages: list[bytes], data: st.DataObject) -> None:
    protocol, wire = opened()
    sent = b"".join(client_frames.frame(TEXT, one) for one in messages)
    cut = data.draw(st.integers(0, len(sent)))
    protocol.dataReceived(sent[:cut])
    protocol.dataReceived(sent[cut:])
    back, frames, found = wire.value(), Frames(), []
    cut = data.draw(st.integers(0, len(back)))
    found += frames.feed(back[:cut])
    found += frames.feed(back[cut:])
    assert found == [(TEXT, one) for one in messages]


def test_a_ping_is_answered_by_the_server_and_a_close_is_heard() -> None:
    protocol, wire = opened()
    protocol.dataReceived(client_frames.frame(PING, b"there?"))
    protocol.sendClose(4401, "bring a key")
    [pong, close] = Frames().feed(wire.value())
    assert pong == (PONG, b"there?")
    assert close == (CLOSE, (4401).to_bytes(2, "big") + b"bring a key")


def test_pieces_become_a_message_with_a_ping_between_them() -> None:
    pieces = b"\x01\x02he" + b"\x89\x00" + b"\x80\x03llo"
    frames, found = Frames(), []
    for octet in pieces:
        found += frames.feed(bytes([octet]))
    assert found == [(PING, b""), (TEXT, b"hello")]


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x81\x80aaaa",  # masked
        b"\xc1\x00",  # a reserved bit
        b"\x09\x00",  # a ping in pieces
        b"\x80\x00",  # a piece of nothing
        b"\x01\x00\x81\x00",  # a message within another
        b"\x81\x7f" + (MAXIMUM + 1).to_bytes(8, "big"),
    ],
)
def test_what_no_server_may_send_ends_it(wrong: bytes) -> None:
    with pytest.raises(BrokenProtocol):
        Frames().feed(wrong)


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_the_end(data: bytes) -> None:
    try:
        found = Frames().feed(data)
    except BrokenProtocol:
        return
    assert all(opcode >= CLOSE or opcode in (TEXT, BINARY) or opcode < CLOSE for opcode, _ in found)


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_a_mask_taken_off_gives_what_it_was_laid_over(payload: bytes, mask: bytes) -> None:
    covered = client_frames.masked(payload, mask)
    assert covered == bytes(octet ^ mask[place % 4] for place, octet in enumerate(payload))
    assert client_frames.masked(covered, mask) == payload


@pytest.mark.parametrize("url", ["http://x", "ws://", "server:8080", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no ws://"):
        client_frames.address_of(url)


def test_addresses_lead_where_they_say() -> None:
    assert client_frames.address_of("wss://h") == ("h", 443, True, "/")
    assert client_frames.address_of("ws://[::1]:9/a?b=c") == ("::1", 9, False, "/a?b=c")
