"""Files sent as answers: whole, in pieces, at the client's pace, and let go of whatever happens."""

import io
import os
import tempfile
from typing import Any, BinaryIO

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from gatekeeper.http.download import PIECE, STALL, Download
from gatekeeper.http.requests import HttpSite
from tests.sites import Wire, answers

WHOLE = os.urandom(3 * PIECE + 17)


def file_of(content: bytes) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - what is tested closes it
    file.write(content)
    file.flush()
    return file


class Narrow(Wire):
    """A connection that has enough after each piece, until the test resumes it."""

    producer: Any

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.producer is not None:
            self.producer.pauseProducing()


class Page(Resource):
    """Answers with one download, as Klein would: finished when it is done, cancelled when the client goes."""

    isLeaf = True

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.download: Any = None
        self.ended: list[Any] = []

    def render_GET(self, request: Request) -> int:
        self.download = Download(request, self.clock)
        done = self.download.done
        request.notifyFinish().addErrback(lambda _: done.cancel())
        done.addCallback(lambda rest: (request.write(rest), request.finish()))
        done.addBoth(self.ended.append)
        return NOT_DONE_YET


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def page(clock: Clock) -> Page:
    return Page(clock)


def ask(page: Page, wire: Any) -> Any:
    channel: Any = HttpSite(page, page.clock).buildProtocol(IPv4Address("TCP", "127.0.0.1", 5))
    wire.protocol = channel
    channel.makeConnection(wire)
    channel.dataReceived(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    return wire


def lose(wire: Wire) -> None:
    wire.protocol.connectionLost(Failure(ConnectionDone()))


def cancelled(page: Page) -> bool:
    [end] = page.ended
    return isinstance(end, Failure) and end.check(CancelledError) is not None


def stalling(page: Page) -> bool:
    return any(getattr(call, "func", None) == page.download._stalled for call in page.clock.getDelayedCalls())


@pytest.mark.parametrize("content", [b"", b"x", WHOLE[:PIECE], WHOLE], ids=len)
def test_a_file_arrives_whole_and_is_closed(page: Page, content: bytes) -> None:
    wire = ask(page, Wire())
    file = file_of(content)
    page.download.send(file)
    [answer] = answers(wire.value())
    assert (answer.status, answer.body == content) == (200, True)
    assert answer.fields["content-length"] == str(len(content))
    assert file.closed
    assert not stalling(page)


def test_a_file_is_sent_from_its_start_wherever_it_stands(page: Page) -> None:
    wire = ask(page, Wire())
    file = file_of(b"abc")
    file.seek(2)
    page.download.send(file)
    assert answers(wire.value())[0].body == b"abc"


def test_no_more_is_read_than_the_connection_takes(page: Page, clock: Clock) -> None:
    wire = ask(page, Narrow())
    file = file_of(WHOLE)
    page.download.send(file)
    for pieces in (1, 2, 3):
        _, _, body = wire.value().partition(b"\r\n\r\n")
        assert body == WHOLE[: pieces * PIECE]
        assert file.tell() == pieces * PIECE
        clock.advance(STALL - 1)
        wire.producer.resumeProducing()
    assert answers(wire.value())[0].body == WHOLE
    assert not stalling(page)


def test_who_takes_nothing_for_a_minute_is_cut(page: Page, clock: Clock) -> None:
    wire = ask(page, Narrow())
    file = file_of(WHOLE)
    page.download.send(file)
    clock.advance(STALL - 0.1)
    assert not wire.aborted
    clock.advance(0.2)
    assert wire.aborted
    assert file.closed
    lose(wire)
    assert cancelled(page)


def test_who_goes_in_the_middle_leaves_no_file_and_no_timer(page: Page) -> None:
    wire = ask(page, Narrow())
    file = file_of(WHOLE)
    page.download.send(file)
    assert stalling(page)
    lose(wire)
    assert file.closed
    assert cancelled(page)
    assert not stalling(page)


def test_who_goes_while_the_file_is_made_leaves_none_behind(page: Page) -> None:
    wire = ask(page, Wire())
    lose(wire)
    assert cancelled(page)
    file = file_of(b"abc")
    page.download.send(file)
    assert file.closed
    assert wire.value() == b""
    page.download.fail(Failure(OSError("too late")))


def test_a_file_that_is_not_made_is_told(page: Page) -> None:
    ask(page, Wire())
    page.download.fail(Failure(OSError("the disk is full")))
    assert page.ended[0].check(OSError)


def test_a_file_that_shrinks_does_not_look_whole(page: Page) -> None:
    wire = ask(page, Narrow())
    file = file_of(WHOLE)
    page.download.send(file)
    file.truncate(PIECE + 5)
    wire.producer.resumeProducing()
    wire.producer.resumeProducing()
    assert wire.aborted
    assert file.closed


def test_a_file_without_a_descriptor_is_refused(page: Page) -> None:
    ask(page, Wire())
    with pytest.raises(io.UnsupportedOperation):
        page.download.send(io.BytesIO(b"abc"))
