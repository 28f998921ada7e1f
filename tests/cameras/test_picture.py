"""The picture that stands in for a camera."""

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.cameras import jpeg
from gatekeeper.cameras.jpeg import Picture
from gatekeeper.cameras.picture import notice


def decoded(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)


@pytest.mark.parametrize("size", [(640, 480), (160, 120), (1920, 1080), (240, 320)])
def test_it_has_the_size_that_was_asked_for_and_says_something(size: tuple[int, int]) -> None:
    data = notice(["OFFLINE", "since 14:03:22"], *size)
    found = jpeg.inspect(data)
    assert isinstance(found, Picture)
    assert (found.width, found.height, found.end) == (*size, len(data))
    image = decoded(data)
    assert 100 < (image > 150).sum() < image.size / 4


def test_different_words_are_different_pictures() -> None:
    assert notice(["OFFLINE"]) == notice(["OFFLINE"])
    assert notice(["OFFLINE"]) != notice(["STALLED"])


def test_the_words_stay_inside() -> None:
    image = decoded(notice(["OFFLINE" * 9, "x" * 300]))
    assert (image[10:-10, 5:20] > 100).sum() == 0
    assert (image[10:-10, -20:-5] > 100).sum() == 0


@given(st.lists(st.text(max_size=200), max_size=20))
@settings(max_examples=20, deadline=None)
def test_any_words_make_a_picture(lines: list[str]) -> None:
    assert isinstance(jpeg.inspect(notice(lines, 320, 240)), Picture)
