"""A film has the pictures that went in, in their order, and plays."""

from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from gatekeeper.errors import NotFound
from gatekeeper.gallery import film
from tests.gallery.pictures import number_of, shade


def played(file: Path) -> tuple[list[int], Any]:
    """Return which pictures a film shows, and its stream."""
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        numbers = [number_of(frame.to_ndarray(format="bgr24")) for frame in container.decode(stream)]
        return numbers, stream


@pytest.mark.parametrize("pyav", [True, False])
def test_a_film_shows_every_picture_once_in_order(tmp_path: Path, pyav: bool) -> None:
    target = tmp_path / "film.mp4"
    looked: list[int] = []
    pictures = [shade(number) for number in (3, 20, 7, 31, 0, 12)] * 5
    assert film.make(iter(pictures), target, 12, shown=looked.append, pyav=pyav) == 30
    numbers, stream = played(target)
    assert numbers == [3, 20, 7, 31, 0, 12] * 5
    assert looked == list(range(1, 31))
    assert stream.average_rate == 12
    assert stream.codec_context.name == ("h264" if pyav else "mpeg4")
    assert (stream.width, stream.height) == (64, 48)


def test_the_index_stands_in_front_so_that_it_plays_while_it_loads(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    film.make([shade(1)] * 3, target, 24)
    content = target.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_what_cannot_be_decoded_is_left_out(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    assert film.make([None, b"nonsense", shade(4), b"", shade(5)], target, 24) == 2
    assert played(target)[0] == [4, 5]
    with pytest.raises(NotFound, match="none of the pictures"):
        film.make([None, b"nonsense"], tmp_path / "none.mp4", 24)
    assert not (tmp_path / "none.mp4").exists()


def test_pictures_of_another_size_are_fitted_into_the_first_ones(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    film.make([shade(10, 65, 49), shade(20, 640, 480), shade(30, 160, 480)], target, 24)
    with av.open(str(target)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    assert [round(float(frame[24, 32].mean()) / 8) for frame in frames] == [10, 20, 30]
    assert frames[2][24, 2].mean() < 20  # black beside it


@pytest.mark.parametrize(
    ("size", "expected"), [((640, 480), (640, 480)), ((7680, 4320), (3840, 2160)), ((9, 3), (16, 16))]
)
def test_a_film_has_an_even_size_within_bounds(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert film.size_of(*size) == expected


def test_a_film_that_is_given_up_ends_at_the_next_picture(tmp_path: Path) -> None:
    def pictures() -> Any:
        yield shade(1)
        raise film.Cancelled

    with pytest.raises(film.Cancelled):
        film.make(pictures(), tmp_path / "film.mp4", 24)


def test_without_what_it_takes_there_is_no_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def __init__(self, *_: Any) -> None:
            pass

        def isOpened(self) -> bool:
            return False

    monkeypatch.setattr(cv2, "VideoWriter", Nothing)
    with pytest.raises(NotFound, match="no film can be made here"):
        film.make([shade(1)], tmp_path / "film.mp4", 24, pyav=False)
