"""What cameras declare, and what answers that are no cameras say."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.cameras import content_type
from gatekeeper.cameras.content_type import InvalidContentType
from gatekeeper.cameras.multipart import Parser


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=frame", "frame"),
        ("multipart/x-mixed-replace;boundary=frame;charset=utf-8", "frame"),
        ('MULTIPART/X-MIXED-REPLACE; BOUNDARY="a;b"', "a;b"),
        ("multipart/x-mixed-replace; boundary=--video boundary--", "--video boundary--"),
        ("multipart/x-mixed-replace; charset=x; boundary=frame", "frame"),
    ],
)
def test_boundaries_are_read_as_cameras_write_them(header: str, boundary: str) -> None:
    assert content_type.boundary(header) == boundary


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("text/html; charset=utf-8", "text/html, not a multipart/x-mixed-replace stream"),
        ("", "no content type, not a multipart/x-mixed-replace stream"),
        ("multipart/x-mixed-replace", "a multipart stream without a usable boundary"),
        ("multipart/x-mixed-replace; boundary=--", "a multipart stream without a usable boundary"),
        ("multipart/x-mixed-replace; boundary=" + "x" * 300, "a multipart stream without a usable boundary"),
    ],
)
def test_other_content_types_are_refused_with_what_they_are(header: str, reason: str) -> None:
    with pytest.raises(InvalidContentType, match=reason):
        content_type.boundary(header)


@given(st.text(max_size=60))
def test_any_content_type_gives_a_boundary_or_the_error(header: str) -> None:
    for candidate in (header, "multipart/x-mixed-replace;boundary=" + header):
        with suppress(InvalidContentType):
            Parser(content_type.boundary(candidate))
