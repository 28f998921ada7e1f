"""Cameras that connect, with real processes: twistd against the virtual ESP32-S3 camera, and each of its faults."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Started
from tests.integration.demo import request
from tests.integration.processes import TOKEN, Device, Server, site, wait_for

pytestmark = pytest.mark.process


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Bench:
    """A server whose camera `s3` dials `/s3`, and which listens on a port of its own for control."""

    def __init__(self, start: Started, stall: float = 6.0) -> None:
        self.start = start
        self.stream, self.control = free_port(), free_port()
        ports = f'[push]\nlisten = "tcp:{self.stream}:interface=127.0.0.1"\n'
        ports += f'control = "tcp:{self.control}:interface=127.0.0.1"'
        camera = f'[[cameras]]\nid = "s3"\npush = {{path = "/s3", stall_timeout = {stall}}}\n'
        self.server: Server = start.server(site(more=ports) + camera)

    def camera(self, *options: str, path: str = "/s3") -> Device:
        return self.start.push("--url", f"ws://127.0.0.1:{self.stream}{path}", "--redial", "0.2", *options)

    def until(self, state: str, reason: str = "") -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.server.camera("s3")
            return found if found["state"] == state and reason in (found["reason"] or "") else None

        return wait_for(look, f"the camera to be {state} {reason}")

    def set(self, **settings: Any) -> tuple[int, Any]:
        return self.server.ask("POST", "/cameras/s3/settings", settings)


def test_the_real_cameras_slow_pace_is_live_and_it_takes_settings(start: Started) -> None:
    bench = Bench(start)
    assert bench.set(quality=12)[0] == 503  # nothing waits for it
    camera = bench.camera()
    status = bench.until("live")
    assert (status["kind"], status["width"], status["height"]) == ("push", 1024, 768)
    wait_for(lambda: bench.server.camera("s3")["frames"] >= 3, "three pictures at the stability mode's pace")
    status = bench.server.camera("s3")
    assert (status["rejected"], status["device"]["model"], status["device"]["rssi"]) == (0, "OV3660", -58)

    assert bench.set(resolution="VGA", mode="speed", vflip=True) == (
        200,
        {"camera": "s3", "taken": {"resolution": "5 (VGA (640x480))", "mode": "Velocidad", "vflip": "on"}},
    )
    wait_for(lambda: bench.server.camera("s3")["width"] == 640, "the new size")
    wait_for(lambda: bench.server.camera("s3")["fps"] > 4, "the new pace")
    status_code, snapshot = bench.server.ask("GET", "/cameras/s3/snapshot.jpg")
    assert status_code == 200
    assert snapshot.startswith(b"\xff\xd8")
    assert bench.set(quality=99)[0] == 400
    events = bench.server.ask("GET", "/events?kind=camera.set")[1]["events"]
    assert events[0]["subject"] == "s3"

    code, answer = bench.set(reboot=True)
    assert (code, answer["taken"]) == (200, {"reboot": "reiniciando"})
    wait_for(lambda: camera.ask("status")["connections"] >= 2, "the camera to be back")
    wait_for(lambda: camera.ask("status")["settings"]["resolution"] == 5, "what it was set to, sent again")
    sent = camera.ask("status")["commands"]
    assert [name for name, _ in sent].count("reboot") == 1
    bench.server.stop()


def test_our_own_firmwares_camera_is_live_on_both_its_connections_and_takes_settings(start: Started) -> None:
    bench = Bench(start)
    camera = start.push(
        "--own", "--name", "s3", "--resolution", "5",
        "--url", f"ws://127.0.0.1:{bench.stream}/s3", "--control", f"ws://127.0.0.1:{bench.control}/s3",
    )  # fmt: skip
    bench.until("live")
    wait_for(lambda: bench.server.camera("s3")["device"] is not None, "its word about itself")
    assert bench.set(quality=0, fps=5, resolution="QVGA")[0] == 200
    wait_for(lambda: bench.server.camera("s3")["width"] == 320, "the new size")
    status = bench.server.camera("s3")
    assert (status["rejected"], status["device"]["lost"], status["device"]["reset"]) == (0, 0, "POWERON")
    assert camera.ask("status")["framed"]
    assert camera.ask("status")["connections"] == 2
    camera.ask("fault unwilling")
    assert bench.set(quality=9)[0] == 502  # the camera said no
    camera.ask("fault none")

    assert bench.set(reboot=True)[1]["taken"] == {"reboot": "reiniciando"}
    wait_for(lambda: camera.ask("status")["connections"] == 4, "the camera to be back")
    wait_for(lambda: camera.ask("status")["settings"]["quality"] == 0, "what it was set to, sent again")
    bench.server.stop()


def test_each_fault_is_told_and_heals(start: Started) -> None:
    bench = Bench(start, stall=1.0)
    camera = bench.camera("--speed", "--resolution", "5")
    bench.until("live")
    for fault, state, reason in (
        ("silent", "stalled", "no picture for 1 s"),
        ("wrong_size", "stalled", "nothing but pictures of another size than announced"),
        ("garbage", "stalled", "nothing but parts that are no JPEG"),
        ("truncated", "stalled", "nothing but pictures without their end"),
        ("endless", "stalled", "nothing but pictures that were begun anew"),
        ("cut", "offline", "the connection was closed"),
    ):
        camera.ask(f"fault {fault}")
        bench.until(state, reason)
        camera.ask("fault none")
        bench.until("live")
    camera.ask("fault restart")
    before = bench.server.camera("s3")
    wait_for(lambda: bench.server.camera("s3")["rejected"] > before["rejected"], "restarts to be counted")
    assert bench.server.camera("s3")["state"] == "live"
    camera.ask("fault mute")
    code, answer = bench.set(quality=20)
    assert (code, answer["error"]["code"]) == (504, "timeout")
    bench.server.stop()


def test_a_second_one_is_refused_and_a_stranger_is_listed_with_no_picture(start: Started) -> None:
    bench = Bench(start)
    camera = bench.camera("--speed", "--resolution", "5")
    bench.until("live")
    camera.ask("second")
    wait_for(lambda: 4409 in camera.ask("status")["closed"], "the refusal")
    assert bench.server.camera("s3")["state"] == "live"
    bench.camera("--speed", "--resolution", "3", "--name", "bath", path="/bath")

    def look() -> dict[str, Any] | None:
        _, strangers = bench.server.ask("GET", "/api/cameras/strangers")
        return next((one for one in strangers if one["frames"]), None)

    stranger = wait_for(look, "the stranger")
    assert (stranger["path"], stranger["id"], stranger["width"]) == ("/bath", "bath", 320)
    assert [one["id"] for one in bench.server.ask("GET", "/cameras")[1]] == ["s3"]
    assert bench.server.ask("GET", "/cameras/bath/snapshot.jpg")[0] == 404
    bench.server.stop()


def test_framed_pictures_and_a_control_port_of_its_own(start: Started) -> None:
    bench = Bench(start)
    control = f"ws://127.0.0.1:{bench.control}/s3"
    camera = bench.camera("--framed", "--speed", "--resolution", "5", "--control", control)
    wait_for(lambda: bench.server.camera("s3")["frames"] > 3, "framed pictures")
    assert camera.ask("status")["framed"] is True
    assert bench.set(brightness=-2) == (200, {"camera": "s3", "taken": {"brightness": "-2"}})
    assert bench.server.camera("s3")["device"]["lost"] == 0
    answer = request(bench.control, "GET", "/api/stats", {"Authorization": f"Bearer {TOKEN}"})  # HTTP beside it
    assert json.loads(answer.body)["camera_connected"] is True
    assert request(bench.control, "GET", "/api/stats").status == 401
    assert request(bench.control, "GET", "/doors", {"Authorization": f"Bearer {TOKEN}"}).status == 404
    bench.server.stop()


def test_a_port_that_is_taken_is_told_by_its_key(start: Started, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = f'[push]\nlisten = "tcp:{taken.getsockname()[1]}:interface=127.0.0.1"\ncontrol = ""'
        server = start.server(site(more=ports), ready=False)
        server.expect(r"gatekeeper: push\.listen: can't listen on tcp:")
        assert server.wait() == 1
