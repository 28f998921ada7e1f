"""A picture framed once: well-formed however it is cut, and gone with its last holder."""

import os

import pytest

from gatekeeper.cameras.multipart import Parser
from gatekeeper.cameras.multipart import Part as Parsed
from gatekeeper.http.part import OPENINGS, Cut, Part, Slot
from tests.cameras.pictures import picture
from tests.http.mjpeg_viewers import PartReader

HAS_MEMORY_FILES = hasattr(os, "memfd_create")


def body(cut: Cut, jpegs: list[bytes]) -> bytes:
    out = OPENINGS[cut]
    for index, jpeg in enumerate(jpegs, 1):
        part = Part(index, jpeg, 1700000000.25, index)
        out += part.data[part.starts[cut] : part.ends[cut]]
    return out


def test_a_part_is_laid_out_as_documented() -> None:
    assert body(Cut.DELIMITER, [b"JPEG"]) == (
        b"--frame\r\n"
        b"Content-Type: image/jpeg\r\nContent-Length: 4\r\nX-Timestamp: 1700000000.250000\r\nX-Sequence: 1\r\n\r\n"
        b"JPEG\r\n--frame\r\n"
    )


def test_cut_behind_the_headers_the_next_part_has_begun_when_a_picture_ends() -> None:
    next_part = b"Content-Type: image/jpeg\r\n\r\n"
    assert body(Cut.HEADERS, [b"ONE", b"TWO"]) == (
        b"--frame\r\n" + next_part + b"ONE\r\n--frame\r\n" + next_part + b"TWO\r\n--frame\r\n" + next_part
    )


@pytest.mark.parametrize("cut", list(Cut))
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_our_own_parser_reads_either_cut_in_any_pieces(cut: Cut, step: int) -> None:
    jpegs = [picture(size, seed=size) for size in (300, 900, 500)]
    stream = body(cut, jpegs)
    parser = Parser("frame")
    events = [event for at in range(0, len(stream), step) for event in parser.receive_data(stream[at : at + step])]
    assert [event.jpeg for event in events if isinstance(event, Parsed)] == jpegs
    assert len(events) == len(jpegs)


def test_a_picture_is_whole_for_a_parser_with_its_own_last_byte() -> None:
    stream = body(Cut.DELIMITER, [picture()])
    parser = Parser("frame")
    assert len(parser.receive_data(stream[: -len(b"\r\n--frame\r\n")])) == 1


def test_strict_reading_finds_length_time_and_number() -> None:
    reader = PartReader()
    reader.feed(body(Cut.DELIMITER, [b"a", b"bb"]))
    assert [(part.jpeg, part.sequence, part.timestamp) for part in reader.parts] == [
        (b"a", 1, 1700000000.25),
        (b"bb", 2, 1700000000.25),
    ]


@pytest.mark.skipif(not HAS_MEMORY_FILES, reason="no memory files here")
def test_the_memory_file_holds_the_same_bytes_and_closes_with_the_last_holder() -> None:
    part = Part(1, picture(), 1.0, 1)
    part.hold()
    descriptor = part.open()
    assert os.pread(descriptor, 1 << 20, 0) == part.data
    part.release()
    os.fstat(descriptor)
    part.release()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.skipif(not HAS_MEMORY_FILES, reason="no memory files here")
def test_without_a_descriptor_left_the_bytes_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "memfd_create", refuse)
    part = Part(1, b"JPEG", 1.0, 1)
    assert part.open() < 0
    assert b"JPEG" in part.data


def test_a_slot_holds_one_part() -> None:
    slot = Slot()
    first, second = Part(1, b"a", 1.0, 1), Part(2, b"b", 1.0, 2)
    slot.put(first)
    assert not first.closed
    slot.put(second)
    assert first.closed
    slot.put(None)
    assert second.closed
