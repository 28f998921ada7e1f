"""Cameras with real processes: twistd against the virtual camera, with each of its faults, and those who watch."""

import hashlib
import json
import re
import socket
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gatekeeper.simulators.camera_faults import CameraFault
from tests.integration.conftest import Started
from tests.integration.demo import Answer, request
from tests.integration.processes import PATIENCE, TOKEN, Device, Server, site, wait_for
from tests.integration.viewer import Picture, Viewer, assert_whole
from tests.rtsp import RtspServer

pytestmark = pytest.mark.process

QUICK = "retry_minimum = 0.05\nretry_maximum = 0.2\nstall_timeout = 0.5\nconnect_timeout = 0.5"
STREAM = "/cameras/camera1/stream.mjpg"
SNAPSHOT = "/cameras/camera1/snapshot.jpg"
MIB = 1024 * 1024


def configured(*cameras: Device, camera: str = QUICK, more: str = "") -> str:
    return site(None, *cameras, more=more).replace("retry_maximum = 1.0", camera)


def until(server: Server, state: str, reason: str = "") -> dict[str, Any]:
    """Wait for a state of the first camera."""

    def look() -> dict[str, Any] | None:
        camera = server.camera("camera1")
        return camera if camera["state"] == state and reason in (camera["reason"] or "") else None

    return wait_for(look, f"the camera to be {state} {reason}")


def until_more(server: Server, frames: int = 3) -> None:
    target = server.camera("camera1")["frames"] + frames
    wait_for(lambda: server.camera("camera1")["frames"] >= target, "more frames")


def get(server: Server, path: str) -> Answer:
    return request(server.port, "GET", path, {"Authorization": f"Bearer {TOKEN}"})


def system(server: Server) -> dict[str, Any]:
    status, body = server.ask("GET", "/api/system/status")
    assert status == 200
    return dict(body)


@pytest.fixture
def camera(start: Started) -> Device:
    return start.camera()


@pytest.fixture
def server(start: Started, camera: Device) -> Server:
    server = start.server(configured(camera))
    until(server, "live")
    return server


# --- each fault: what the state says, what the log says, and that it heals ---

BROKEN = {
    CameraFault.REFUSE: ("offline", "refused the connection"),
    CameraFault.NOT_FOUND: ("offline", "answered 404 Not Found for /stream"),
    CameraFault.HTML: ("offline", "answered text/html, not a multipart/x-mixed-replace stream"),
    CameraFault.WRONG_TYPE: ("offline", "answered image/jpeg, not a multipart/x-mixed-replace stream"),
    CameraFault.REDIRECT_LOOP: ("offline", "redirects in a loop"),
    CameraFault.UNAUTHORIZED: ("offline", "asks for a user name and a password; none is configured"),
    CameraFault.BASIC: ("offline", "asks for a user name and a password; none is configured"),
    CameraFault.DIGEST: ("offline", "asks for a user name and a password; none is configured"),
    CameraFault.SILENT_ACCEPT: ("offline", "took the connection, and did not answer within 0.5 s"),
    CameraFault.SILENT: ("stalled", "a picture began and did not end within 0.5 s"),
    CameraFault.SLOW_DRIP: ("stalled", "a picture began and did not end within 0.5 s"),
    CameraFault.CUT: ("offline", "the connection was cut in the middle of a picture"),
    CameraFault.RESET: ("offline", "the connection was cut in the middle of a picture"),
    CameraFault.ENDLESS_HEADERS: ("stalled", "nothing but parts with endless headers for 0.5 s"),
    CameraFault.HUGE_FRAME: ("stalled", "nothing but pictures over the size limit for 0.5 s"),
    CameraFault.GARBAGE: ("stalled", "nothing but parts that are no JPEG for 0.5 s"),
    CameraFault.TRUNCATED: ("stalled", "nothing but pictures without their end for 0.5 s"),
    CameraFault.EMPTY_PARTS: ("stalled", "nothing but empty parts for 0.5 s"),
}

HARMLESS = (
    CameraFault.NO_LENGTH,
    CameraFault.LENGTH_TOO_SMALL,
    CameraFault.LENGTH_TOO_LARGE,
    CameraFault.FREEZE,
    CameraFault.BLACK,
    CameraFault.OVEREXPOSED,
    CameraFault.LOOPING,
    CameraFault.COVERED,
    CameraFault.MOVED,
    CameraFault.JUNK,
)


def test_every_fault_is_tried_here() -> None:
    assert {*BROKEN, *HARMLESS, CameraFault.REDIRECT, CameraFault.NONE} == set(CameraFault)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Device]]:
    """One server and one camera for all faults, whose address carries a secret, as real ones' do."""
    started = Started(tmp_path_factory.mktemp("faults"))
    try:
        camera = started.camera("--fps", "25")
        toml = configured(camera).replace("/stream", "/stream?key=hunter2-hunter2")
        yield started.server(toml), camera
    finally:
        started.end()


@pytest.fixture
def healthy(pair: tuple[Server, Device]) -> tuple[Server, Device]:
    server, camera = pair
    camera.ask("fault none")
    until(server, "live")
    return pair


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_camera_is_named_in_state_and_log_and_heals(
    healthy: tuple[Server, Device], fault: CameraFault
) -> None:
    server, camera = healthy
    state, reason = BROKEN[fault]
    mark = len(server.lines)
    camera.ask(f"fault {fault}")
    known = until(server, state, reason)
    assert known["fps"] == 0
    server.expect(f"camera camera1 is {state}: .*{re.escape(reason)}", mark)
    status, answer = server.ask("GET", SNAPSHOT)
    assert (status, answer["error"]["code"]) == (503, "no_picture")
    camera.ask("fault none")
    until(server, "live")
    server.expect("camera camera1 is live", mark)
    until_more(server)
    assert camera.ask("status")["most_open"] == 1
    assert "hunter2" not in server.output
    assert "hunter2" not in json.dumps([system(server), server.camera("camera1"), answer])
    assert "Traceback" not in server.output


@pytest.mark.parametrize("fault", HARMLESS)
def test_a_camera_with_odd_manners_stays_live(healthy: tuple[Server, Device], fault: CameraFault) -> None:
    server, camera = healthy
    mark, before = len(server.lines), camera.ask("status")["connections"]
    camera.ask(f"fault {fault}")
    until_more(server, 6)
    assert_whole(get(server, SNAPSHOT).body)
    assert not [line for line in server.lines[mark:] if "camera camera1 is" in line]
    assert camera.ask("status")["connections"] == before


def test_a_redirect_to_a_page_is_followed_and_named_and_heals(server: Server, camera: Device) -> None:
    camera.ask("fault redirect")
    until(server, "offline", "answered text/html, not a multipart/x-mixed-replace stream")
    server.expect("camera camera1 is offline: answered text/html")
    camera.ask("fault none")
    until(server, "live")
    assert camera.ask("status")["most_open"] == 1


# --- passwords ---


@pytest.mark.parametrize("fault", ["basic", "digest"])
def test_a_password_from_the_environment_lets_us_in(
    start: Started, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("GATEKEEPER_CAMERA_PASSWORD", "virtual")
    camera = start.camera("--fault", fault)
    credentials = 'username = "admin"\npassword = {env = "GATEKEEPER_CAMERA_PASSWORD"}'
    server = start.server(configured(camera, camera=f"{QUICK}\n{credentials}"))
    until(server, "live")
    assert camera.ask("status")["most_open"] == 1


@pytest.mark.parametrize("fault", ["basic", "digest", "unauthorized"])
def test_a_wrong_password_is_told_and_shown_nowhere(
    start: Started, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("GATEKEEPER_CAMERA_PASSWORD", "hunter2-hunter2")
    camera = start.camera("--fault", fault)
    credentials = 'username = "someone"\npassword = {env = "GATEKEEPER_CAMERA_PASSWORD"}'
    server = start.server(configured(camera, camera=f"{QUICK}\n{credentials}"))
    known = until(server, "offline", "wrong user name or password")
    server.expect("camera camera1 is offline: wrong user name or password")
    told = server.output + json.dumps([known, system(server), server.ask("GET", SNAPSHOT)])
    assert "hunter2" not in told
    assert "someone" not in told
    server.stop()


# --- those who watch ---


def test_a_snapshot_is_the_cameras_own_picture_with_its_time_and_number(server: Server) -> None:
    answer = get(server, SNAPSHOT)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert re.fullmatch(r"\d+\.\d{6}", answer.headers["X-Timestamp"])
    assert int(answer.headers["X-Sequence"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert_whole(answer.body)


@pytest.mark.parametrize("path", [STREAM, "/video_feed"])
def test_a_stream_is_well_formed(server: Server, path: str) -> None:
    with Viewer(server.port, path) as viewer:
        viewer.begin().read_pictures(10)


def test_pictures_come_through_byte_for_byte(server: Server, camera: Device) -> None:
    camera.ask("fault freeze")  # from here on it sends one picture for ever, whoever asks
    until_more(server)
    with Viewer(server.port, STREAM) as viewer:
        seen = {picture.jpeg for picture in viewer.begin().read_pictures(3)}
    seen.add(get(server, SNAPSHOT).body)
    server.stop()
    with (
        socket.create_connection(("127.0.0.1", camera.port), PATIENCE) as connection,
        connection.makefile("rb") as file,
    ):
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: camera\r\n\r\n")
        while (line := file.readline()) and not line.startswith(b"Content-Length: "):
            pass
        assert file.readline() == b"\r\n"
        assert seen == {file.read(int(line.split()[1]))}


def test_twenty_viewers_cost_the_camera_one_connection(server: Server, camera: Device) -> None:
    viewers = [Viewer(server.port, STREAM) for _ in range(20)]
    try:
        for viewer in viewers:
            viewer.begin()
        for viewer in viewers:
            viewer.read_pictures(5)
        assert server.camera("camera1")["viewers"] == 20
        known = camera.ask("status")
        assert (known["connections"], known["streaming"], known["most_open"]) == (1, 1, 1)
    finally:
        for viewer in viewers:
            viewer.close()
    wait_for(lambda: server.camera("camera1")["viewers"] == 0, "the viewers to be gone")
    assert camera.ask("status")["connections"] == 1


def test_viewers_of_a_camera_that_goes_see_a_generated_picture_until_it_is_back(server: Server, camera: Device) -> None:
    with Viewer(server.port, STREAM) as viewer:
        last = viewer.begin().read_pictures(3)[-1]
        camera.ask("fault refuse")
        until(server, "offline", "refused")
        status, answer = server.ask("GET", SNAPSHOT)
        assert (status, answer["error"]["code"]) == (503, "no_picture")
        assert "refused" in answer["error"]["message"]
        notices: list[Picture] = []
        while len(notices) < 4:
            picture = viewer.read()
            if picture.sequence == 0:
                notices.append(picture)
        apart = [later.timestamp - earlier.timestamp for earlier, later in pairwise(notices[1:])]
        assert min(apart) > 0.9  # about once a second: repeated, and no more often
        assert len({notice.jpeg for notice in notices[2:]}) == 1
        camera.ask("fault none")
        while (picture := viewer.read()).sequence == 0:
            assert picture.timestamp < notices[-1].timestamp + PATIENCE
        assert picture.sequence > last.sequence
        viewer.read_pictures(3)
    assert_whole(get(server, SNAPSHOT).body)


def test_a_viewer_that_joins_while_the_camera_is_gone_sees_that_at_once(server: Server, camera: Device) -> None:
    camera.ask("fault refuse")
    until(server, "offline", "refused")
    with Viewer(server.port, STREAM) as viewer:
        assert viewer.begin().read().sequence == 0


def test_a_stalled_viewer_is_closed_and_costs_nothing_after(start: Started) -> None:
    camera = start.camera("--fps", "50")
    server = start.server(configured(camera, more="[media]\nviewer_timeout = 1.0"))
    until(server, "live")
    with Viewer(server.port, STREAM) as warm:  # what the first viewer opens for good doesn't count
        warm.begin().read_pictures(2)
    wait_for(lambda: server.camera("camera1")["viewers"] == 0, "the first viewer to be gone")
    wait_for(lambda: server.camera("camera1")["sight"] == "ok", "the first looks, and what they load for good")
    before = system(server)
    with Viewer(server.port, STREAM, receive_buffer=4096), Viewer(server.port, STREAM) as other:
        other.begin()
        wait_for(lambda: server.camera("camera1")["viewers"] == 2, "both viewers")

        def closed() -> bool:
            other.read_pictures(5)
            return bool(server.camera("camera1")["viewers"] == 1)

        wait_for(closed, "the stalled viewer to be closed")
        server.expect("a viewer took nothing for 1.0 s: closed")
        other.read_pictures(5)
    wait_for(lambda: system(server)["descriptors"] <= before["descriptors"], "the descriptors to come back")
    assert system(server)["memory"] < before["memory"] + 20 * MIB


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc")
def test_a_picture_of_a_hundred_megabytes_is_not_kept(start: Started) -> None:
    camera = start.camera("--fps", "100")
    server = start.server(configured(camera, camera=QUICK.replace("stall_timeout = 0.5", "stall_timeout = 60")))
    until(server, "live")
    system(server)
    before = system(server)["memory"]
    camera.ask("fault huge_frame")
    seen: list[int] = []

    def second_begun() -> bool:
        status = system(server)
        seen.append(status["memory"])
        return bool(status["cameras"][0]["rejected"] >= 2)  # the first went through to its last byte

    wait_for(second_begun, "a hundred megabytes to pass", 2 * PATIENCE)
    assert max(seen) < before + 40 * MIB
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())
    assert peak is not None
    assert int(peak[1]) * 1024 < before + 40 * MIB
    camera.ask("fault none")
    until_more(server)


# --- frames as WAMP events ---


@pytest.mark.parametrize("serializer", ["cbor", "msgpack"])
def test_frames_over_wamp_are_the_same_bytes_in_order(start: Started, server: Server, serializer: str) -> None:
    where = {"GATEKEEPER_URL": f"ws://127.0.0.1:{server.port}/ws", "GATEKEEPER_TOKEN": TOKEN}
    script = str(Path(__file__).with_name("frame_watcher.py"))
    digests: dict[int, str] = {}
    with Viewer(server.port, STREAM) as viewer:
        viewer.begin()
        watcher = start.process(sys.executable, script, serializer, "camera1", "12", env=where)

        def ended() -> bool:
            picture = viewer.read_pictures(1)[0]
            digests[picture.sequence] = hashlib.sha256(picture.jpeg).hexdigest()
            return sum(line.startswith("frame ") for line in watcher.lines) == 12

        wait_for(ended, "twelve frames")
    assert watcher.wait() == 0, watcher.output
    frames = [json.loads(line[6:]) for line in watcher.lines if line.startswith("frame ")]
    assert {(frame["type"], frame["whole"], frame["camera"]) for frame in frames} == {("bytes", True, "camera1")}
    assert all(frame["length"] == frame["size"] for frame in frames)
    sequences = [frame["sequence"] for frame in frames]
    assert sequences == sorted(set(sequences))
    both = [frame for frame in frames if frame["sequence"] in digests]
    assert len(both) > 5
    assert all(frame["digest"] == digests[frame["sequence"]] for frame in both)


def test_frames_are_published_only_while_somebody_subscribes(start: Started, server: Server) -> None:
    def publications() -> int:
        return int(system(server)["router"]["publications"])

    # A camera's state may be published meanwhile: of ten frames, none is what is looked for.
    before = publications()
    until_more(server, 10)
    assert publications() < before + 10
    where = {"GATEKEEPER_URL": f"ws://127.0.0.1:{server.port}/ws", "GATEKEEPER_TOKEN": TOKEN}
    script = str(Path(__file__).with_name("frame_watcher.py"))
    watcher = start.process(sys.executable, script, "cbor", "camera1", "10", env=where)
    assert watcher.wait() == 0, watcher.output
    wait_for(lambda: server.camera("camera1")["viewers"] == 0, "the subscriber to be gone")
    after = publications()
    assert after >= before + 10
    until_more(server, 10)
    assert publications() < after + 10


# --- cameras that don't stream multipart JPEG ---


def of_another_kind(lines: str) -> str:
    return f'{site(None)}[[cameras]]\nid = "camera1"\nretry_maximum = 1.0\n{lines}\n'


def test_an_rtsp_camera_is_watched_like_any_other_and_holds_up_no_stop(start: Started) -> None:
    camera = RtspServer()
    try:
        server = start.server(of_another_kind(f'url = "{camera.url()}"\nstall_timeout = 5.0'))
        until(server, "live")
        with Viewer(server.port, STREAM) as viewer:
            viewer.begin().read_pictures(5)
        assert_whole(get(server, SNAPSHOT).body)
        camera.freeze()  # the decoder hangs in a read, for five seconds
        assert server.stop() < 3.0
    finally:
        camera.end()


def test_a_camera_with_snapshots_only_is_watched_like_any_other(start: Started, camera: Device) -> None:
    address = camera.url.replace("/stream", "/capture")
    server = start.server(of_another_kind(f'snapshot = "{address}"\nsnapshot_interval = 0.2'))
    until(server, "live")
    until_more(server)
    assert_whole(get(server, SNAPSHOT).body)
    assert camera.ask("status")["most_open"] == 1


def test_a_video_file_is_played_for_ever(start: Started, tmp_path: Path) -> None:
    file = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (64, 48))
    for number in range(10):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    server = start.server(of_another_kind(f'video = "{file}"'))
    until(server, "live")
    until_more(server, 20)
    assert_whole(get(server, SNAPSHOT).body)


# --- what the pictures are worth ---


def until_sight(server: Server, sight: str) -> None:
    wait_for(lambda: server.camera("camera1")["sight"] == sight, f"the camera's sight to be {sight}")


def test_a_camera_that_sees_nothing_is_live_and_known_to_be_blind(server: Server, camera: Device) -> None:
    until_sight(server, "ok")
    camera.ask("fault black")
    until_sight(server, "black")
    server.expect("camera camera1 does not see: the picture is black")
    assert server.camera("camera1")["state"] == "live"
    camera.ask("fault none")
    until_sight(server, "ok")
    server.expect("camera camera1 sees again")
    status, page = server.ask("GET", "/events?kind=camera.")
    assert status == 200
    kinds = [(event["kind"], event["outcome"], event["subject"]) for event in page["events"]]
    assert ("camera.black", "alarm", "camera1") in kinds
    assert ("camera.sees_again", "ok", "camera1") in kinds
    camera.ask("fault refuse")
    until_sight(server, "unknown")
