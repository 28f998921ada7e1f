"""Pictures of every kind: a clear error or nothing detected, never a crash."""

import math
from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.errors import InvalidArgument
from gatekeeper.measurements.displacement import Displacement
from gatekeeper.measurements.picture import grey
from gatekeeper.measurements.targets import Patch
from tests.measurements.films import PIXELS, tower

SHAPES = [(0, 0), (0, 5), (1, 1), (1, 640), (480, 1), (3, 3), (11, 11), (12, 12), (13, 40), (64, 48), (480, 640)]
DTYPES = [np.uint8, np.uint16, np.int8, np.int32, np.float32, np.float64, np.bool_, np.complex64]


@st.composite
def pictures(draw: st.DrawFn) -> object:
    shape = draw(st.sampled_from(SHAPES)) + draw(st.sampled_from([(), (1,), (2,), (3,), (4,), (5,), (3, 1)]))
    dtype = draw(st.sampled_from(DTYPES))
    fill = draw(st.sampled_from(["zero", "full", "noise", "nan"]))
    if fill == "noise":
        return np.random.default_rng(1).integers(0, 100, shape).astype(dtype)
    if fill == "nan" and np.issubdtype(dtype, np.floating):
        return np.full(shape, math.nan, dtype)
    return np.full(shape, 0 if fill == "zero" else 100, dtype)


@settings(max_examples=60, deadline=None)
@given(st.lists(pictures(), min_size=1, max_size=3), st.booleans())
def test_nothing_that_is_a_picture_or_none_breaks_it(strange: list[object], referred: bool) -> None:
    displacement = Displacement(PIXELS)
    if referred:
        assert displacement.measure(tower(2, 3, 3).shot(0.0).picture, 0.0).a.detected
    for n, picture in enumerate(strange, start=1):
        with suppress(InvalidArgument):
            reading = displacement.measure(picture, float(n))
            assert reading.a.mm is reading.b.mm is None


@pytest.mark.parametrize("picture", [None, 3, "picture", [[1, 2], [3, 4]], b"\xff\xd8"])
def test_what_is_no_array_is_refused(picture: object) -> None:
    with pytest.raises(InvalidArgument, match="a picture is a NumPy array; found"):
        grey(picture)


def test_a_picture_of_more_pixels_than_any_camera_has_is_refused() -> None:
    huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (100_000, 100_000), (0, 0))
    with pytest.raises(InvalidArgument, match="64,000,000 pixels; found uint8 of shape"):
        grey(huge)


@pytest.mark.parametrize("kind", ["grey", "one colour", "colour", "alpha", "deep", "every second column"])
def test_every_usual_picture_is_measured(kind: str) -> None:
    picture = tower(2, 3, 3).shot(0.0).picture
    usual = {
        "grey": picture,
        "one colour": picture[:, :, None],
        "colour": cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR),
        "alpha": cv2.cvtColor(picture, cv2.COLOR_GRAY2BGRA),
        "deep": picture.astype(np.uint16) << 8,
        "every second column": np.repeat(picture, 2, axis=1)[:, ::2],
    }[kind]
    reading = Displacement(PIXELS).measure(usual, 0.0)
    assert (reading.a.mm, reading.b.mm) == (0, 0)


def test_a_patch_does_not_fit_an_even_wall() -> None:
    """Correlation with nothing at all is undefined, and OpenCV may say 1."""
    film = tower(2, 0, 0)
    displacement = Displacement(PIXELS, Patch(200, 330, 48), Patch(320, 120, 48))
    assert displacement.measure(film.shot(0.0).picture, 0.0).a.detected
    for n, level in enumerate((0, 120, 255), start=1):
        reading = displacement.measure(np.full((480, 640), level, np.uint8), float(n))
        assert reading.a.mm is reading.b.mm is None


def test_a_picture_as_large_as_cameras_make_them_is_measured() -> None:
    picture = cv2.resize(tower(2, 3, 3).shot(0.0).picture, (1920, 1440))
    assert Displacement(PIXELS).measure(picture, 0.0).a.detected
