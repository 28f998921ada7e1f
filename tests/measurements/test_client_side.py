"""The sender's half of a WebSocket against Autobahn's server, cut anywhere, and against servers that aren't any."""

from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from gatekeeper.measurements.client_side import MAXIMUM, BrokenProtocol, ClientSide, address_of
from tests.sites import Wire

ADDRESS = address_of("ws://127.0.0.1:8080/x?token=t")
ACCEPT = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


class Echo(WebSocketServerProtocol):  # type: ignore[misc]  # Autobahn has no types here
    def onConnect(self, request: Any) -> None:
        self.asked = request

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


class Talk:
    """A client's side and a server, and what goes between them."""

    def __init__(self) -> None:
        factory = WebSocketServerFactory(reactor=Clock())
        factory.protocol = Echo
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
        self.wire = Wire()
        self.server: Any = factory.buildProtocol(None)
        self.server.makeConnection(self.wire)
        self.side = ClientSide(ADDRESS, "secret")
        assert not self.side.is_open
        self.pass_on()
        assert self.side.is_open

    def pass_on(self, there: int = 0, back: int = 0) -> list[str]:
        """Carry what each has written to the other, in two pieces; return the texts that came back."""
        data = bytes(self.side.out)
        self.side.out.clear()
        self.server.dataReceived(data[:there])
        self.server.dataReceived(data[there:])
        data = self.wire.value()
        self.wire.clear()
        return self.side.feed(data[:back]) + self.side.feed(data[back:])


def opened() -> ClientSide:
    return Talk().side


def test_the_handshake_is_one_that_a_server_takes_and_carries_the_token() -> None:
    asked = Talk().server.asked
    assert asked.headers["authorization"] == "Bearer secret"
    assert asked.params == {"token": ["t"]}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "answered 401: is the key right"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "answered 200"),
        (ACCEPT + b"wrong\r\n\r\n", "does not speak WebSocket"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak WebSocket"),
    ],
)
def test_what_answers_instead_of_a_websocket_is_told(answer: bytes, why: str) -> None:
    with pytest.raises(BrokenProtocol, match=why):
        ClientSide(ADDRESS).feed(answer)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 70_000).map(lambda size: "x" * size), max_size=4), st.data())
def test_texts_come_back_whole_however_they_are_cut(texts: list[str], data: st.DataObject) -> None:
    talk = Talk()
    for text in texts:
        talk.side.say(text)
    there = data.draw(st.integers(0, len(talk.side.out)))
    assert talk.pass_on(there, data.draw(st.integers(0, 1000))) == texts


def test_a_ping_is_answered_and_a_close_is_heard_with_its_reason() -> None:
    talk = Talk()
    pongs: list[bytes] = []
    talk.server.onPong = pongs.append
    talk.server.sendPing(b"there?")
    talk.pass_on()
    talk.pass_on()
    assert pongs == [b"there?"]
    talk.server.sendClose(4401, "bring a key")
    with pytest.raises(BrokenProtocol, match="closed the connection: bring a key"):
        talk.pass_on()


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x81\x80aaaa",  # masked
        b"\xc1\x00",  # a reserved bit
        b"\x09\x00",  # a ping in pieces
        b"\x80\x00",  # a piece of nothing
        b"\x01\x00\x81\x00",  # a message within another
        b"\x81\x01\xff",  # no UTF-8
    ],
)
def test_what_no_server_may_send_ends_it(wrong: bytes) -> None:
    side = opened()
    with pytest.raises(BrokenProtocol):
        side.feed(wrong)


def test_a_text_that_does_not_end_is_not_kept() -> None:
    side = opened()
    side.feed(b"\x81\x7f" + (2**40).to_bytes(8, "big") + b"x" * MAXIMUM)
    with pytest.raises(BrokenProtocol, match="more than"):
        side.feed(b"x")


@given(st.binary(max_size=200))
def test_any_bytes_are_texts_or_the_end(data: bytes) -> None:
    for side in (opened(), ClientSide(ADDRESS)):
        try:
            texts = side.feed(data)
        except BrokenProtocol:
            continue
        assert all(isinstance(text, str) for text in texts)


@pytest.mark.parametrize("url", ["http://x", "ws://", "server:8080", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no ws://"):
        address_of(url)


def test_addresses_lead_where_they_say() -> None:
    assert address_of("wss://h") == ("h", 443, True, "/")
    assert address_of("ws://[::1]:9/a?b=c") == ("::1", 9, False, "/a?b=c")
