"""`gatekeeper measure`: from the printed markers to the numbers, and what is said when something is missing."""

import csv
import http.client
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from gatekeeper.measurements import markers, overlay, window
from gatekeeper.measurements.frequency import Tone
from gatekeeper.measurements.pace import Rhythm
from gatekeeper.measurements.picture import Grey
from gatekeeper.measurements.preview import VIEWERS, Preview
from gatekeeper.measurements.reading import Place, Point, Reading, Why
from gatekeeper.measurements.sheet import sheet
from tests.commands.line import good, run
from tests.measurements.films import tower
from tests.measurements.synthetic import Film


def written(film: Film, seconds: float, path: Path) -> str:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), film.fps, (film.width, film.height))
    for shot in film.shots(seconds):
        writer.write(cv2.cvtColor(shot.picture, cv2.COLOR_GRAY2BGR))
    writer.release()
    return str(path)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tower(2.5, 5, 12, noise=4.0), 1.5, tmp_path_factory.mktemp("films") / "tower.avi")


def _picture(encoded: bytes) -> Grey:
    return np.asarray(cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


# --- measuring a file ---


def test_a_file_is_measured_and_summed_up(film: str) -> None:
    said = good("measure", "--file", film, "--headless", "--marker-size-mm", "96").splitlines()
    assert said[0] == "45 pictures in 1.47 s, 30.00 a second"
    assert said[1].startswith("A: measured in 45 of 45 pictures; ")
    assert said[2].startswith("A: 2.50"), said
    assert "amplitude 9.99" in said[2] or "amplitude 10.0" in said[2], said
    assert "amplitude 23.9" in said[4] or "amplitude 24.0" in said[4], said
    assert len(said) == 5


def test_each_reading_is_a_row(film: str, tmp_path: Path) -> None:
    good("measure", "--file", film, "--headless", "--mm-per-px", "2,3", "--csv", str(tmp_path / "out.csv"))
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert len(rows) == 45
    assert rows[0]["a_mm"] == "0.0000"
    assert rows[3]["time_s"] == "0.100000"
    swing = [float(row["b_mm"]) for row in rows]
    assert max(swing) - min(swing) == pytest.approx(3 * 24, rel=0.04)
    assert {row["a_why"] for row in rows} == {"measured"}


def test_rows_on_the_terminal_are_nothing_but_rows(film: str) -> None:
    done = run("measure", "--file", film, "--headless", "--mm-per-px", "2", "--csv", "-", "--seconds", "0.5")
    assert done.code == 0
    assert len(done.out.splitlines()) == 1 + 16
    assert "16 pictures in 0.50 s" in done.err


def test_what_is_not_seen_is_an_empty_cell_and_is_told_at_the_end(film: str) -> None:
    done = run(
        "measure", "--file", film, "--headless", "--mm-per-px", "2", "--b", "7", "--csv", "-", "--seconds", "0.3"
    )
    first = next(csv.DictReader(done.out.splitlines()))
    assert (first["b_mm"], first["b_detected"], first["b_why"]) == ("", "false", "not found")
    assert "B: measured in 0 of 10 pictures (10 not found)" in done.err


def test_few_pictures_a_second_are_warned_of(tmp_path: Path) -> None:
    slow = written(tower(3.0, 5, 12, fps=10), 3, tmp_path / "slow.avi")
    done = run("measure", "--file", slow, "--headless", "--marker-size-mm", "48")
    assert done.err == "warning: only 10.0 pictures a second: under 15 a swing may look slower than it is " + (
        "(aliasing; 5.5 Hz like 4.5 Hz)\n"
    )
    assert "may be aliases (of A 7.00 Hz, B 7.00 Hz)" in done.out


# --- sending ---


class Sender:
    """Notes what it is told, as the real one's face says."""

    ws_url = "ws://host:8080"

    def __init__(self, *, there: bool = True) -> None:
        self.there = there
        self.made: tuple[object, ...] = ()
        self.sent: list[tuple[float, float, bool, bool]] = []
        self.over = False

    def __call__(self, *made: object, token: str | None) -> "Sender":
        self.made = (*made, token)
        return self

    def connect(self) -> bool:
        return self.there

    def send(self, *fields: Any) -> bool:
        self.sent.append(fields)
        return True

    def disconnect(self) -> None:
        self.over = True

    def get_stats(self) -> dict[str, int]:
        return {"total": len(self.sent), "success": len(self.sent) - 1, "failed": 1, "waiting": 0}


@pytest.mark.parametrize("there", [True, False])
def test_each_reading_is_sent_and_a_point_that_is_not_seen_as_such(
    film: str, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(there=there)
    monkeypatch.setattr("gatekeeper.measurements.sender.CameraSender", sender)
    monkeypatch.setenv("GATEKEEPER_TOKEN", "key")
    done = run(
        *("measure", "--file", film, "--headless", "--mm-per-px", "2", "--b", "7", "--seconds", "0.2"),
        *("--team", "3", "--server", "ws://host:8080/?token=x"),
    )
    assert sender.made == (3, "ws://host:8080/?token=x", "key")
    assert len(sender.sent) == 7
    assert sender.sent[0] == (0.0, 0.0, True, False)
    assert {fields[1:] for fields in sender.sent} == {(0.0, True, False)}
    assert sender.sent[3][0] != 0
    assert sender.over
    assert done.out.splitlines()[-1] == "7 readings for the server: 6 stored, 1 failed, 0 not sent"
    assert done.err == ("" if there else "ws://host:8080 doesn't answer; readings wait and are sent when it does\n")


def test_a_server_address_that_is_none_is_one_sentence(film: str) -> None:
    line = ("measure", "--file", film, "--headless", "--mm-per-px", "2", "--team", "3", "--server")
    assert run(*line, "http://host").why.startswith("--server: ")


def test_a_team_without_a_server_is_told_that_nothing_is_sent(film: str) -> None:
    done = run("measure", "--file", film, "--headless", "--mm-per-px", "2", "--seconds", "0.1", "--team", "3")
    assert done.err == "nothing is sent: --server ws://HOST:8080 says where to\n"


# --- what is refused, in one line ---

FILE = ("--file", "none.mp4", "--headless")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (FILE, "a displacement in mm needs a calibration: give the marker's side in mm"),
        ((*FILE, "--marker-size-mm", "60"), "there is no file none.mp4"),
        ((*FILE, "--marker-size-mm", "0"), "a marker's side in mm is 0.1 to"),
        ((*FILE, "--marker-size-mm", "wide"), 'takes 1 or 2 numbers; found "wide"'),
        ((*FILE, "--marker-size-mm", "60,60,60"), "takes 1 or 2 numbers"),
        ((*FILE, "--distance-mm", "nan"), "--distance-mm takes 1 number; found"),
        ((*FILE, "--ruler", "1,2,3,4"), "--ruler takes 5 numbers"),
        ((*FILE, "--ruler", "1,2,1,2,50"), "a known length must be a pixel long"),
        ((*FILE, "--mm-per-px", "-1"), "mm per pixel is 0.0001 to 1,000; found -1.0"),
        ((*FILE, "--mm-per-px", "1", "--a", "1"), "A and B are two points"),
        ((*FILE, "--mm-per-px", "1", "--a", "50"), "a marker's identity is 0 to 49; found 50"),
        ((*FILE, "--marker-size-mm", "60", "--a", "100,100"), "a patch has no marker whose side is known"),
        ((*FILE, "--mm-per-px", "1", "--a", "100,100,3"), "a patch is 12 to 512 pixels wide"),
        ((*FILE, "--mm-per-px", "1", "--team", "65"), "--team is 1 to 64; found 65"),
        ((*FILE, "--mm-per-px", "1", "--server", "ws://127.0.0.1:9"), "--server needs --team"),
        (("--camera", "97", "--mm-per-px", "1"), "there is no camera 97 on this machine, or another program has it"),
        (("--camera", "97", "--mm-per-px", "1", "--size", "large"), 'is like 1280x720; found "large"'),
        (("--url", "ftp://host", "--mm-per-px", "1"), "an address begins with http://"),
        (("--markers", "sheet.png", "--marker-size-mm", "500"), "a printed marker is 10 to 90 mm wide; found 500"),
        ((), "one of the arguments --camera --file --url --markers is required"),
    ],
)
def test_one_line_says_what_is_missing(
    arguments: tuple[str, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert why in run("measure", *arguments).why
    assert list(tmp_path.iterdir()) == []


# --- the sheet to print ---


@pytest.mark.parametrize("side", [10.0, 33.3, 60.0, 90.0])
def test_the_markers_are_as_large_as_said_when_printed(side: float) -> None:
    png = sheet(side)
    per_metre, _, unit = struct.unpack(">IIB", png[png.index(b"pHYs") + 4 :][:9])
    page = _picture(png)
    assert unit == 1
    assert page.shape[1] / per_metre == pytest.approx(0.210, abs=0.0005)
    found = markers.find(page)
    assert sorted(found.quads) == [0, 1]
    for quad in found.quads.values():
        printed = (np.linalg.norm(np.roll(quad, -1, 0) - quad, axis=1).mean() + 1) / per_metre * 1000
        assert printed == pytest.approx(side, abs=1.5 / per_metre * 1000)  # corners are found to a dot or so


def test_the_sheet_is_a_file_and_says_how_to_measure_with_it(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    assert "measure with --marker-size-mm 60" in good("measure", "--markers", str(path))
    assert path.read_bytes() == sheet(60.0)


# --- what is shown ---


@pytest.mark.parametrize("shape", [(480, 640), (480, 640, 3), (480, 640, 4), (1, 1, 3), (1080, 1920, 3)])
def test_every_picture_can_be_drawn_on(shape: tuple[int, ...]) -> None:
    there = Point(Why.MEASURED, 1.0, 1.0, 0.0, Place(5.0, 5.0, 0.99))
    tone = Tone(2.5, 0.1, 1.0, 0.1, 0.0, 1.0, 300, 10.0, 27.5)
    image = overlay.drawn(
        np.zeros(shape, np.uint8), Reading(0.0, there, Point(Why.TWICE)), Rhythm(9.0, 0.001, 0.0), (tone, None)
    )
    assert image.shape == (*shape[:2], 3)
    assert image.any() or image.size == 3


@pytest.fixture
def preview() -> Iterator[Preview]:
    it = Preview()
    yield it
    it.close()


def asked(preview: Preview, method: str, path: str, **headers: str) -> int:
    link = http.client.HTTPConnection(urlsplit(preview.address).netloc, timeout=5)
    link.request(method, path, headers=headers)
    status = link.getresponse().status
    link.close()
    return status


def test_a_new_reference_is_asked_for_by_the_page_itself_only(preview: Preview) -> None:
    assert asked(preview, "POST", "/reference") == 403
    assert asked(preview, "POST", "/reference", Host="evil.example", **{"X-Gatekeeper-Measure": "1"}) == 403
    assert asked(preview, "GET", "/", Host="evil.example") == 403
    assert asked(preview, "GET", "/elsewhere") == 404
    assert not preview.asked()
    assert asked(preview, "POST", "/reference", **{"X-Gatekeeper-Measure": "1"}) == 204
    assert (preview.asked(), preview.asked()) == (True, False)


def test_no_more_look_than_there_is_room_for(preview: Preview) -> None:
    links = []
    for _ in range(VIEWERS):
        link = http.client.HTTPConnection(urlsplit(preview.address).netloc, timeout=5)
        link.request("GET", "/stream")
        assert link.getresponse().status == 200
        links.append(link)
    assert preview.watched
    assert asked(preview, "GET", "/stream") == 503
    for link in links:
        link.close()


def test_nothing_is_encoded_while_nobody_looks(preview: Preview) -> None:
    preview.take(np.zeros((0, 0, 3), np.uint8))  # which OpenCV wouldn't encode


def test_without_windows_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           NONE\n")
    why = window.missing()
    assert why is not None
    assert why.startswith("OpenCV is installed without windows (opencv-python-headless); opencv-python")


def test_without_a_screen_no_window_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           QT5\n")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert window.missing() == "there is no screen here"
    monkeypatch.setenv("DISPLAY", ":0")
    assert window.missing() is None


# --- the whole program ---


@pytest.mark.process
def test_it_is_looked_at_in_a_browser_and_ended_by_ctrl_c(tmp_path: Path) -> None:
    # two minutes at its own pace: it isn't over before Ctrl-C however slow the machine is
    film = written(tower(2.5, 5, 12).but(fps=2.0), 120, tmp_path / "long.avi")
    line = [sys.executable, "-m", "gatekeeper", "measure", "--file", film, "--marker-size-mm", "48", "--preview", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        begin = process.stderr.readline()
        assert begin.startswith("look at http://127.0.0.1:"), begin
        netloc = urlsplit(begin.split()[2]).netloc
        page = http.client.HTTPConnection(netloc, timeout=60)
        page.request("GET", "/")
        assert b'src="/stream"' in page.getresponse().read()
        stream = http.client.HTTPConnection(netloc, timeout=60)
        stream.request("GET", "/stream")
        answer = stream.getresponse()
        for _ in range(3):
            assert answer.readline() == b"--picture\r\n"
            assert answer.readline() == b"Content-Type: image/jpeg\r\n"
            size = int(answer.readline().split()[1])
            answer.readline()
            assert _picture(answer.read(size)).shape == (480, 640)
            answer.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        stream.close()
    assert process.returncode == 0, err
    assert "ended" in err
    assert "Traceback" not in err
    assert "A: measured in" in out
