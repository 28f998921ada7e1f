"""Streams of real devices, and of broken ones, fed whole, byte by byte and cut anywhere."""

import time
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatekeeper.cameras import content_type
from gatekeeper.cameras.content_type import InvalidContentType
from gatekeeper.cameras.jpeg import Flaw
from gatekeeper.cameras.multipart import (
    MAXIMUM_HEADERS,
    Ended,
    Event,
    Fault,
    Parser,
    Part,
    Rejected,
    Skipped,
    WrongLength,
)
from tests.cameras.devices import DEVICES, PICTURES, Device
from tests.cameras.pictures import EOI, picture

JPEG = picture(100)
HEAD = b"--frame\r\nContent-Type: image/jpeg\r\n"


def run(data: bytes, cuts: Iterable[int] = (), boundary: str = "frame", maximum: int = 4096) -> list[Event]:
    parser = Parser(boundary, maximum)
    edges = [0, *sorted(cuts), len(data)]
    return [event for start, stop in pairwise(edges) for event in parser.receive_data(data[start:stop])]


def bytewise(data: bytes, boundary: str = "frame", maximum: int = 4096) -> list[Event]:
    return run(data, range(1, len(data)), boundary, maximum)


def pictures(events: Iterable[Event]) -> list[bytes]:
    return [event.jpeg for event in events if isinstance(event, Part)]


def counted(jpeg: bytes, length: int | None = None) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % (len(jpeg) if length is None else length) + jpeg + b"\r\n"


def uncounted(jpeg: bytes) -> bytes:
    return HEAD + b"\r\n" + jpeg + b"\r\n"


# --- real devices ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_a_real_device_is_read_whole_and_byte_by_byte(device: Device) -> None:
    boundary = content_type.boundary(device.content_type)
    whole = run(device.body, boundary=boundary)
    assert not [event for event in whole if not isinstance(event, (Part, Ended))]
    found = pictures(whole)
    assert [found[0], found[2]] == [PICTURES[0], PICTURES[2]]
    assert len(found) == 3
    assert [(event.width, event.height) for event in whole if isinstance(event, Part)][2] == (1600, 1200)
    assert bytewise(device.body, boundary) == whole


@given(st.sampled_from(DEVICES), st.data())
@settings(deadline=None)
def test_a_real_device_cut_anywhere_gives_the_same(device: Device, data: st.DataObject) -> None:
    boundary = content_type.boundary(device.content_type)
    cuts = data.draw(st.lists(st.integers(0, len(device.body)), max_size=30))
    assert run(device.body, cuts, boundary) == run(device.body, boundary=boundary)


def test_with_a_length_the_picture_is_there_with_its_last_byte() -> None:
    parser = Parser("frame")
    data = counted(JPEG).removesuffix(b"\r\n")
    assert parser.receive_data(data[:-1]) == []
    assert parser.receive_data(data[-1:]) == [Part(JPEG, 640, 480)]


# --- broken ones -----------------------------------------------------------------------------------------------------

TRUNCATED = JPEG.removesuffix(EOI)
GOOD = Part(JPEG, 640, 480)

BROKEN: dict[str, tuple[bytes, list[Event]]] = {
    "empty part with a length": (counted(b"") + counted(JPEG), [Rejected(Fault.EMPTY), GOOD]),
    "empty part without one": (uncounted(b"") + counted(JPEG), [Rejected(Fault.EMPTY), GOOD]),
    "a delimiter instead of headers": (b"--frame\r\n" + counted(JPEG), [Rejected(Fault.EMPTY), GOOD]),
    "a delimiter among the headers": (HEAD + counted(JPEG), [Rejected(Fault.EMPTY), GOOD]),
    "html part": (counted(b"<html>no camera</html>") + counted(JPEG), [Rejected(Flaw.NOT_JPEG), GOOD]),
    "truncated with a right length": (counted(TRUNCATED) + counted(JPEG), [Rejected(Flaw.TRUNCATED), GOOD]),
    "truncated without a length": (uncounted(TRUNCATED) + counted(JPEG), [Rejected(Flaw.TRUNCATED), GOOD]),
    "length too small": (
        counted(JPEG, 20) + counted(JPEG) + b"--frame\r\n",
        [WrongLength(20, len(JPEG)), GOOD, GOOD],
    ),
    "length too large": (
        counted(JPEG, 500) + counted(JPEG) + b"--frame\r\n" + bytes(500),
        [WrongLength(500, len(JPEG)), GOOD, GOOD],
    ),
    "length a little too large": (
        counted(JPEG, len(JPEG) + 7) + counted(JPEG) + b"--frame\r\n",
        [WrongLength(len(JPEG) + 7, len(JPEG)), GOOD, GOOD],
    ),
    "length over the limit and wrong": (
        counted(JPEG, 10**8) + counted(JPEG) + b"--frame\r\n",
        [WrongLength(10**8, len(JPEG)), GOOD, GOOD],
    ),
    "length that counts the line break": (counted(JPEG, len(JPEG) + 2) + counted(JPEG), [GOOD, GOOD]),
    "length that is no number": (
        HEAD + b"Content-Length: -5\r\n\r\n" + JPEG + b"\r\n" + counted(JPEG),
        [GOOD, GOOD],
    ),
    "length zero and a picture": (
        counted(JPEG, 0) + counted(JPEG) + b"--frame",
        [WrongLength(0, len(JPEG)), GOOD, GOOD],
    ),
    "junk between parts": (counted(JPEG) + b"junk\r\n" + counted(JPEG), [GOOD, Skipped(8), GOOD]),
    "padding behind the picture": (counted(JPEG + bytes(30)) + counted(JPEG), [GOOD, GOOD]),
    "odd padding behind the picture": (counted(JPEG + b"abc" * 9) + counted(JPEG), [GOOD, GOOD]),
    "no line break behind the picture": (HEAD + b"\r\n" + JPEG + counted(JPEG), [GOOD, GOOD]),
    "one empty line too many": (HEAD + b"\r\n\r\n" + JPEG + counted(JPEG), [GOOD, GOOD]),
    "too large with a length": (counted(picture(5000)) + counted(JPEG), [Rejected(Fault.TOO_LARGE), GOOD]),
    "too large without a length": (uncounted(picture(9000)) + counted(JPEG), [Rejected(Fault.TOO_LARGE), GOOD]),
    "endless headers": (HEAD + b"X: y\r\n" * 3000 + counted(JPEG), [Rejected(Fault.HEADERS_TOO_LONG), GOOD]),
    "an endless header line": (HEAD + b"X" * 20000 + b"\r\n" + counted(JPEG), [Rejected(Fault.HEADERS_TOO_LONG), GOOD]),
    "nothing behind the end": (counted(JPEG) + b"--frame--" + counted(JPEG), [GOOD, Ended()]),
    "the end instead of a part": (b"--frame\r\n--frame--\r\n", [Rejected(Fault.EMPTY), Ended()]),
    "a long preamble": (b"HTTP leftovers\r\n" * 100 + counted(JPEG), [GOOD]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_stream_is_named_and_left_behind(name: str) -> None:
    data, events = BROKEN[name]
    assert run(data) == events
    assert bytewise(data) == events


@given(st.sampled_from(sorted(BROKEN)), st.data())
@settings(deadline=None)
def test_a_broken_stream_cut_anywhere_gives_the_same(name: str, data: st.DataObject) -> None:
    stream, events = BROKEN[name]
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=30))
    assert run(stream, cuts) == events


def test_counts_add_up() -> None:
    parser = Parser("frame", 4096)
    parser.receive_data(counted(JPEG) + b"junk" + counted(JPEG) + counted(JPEG, 20) + counted(b"") + b"--frame")
    assert (parser.rejected, parser.skipped, parser.wrong_lengths) == (1, 1, 1)


def test_a_camera_that_always_declares_too_much_still_shows_every_picture() -> None:
    stream = counted(JPEG, len(JPEG) + 100) * 50 + b"--frame"
    parser = Parser("frame")
    assert pictures(parser.receive_data(stream)) == [JPEG] * 50
    assert parser.wrong_lengths == 50


def test_lengths_are_believed_again_after_enough_right_ones() -> None:
    parser = Parser("frame", distrust=3 * len(JPEG))
    for expected in (0, 1, 1, 2):  # without trust a picture comes with the delimiter behind it
        assert len(pictures(parser.receive_data(counted(JPEG)))) == expected


# --- what is still needed --------------------------------------------------------------------------------------------


def test_needed_counts_down_to_the_last_byte_and_never_more() -> None:
    parser = Parser("frame")
    stream = counted(JPEG)
    last = len(stream) - 2
    for index in range(len(stream)):
        parser.receive_data(stream[index : index + 1])
        in_body = len(stream) - 2 - len(JPEG) <= index + 1 < last
        assert parser.needed == (last - index - 1 if in_body else 0)


@given(st.sampled_from(DEVICES), st.data())
@settings(deadline=None)
def test_nothing_happens_before_the_last_byte_that_is_needed(device: Device, data: st.DataObject) -> None:
    """So a reader that sleeps until `needed` bytes are there misses no picture."""
    parser = Parser(content_type.boundary(device.content_type))
    at = 0
    while at < len(device.body):
        if needed := parser.needed:
            assert parser.receive_data(device.body[at : at + needed - 1]) == []
            assert parser.receive_data(device.body[at + needed - 1 : at + needed]) != []
        at += needed
        size = data.draw(st.integers(1, 90))
        parser.receive_data(device.body[at : at + size])
        at += size


# --- hostile ones ----------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        b"--frame",
        b"\r\n",
        b"\n",
        b"--",
        b"Content-Length: 5\r\n",
        b"Content-Length: 4000\r\n",
        b"\r\n\r\n",
        JPEG,
        JPEG[:40],
    ]
)


@given(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=40), st.data())
@settings(deadline=None)
@example([b"--frame", b"--frame", b"--"], None)
def test_any_bytes_are_survived_and_cuts_change_nothing(pieces: list[bytes], data: st.DataObject | None) -> None:
    stream = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20)) if data is not None else []
    assert run(stream, cuts) == run(stream) == bytewise(stream)


def held(parser: Parser) -> int:
    """Bytes that a parser keeps between calls."""
    return sum(len(piece) for piece in parser._pieces) + len(parser._line) + len(parser._tail)


@given(st.lists(st.one_of(PIECES, st.binary(max_size=300)), max_size=60))
@settings(deadline=None)
def test_what_is_kept_is_bounded(pieces: list[bytes]) -> None:
    parser = Parser("frame", 512)
    for piece in pieces:
        parser.receive_data(piece)
        assert held(parser) <= 512 + MAXIMUM_HEADERS + 2 * content_type.MAXIMUM_BOUNDARY + len(piece)


def test_a_picture_in_single_bytes_costs_little_more_than_its_size() -> None:
    parser = Parser("frame")
    parser.receive_data(HEAD + b"Content-Length: 100000\r\n\r\n")
    for _ in range(50_000):
        parser.receive_data(b"x")
    assert len(parser._pieces) < 50_000 / 256 + 257
    assert held(parser) == 50_001  # and the line break that stands before a delimiter


@pytest.mark.parametrize("boundary", ["", "--", "x" * 300])
def test_a_boundary_that_can_not_be_is_refused(boundary: str) -> None:
    with pytest.raises(InvalidContentType):
        Parser(boundary)


def seconds(size: int) -> float:
    """Return the best of some runs for one picture of `size` bytes in pieces of 64."""
    stream = HEAD + b"\r\n" + bytes(size) + b"\r\n--frame\r\n"
    pieces = [stream[at : at + 64] for at in range(0, len(stream), 64)]
    best = float("inf")
    for _ in range(5):
        parser = Parser("frame", 2 * size)
        start = time.perf_counter()
        for piece in pieces:
            parser.receive_data(piece)
        best = min(best, time.perf_counter() - start)
    return best


def test_time_grows_with_the_size_and_not_with_its_square() -> None:
    """Sixteen times the bytes would take 256 times as long if the picture were copied or searched anew each time."""
    assert seconds(1_600_000) < 80 * seconds(100_000)


def test_a_wrong_length_is_read_again_once_and_not_for_every_small_part() -> None:
    """Parts that each claim the most that may be claimed: only the first is believed, until the claims come true."""
    parser = Parser("frame", 1_000_000)
    stream = counted(JPEG, 1_000_000) * 20_000
    events = parser.receive_data(stream)
    assert len(pictures(events)) == 20_000 - 1
    assert parser._distrust == 4_000_000
