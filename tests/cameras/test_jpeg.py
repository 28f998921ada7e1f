"""Whole pictures, and everything that pretends to be one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.cameras import jpeg
from gatekeeper.cameras.jpeg import Flaw, Picture
from tests.cameras.pictures import APP0, DHT, DQT, EOI, SOI, SOS, exif, picture, segment, sof


def test_a_baseline_picture_tells_its_size() -> None:
    data = picture(width=800, height=600)
    assert jpeg.inspect(data) == Picture(800, 600, len(data))


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCF])
def test_every_kind_of_frame_tells_its_size(marker: int) -> None:
    assert isinstance(jpeg.inspect(picture(marker=marker)), Picture)


def test_a_thumbnail_inside_exif_is_not_the_picture() -> None:
    data = picture(width=1600, height=1200, extra=exif(picture(50, width=160, height=120)))
    assert jpeg.inspect(data) == Picture(1600, 1200, len(data))


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture() -> None:
    thumbnail = picture(50, width=160, height=120)
    whole = SOI + exif(thumbnail) + DQT + sof(640, 480) + SOS
    assert jpeg.inspect(whole + bytes(20)) is Flaw.TRUNCATED
    assert jpeg.inspect(SOI + exif(thumbnail)) is Flaw.TRUNCATED


def test_comments_and_unknown_segments_are_passed_over() -> None:
    data = picture(extra=segment(0xFE, b"\xff\xd9\xff\xd8 a comment") + segment(0xEE, bytes(3)))
    assert jpeg.inspect(data) == Picture(640, 480, len(data))


def test_fill_bytes_before_a_marker_and_restart_markers_in_the_scan_are_fine() -> None:
    data = SOI + b"\xff\xff\xff" + APP0[1:] + sof(32, 16) + SOS + b"ab\xff\xd0cd\xff\xd7ef" + EOI
    assert jpeg.inspect(data) == Picture(32, 16, len(data))


@pytest.mark.parametrize("padding", [b"\x00" * 16, b"\r\n", b"\xff" * 100, bytes(jpeg.MAXIMUM_PADDING)])
def test_padding_behind_the_end_is_not_the_picture(padding: bytes) -> None:
    data = picture()
    assert jpeg.inspect(data + padding) == Picture(640, 480, len(data))


def test_endless_padding_is_a_missing_end() -> None:
    assert jpeg.inspect(picture() + bytes(jpeg.MAXIMUM_PADDING + 1)) is Flaw.TRUNCATED


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        (b"", Flaw.NOT_JPEG),
        (b"<html>", Flaw.NOT_JPEG),
        (b"\x89PNG\r\n", Flaw.NOT_JPEG),
        (SOI, Flaw.TRUNCATED),
        (SOI + EOI + bytes(9), Flaw.TRUNCATED),
        (SOI + b"not a segment", Flaw.NOT_JPEG),
        (SOI + SOI + bytes(9), Flaw.NOT_JPEG),
        (SOI + DQT + DHT + SOS + EOI, Flaw.NO_SIZE),
        (SOI + sof(0, 480) + SOS + EOI, Flaw.NO_SIZE),
        (SOI + sof(640, 0) + SOS + EOI, Flaw.NO_SIZE),
        (SOI + b"\xff" * 100_000, Flaw.NO_SIZE),
        (SOI + segment(0xFE, b"") * 100_000, Flaw.NO_SIZE),
        (SOI + b"\xff\xe0\x00\x00" * 100_000, Flaw.NO_SIZE),
    ],
)
def test_what_is_no_picture_has_a_named_reason(data: bytes, flaw: Flaw) -> None:
    assert jpeg.inspect(data) is flaw


def test_every_cut_of_a_picture_is_truncated_or_no_jpeg() -> None:
    data = picture(60, extra=exif(picture(20, width=16, height=16)))
    for end in range(len(data)):
        assert jpeg.inspect(data[:end]) in (Flaw.NOT_JPEG, Flaw.TRUNCATED)


@given(st.lists(st.sampled_from(["same", "other size", "thumbnail", "cut", "cut in the head", "html"]), max_size=12))
def test_remembering_the_last_picture_changes_no_answer(kinds: list[str]) -> None:
    bytes_of = {
        "same": picture(),
        "other size": picture(width=320),
        "thumbnail": picture(extra=exif(picture(9, width=16, height=16))),
        "cut": picture()[:-2],
        "cut in the head": picture()[:60],
        "html": b"<html>",
    }
    inspector = jpeg.Inspector()
    for kind in kinds:
        assert inspector.inspect(bytes_of[kind]) == jpeg.inspect(bytes_of[kind])


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    for candidate in (data, SOI + data, SOI + data + EOI):
        assert isinstance(jpeg.inspect(candidate), (Picture, Flaw))
