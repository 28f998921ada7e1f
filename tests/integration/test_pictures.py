"""Kept pictures and made feeds with real processes: a virtual camera, a virtual lock, and a server that is killed."""

import hashlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.integration.conftest import Started
from tests.integration.demo import Answer, request
from tests.integration.processes import TOKEN, Server, site, wait_for
from tests.integration.viewer import Viewer

pytestmark = pytest.mark.process

KEEPING = """\
pictures = {every = 1, on = ["door.opened"]}
feeds = [{name = "small", width = 160, quality = 50, timestamp = true}]
retry_minimum = 0.1
retry_maximum = 0.2"""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    started = Started(tmp_path_factory.mktemp("pictures"))
    try:
        yield started
    finally:
        started.end()


@pytest.fixture(scope="module")
def settings(start: Started) -> str:
    return site(start.lock(), start.camera("--fps", "20")).replace("retry_maximum = 1.0", KEEPING, 1)


@pytest.fixture(scope="module")
def server(start: Started, settings: str) -> Server:
    assert KEEPING in settings
    server = start.server(settings)
    wait_for(lambda: server.camera("camera1")["state"] == "live", "the camera to be live")
    return server


def get(server: Server, path: str) -> Answer:
    return request(server.port, "GET", path, {"Authorization": f"Bearer {TOKEN}"})


def kept(server: Server, **wanted: str) -> list[dict[str, Any]]:
    """Return what is kept, the oldest first."""
    status, body = server.ask("GET", "/pictures?order=oldest&limit=500")
    assert status == 200
    return [one for one in body["pictures"] if all(one[key] == value for key, value in wanted.items())]


def test_pictures_are_kept_by_the_clock_on_events_and_on_demand(server: Server) -> None:
    server.until_door("locked")
    status, opened = server.ask("POST", "/doors/front/open", {"duration": 1})
    assert status == 200
    [of_event] = wait_for(lambda: kept(server, why="event") or None, "the picture of the opening")
    assert of_event["event"] == opened["event"]
    status, demanded = server.ask("POST", "/cameras/camera1/pictures")
    assert (status, demanded["why"], demanded["who"]) == (200, "demand", "admin")
    wait_for(lambda: len(kept(server, why="interval")) >= 2 or None, "two pictures by the clock")
    whole = get(server, f"/pictures/{demanded['id']}.jpg")
    assert hashlib.sha256(whole.body).hexdigest() == demanded["sha256"]
    small = cv2.imdecode(np.frombuffer(get(server, f"/pictures/{demanded['id']}/thumbnail.jpg").body, np.uint8), 1)
    assert small is not None
    assert small.shape[1] < demanded["width"]
    everything = kept(server)
    assert len({one["sha256"] for one in everything}) == len(everything)  # no frame is kept twice


def test_a_day_is_a_film_of_its_pictures(server: Server, tmp_path: Path) -> None:
    day = kept(server)[0]["day"]
    before = server.ask("GET", f"/cameras/camera1/timelapse/{day}?fps=10")[1]["pictures"]
    answer = get(server, f"/cameras/camera1/timelapse/{day}.mp4?fps=10")
    after = server.ask("GET", f"/cameras/camera1/timelapse/{day}?fps=10")[1]["pictures"]
    (tmp_path / "film.mp4").write_bytes(answer.body)
    with av.open(str(tmp_path / "film.mp4")) as film:
        frames = [frame.pts for frame in film.decode(video=0)]
    assert before <= len(frames) <= after
    assert frames == sorted(frames)
    assert server.ask("GET", "/cameras/camera1/timelapse/2001-01-01.mp4")[0] == 404


def test_a_feed_is_made_while_somebody_looks_and_shows_the_cameras_numbers(server: Server) -> None:
    path = "/cameras/camera1/feeds/small/stream.mjpg"
    with Viewer(server.port, path) as one, Viewer(server.port, path) as other:
        first, second = one.begin(), other.begin()
        seen = {picture.sequence: picture for picture in (first.read() for _ in range(5))}
        again = {picture.sequence: picture for picture in (second.read() for _ in range(5))}
        assert server.camera("camera1")["viewers"] == 2
    both = seen.keys() & again.keys()
    assert both
    assert all(seen[number].jpeg == again[number].jpeg for number in both)
    image = cv2.imdecode(np.frombuffer(next(iter(seen.values())).jpeg, np.uint8), 1)
    assert image is not None
    assert image.shape[1] == 160
    snapshot = get(server, "/cameras/camera1/feeds/small/snapshot.jpg")
    assert int(snapshot.headers["x-sequence"]) >= max(seen)


def test_a_kill_leaves_no_picture_in_the_list_that_is_not_there(start: Started, server: Server, settings: str) -> None:
    acknowledged = {server.ask("POST", "/cameras/camera1/pictures")[1]["id"] for _ in range(5)}
    server.signal(signal.SIGKILL)
    server.wait()
    again = start.server(settings)
    pictures = kept(again)
    assert acknowledged <= {picture["id"] for picture in pictures}
    for picture in pictures:
        assert hashlib.sha256(get(again, f"/pictures/{picture['id']}.jpg").body).hexdigest() == picture["sha256"]
    again.stop()
