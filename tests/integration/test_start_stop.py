"""Starting and stopping with real processes: the demo site, signals at any moment, and what fails a start."""

import base64
import os
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from gatekeeper import uris
from tests.integration.conftest import Started
from tests.integration.demo import LISTEN, PASSWORD, Demo, request
from tests.integration.processes import BIN, PATIENCE, Lock, Process, Server, site, wait_for

pytestmark = pytest.mark.process

PAGES = {uris.HEALTH, uris.INDEX, uris.ASSETS, uris.OPENAPI, uris.API_PAGE}
OPEN_TO_ALL = PAGES | {uris.LOGIN_LINK, uris.LOGIN, uris.LOGOUT, uris.SETUP, uris.TOKEN}
ASKS_ITSELF = {uris.MEASUREMENT_SEND, uris.SEED_CAMERA_DATA}  # the demo's are open; see `open_sending`
STOPPED_IN = 5.0  # seconds: a lock may take two to answer what is in flight, and two to lock


@pytest.fixture
def demo(start: Started) -> Demo:
    demo = Demo(start.folder)
    start.keep(demo)
    return demo


def gatekeeper(start: Started, *options: str) -> Process:
    """Run twistd in the test's folder."""
    return start.process(str(BIN / "twistd"), "-n", "--pidfile=", "gatekeeper", *options)


def failed(process: Process) -> list[str]:
    """Wait for a start that must fail; return what it said on standard error, logged already or not."""
    assert process.wait() == 1, process.output
    assert "Traceback" not in process.output
    said = [line.rpartition("[stderr#error] ")[2] for line in process.lines]
    return [line for line in said if not line[:4].isdigit()]


def inhabitants(folder: Path) -> list[psutil.Process]:
    """Return the processes that run in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


# --- the demo site ---


def test_the_demo_says_what_is_virtual_and_ends_with_the_address_to_open(demo: Demo) -> None:
    for device in ("camera entrance", "camera yard", "door front"):
        demo.expect(rf"{device}: VIRTUAL device at \w+://127\.0\.0\.1:\d+/")
    demo.expect("camera garden: VIRTUAL device that connects to us")
    said = [index for index, line in enumerate(demo.lines) if "VIRTUAL" in line or "every camera and lock here" in line]
    address = next(index for index, line in enumerate(demo.lines) if "/login?code=" in line)
    assert max(said) < address
    assert all(" is live" in line or "STATUS" in line for line in demo.lines[address + 1 :])
    token = demo.token()
    wait_for(lambda: demo.ask("GET", "/doors", token=token)[1][0]["connected"], "the virtual lock")
    cameras, doors = demo.ask("GET", "/cameras", token=token)[1], demo.ask("GET", "/doors", token=token)[1]
    assert [camera["virtual"] for camera in cameras] == [True, True, True]
    assert [door["virtual"] for door in doors] == [True]
    assert demo.ask("GET", "/api/system/status", token=token)[1]["demo"] is True
    assert demo.stop() < STOPPED_IN


def test_the_link_logs_in_one_browser_once(demo: Demo) -> None:
    first = request(demo.port, "GET", demo.link)
    assert (first.status, first.headers["Location"]) == (302, "/")
    assert {"httponly", "samesite=strict"} <= {word.strip().lower() for word in first.headers["Set-Cookie"].split(";")}
    assert first.cookie is not None
    assert request(demo.port, "GET", "/cameras", {"Cookie": first.cookie}).status == 403  # a password comes first
    chosen = {"name": "admin", "password": PASSWORD}
    owner = request(demo.port, "POST", "/api/access/setup", {"Cookie": first.cookie}, chosen).cookie
    assert owner is not None
    assert request(demo.port, "GET", "/cameras", {"Cookie": first.cookie}).status == 401
    second = request(demo.port, "GET", demo.link)
    assert (second.status, second.cookie) == (401, None)
    assert b"used already" in second.body
    demo.expect("one-time link from 127.0.0.1 was refused")
    assert request(demo.port, "GET", "/login?code=guess").status == 401
    assert request(demo.port, "GET", "/cameras", {"Cookie": owner}).status == 200


def test_without_a_log_in_health_and_the_page_are_all_there_is(demo: Demo) -> None:
    assert {route for route in uris.ROUTES if route.permission is uris.Permission.NONE} == OPEN_TO_ALL | ASKS_ITSELF
    assert request(demo.port, "GET", uris.HEALTH.path).body == b'{"status":"ok"}'
    for route in set(uris.ROUTES) - OPEN_TO_ALL - ASKS_ITSELF:
        path = route.format(
            camera="entrance",
            door="front",
            event="none",
            number="1",
            user="none",
            key="none",
            kind="door",
            thing="none",
            picture="none",
            day="2026-11-28",
            feed="none",
            session="1",
            team="1",
            extension="csv",
            cmd="stats",
            val="1",
        )
        answer = request(demo.port, route.method, path)
        assert (route.path, answer.status) == (route.path, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        wrong = {"Authorization": "Bearer wrong", "Cookie": "gatekeeper=wrong"}
        assert request(demo.port, route.method, path, wrong).status == 401


def test_without_a_proof_no_session_joins_the_router(demo: Demo) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    hello = b'[1,"gatekeeper",{"roles":{"caller":{}},"authmethods":["anonymous","cookie"]}]'
    with socket.create_connection(("127.0.0.1", demo.port), PATIENCE) as connection:
        connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{demo.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n".encode()
        )
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += connection.recv(65536)
        assert heard.startswith(b"HTTP/1.1 101 ")
        connection.sendall(bytes((0x81, 0x80 | len(hello), 0, 0, 0, 0)) + hello)
        while b"[3," not in heard and (data := connection.recv(65536)):
            heard += data
    assert b"wamp.error.no_matching_auth_method" in heard


# --- signals ---


def test_a_sigterm_at_any_moment_of_the_start_ends_it(start: Started) -> None:
    for step in range(12):
        demo = Demo(start.folder, ready=False)
        start.keep(demo)
        due = time.monotonic() + 0.05 + 0.1 * step
        while time.monotonic() < due and demo._popen.poll() is None:
            time.sleep(0.005)
        demo.signal(signal.SIGTERM)
        begin = time.monotonic()
        assert demo.wait() in (0, -signal.SIGTERM), demo.output
        assert time.monotonic() - begin < STOPPED_IN
        assert "Traceback" not in demo.output
        assert not inhabitants(start.folder)


@pytest.fixture
def standing_open(start: Started) -> tuple[Server, Lock]:
    """A server whose door stands open, and whose stop takes a while: the lock doesn't acknowledge."""
    lock = start.lock()
    server = start.server(site(lock))
    server.until_door("locked", connected=True)
    assert server.ask("POST", "/doors/front/open", {"duration": 60})[0] == 200
    lock.ask("fault no_ack")
    return server, lock


@pytest.mark.parametrize("pause", [True, False])
def test_a_second_signal_during_the_stop_does_no_harm(standing_open: tuple[Server, Lock], pause: bool) -> None:
    server, lock = standing_open
    server.signal(signal.SIGTERM)
    if pause:
        server.expect("stopping: doors are locked first")
    server.signal(signal.SIGINT)
    begin = time.monotonic()
    assert server.wait() in (-signal.SIGTERM, -signal.SIGINT)
    assert time.monotonic() - begin < STOPPED_IN
    assert "Traceback" not in server.output
    assert "is stopping already" in server.output
    assert server.lines[-1].endswith("Server Shut Down.")
    assert not lock.relay
    assert lock.commands.count("LOCK_DOOR") == 1


def test_an_ordinary_stop_closes_the_link_itself(start: Started) -> None:
    lock = start.lock()
    server = start.server(site(lock))
    server.until_door("locked", connected=True)
    assert server.stop() < STOPPED_IN
    assert "the link to the lock was lost: gatekeeper closed it" in server.output
    wait_for(lambda: lock.ask("status")["open"] == 0, "the lock to notice")


def test_a_stop_during_a_reload_waits_for_the_doors_too(standing_open: tuple[Server, Lock], start: Started) -> None:
    server, lock = standing_open
    (start.folder / "site.toml").write_text(site(lock) + "open_duration = 5\n")
    server.signal(signal.SIGHUP)
    server.expect("reloading: doors that change are locked first")
    assert server.stop() < STOPPED_IN
    ends = [line.rpartition("] ")[2] for line in server.lines]
    assert ends.count("stopped") == 1
    assert ends.index("stopped") < ends.index("Server Shut Down.")


def test_a_third_signal_ends_it_at_once(standing_open: tuple[Server, Lock]) -> None:
    server, _ = standing_open
    server.signal(signal.SIGTERM)
    server.expect("stopping: doors are locked first")
    server.signal(signal.SIGTERM)
    server.expect("is stopping already")
    server.stop(signal.SIGTERM)
    assert "Server Shut Down." not in server.output


# --- starts that fail ---


def test_a_port_in_use_is_one_line_and_no_device_is_touched(start: Started) -> None:
    lock = start.lock()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (start.folder / "site.toml").write_text(site(lock), encoding="utf-8")
        process = Server(start.folder, site(lock).replace("tcp:0:", f"tcp:{port}:"), ready=False)
        start.keep(process)
        (line,) = failed(process)
    assert line.startswith(f"gatekeeper: listen: can't listen on tcp:{port}:interface=127.0.0.1: ")
    assert "in use" in line
    assert lock.ask("status")["connections"] == 0


@pytest.mark.parametrize("listen", ["tcp:0:interface=203.0.113.7", "unix:no/such/folder/socket"])
def test_a_place_that_cannot_be_listened_on_is_one_line(start: Started, listen: str) -> None:
    (line,) = failed(gatekeeper(start, "--listen", listen))
    assert line.startswith(f"gatekeeper: listen: can't listen on {listen}: ")


CAMERA = '[[cameras]]\nid = "yard"\nurl = "http://127.0.0.1:9/stream"\n'
DOOR = '[[doors]]\nid = "front"\nurl = "ws://127.0.0.1:9/ws"\n'

WRONG = {
    "no TOML": ("listen = [", "not TOML"),
    "unknown key": ('lisen = "tcp:8000"', 'lisen: no such key; did you mean "listen"'),
    "unknown key in a table": (DOOR + "colour = 1", "doors[0].colour: no such key"),
    "missing key": ('[[cameras]]\nid = "yard"', "cameras[0].url: missing"),
    "wrong type": ("listen = 8000", "listen: found 8000"),
    "out of range": (DOOR + "ping_interval = 10", "doors[0].ping_interval: found 10"),
    "wrong order": (CAMERA + "retry_minimum = 60", "cameras[0].retry_minimum: found 60"),
    "id of a wrong form": (CAMERA.replace('"yard"', '"The Yard"'), 'cameras[0].id: found "The Yard"'),
    "id given twice": (CAMERA + CAMERA, "cameras[1].id"),
    "address of a wrong scheme": (CAMERA.replace("http:", "rtmp:"), "cameras[0].url"),
    "password in the address": (CAMERA.replace("127", "me:hunter2@127"), "cameras[0].url"),
    "password in the file": (CAMERA + 'username = "me"\npassword = "hunter2"', "cameras[0].password"),
    "password without a name": (CAMERA + 'password = {env = "HOME"}', "cameras[0]: username and password"),
    "door that doesn't exist": (CAMERA + 'doors = ["back"]', "cameras[0].doors[0]"),
    "one lock for two doors": (DOOR + DOOR.replace("front", "back"), "doors[1].url"),
    "no endpoint": ('listen = "8000"', "listen: found"),
    "no port": ('listen = "tcp:99999"', "listen: found"),
    "secret with two sources": (
        '[access]\nadmin_token = {env = "A", file = "b"}',
        "access.admin_token: give exactly one",
    ),
    "secret that isn't set": ('[access]\nadmin_token = {env = "GATEKEEPER_UNSET"}', "access.admin_token: the env"),
    "secret file that isn't there": (CAMERA + 'username = "me"\npassword = {file = "none"}', "cameras[0].password"),
    "secret that is short": ('[access]\nadmin_token = {env = "GATEKEEPER_SHORT"}', "access.admin_token: too short"),
    "folder that is a file": ('data = "site.toml"', "data: can't use"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_configuration_is_one_line_that_names_the_key(
    start: Started, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    toml, words = WRONG[wrong]
    monkeypatch.setenv("GATEKEEPER_SHORT", "hunter2")
    (start.folder / "site.toml").write_text(toml, encoding="utf-8")
    (line,) = failed(gatekeeper(start, "--config", "site.toml"))
    assert line.startswith("gatekeeper: ")
    assert words in line
    assert "hunter2" not in line


def test_a_configuration_that_is_not_there_is_one_line(start: Started) -> None:
    (line,) = failed(gatekeeper(start, "--config", "none.toml"))
    assert line.startswith("gatekeeper: none.toml: can't be read")


# --- --check ---


def checked(start: Started, toml: str | None, *options: str) -> tuple[int, list[str]]:
    if toml is not None:
        (start.folder / "gatekeeper.toml").write_text(toml, encoding="utf-8")
    process = gatekeeper(start, "--check", *options)
    return process.wait(), process.lines


def test_check_of_a_good_configuration_says_what_it_holds_and_leaves_nothing(start: Started) -> None:
    assert checked(start, CAMERA + DOOR) == (0, ["the configuration is good: 1 cameras, 1 doors"])
    assert [file.name for file in start.folder.iterdir()] == ["gatekeeper.toml"]


def test_check_of_a_wrong_configuration_fails_like_the_start(start: Started) -> None:
    code, lines = checked(start, 'lisen = "tcp:8000"')
    assert (code, len(lines)) == (1, 1)
    assert "lisen: no such key" in lines[0]


def test_check_looks_for_every_secret(start: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = CAMERA + 'username = "me"\npassword = {env = "GATEKEEPER_TEST_PASSWORD"}'
    monkeypatch.delenv("GATEKEEPER_TEST_PASSWORD", raising=False)
    code, lines = checked(start, toml)
    assert (code, len(lines)) == (1, 1)
    assert "cameras[0].password: the environment variable GATEKEEPER_TEST_PASSWORD is not set" in lines[0]
    monkeypatch.setenv("GATEKEEPER_TEST_PASSWORD", "hunter2")
    assert checked(start, toml)[0] == 0


def test_check_without_a_configuration_says_so(start: Started) -> None:
    code, lines = checked(start, None)
    assert (code, len(lines)) == (1, 1)
    assert "no configuration file to check" in lines[0]


# --- another reactor ---


def test_it_runs_on_a_reactor_that_was_installed_before_and_says_what_is_off(start: Started) -> None:
    demo = Demo(start.folder, twistd=["--reactor=epoll"])
    start.keep(demo)
    demo.expect(r"runs on EPollReactor.*libraries that need asyncio are off")
    token = demo.token()
    wait_for(lambda: all(it["state"] == "live" for it in demo.ask("GET", "/cameras", token=token)[1]), "pictures")
    wait_for(lambda: demo.ask("GET", "/doors/front", token=token)[1]["connected"], "the lock")
    status, answer = demo.ask("POST", "/doors/front/open", {"duration": 1}, token=token)
    assert status == 200, answer
    assert demo.ask("GET", "/api/system/status", token=token)[1]["reactor"] == "EPollReactor"
    assert demo.stop() < STOPPED_IN


def test_it_runs_on_the_asyncio_reactor_by_itself(demo: Demo) -> None:
    reactor = demo.ask("GET", "/api/system/status", token=demo.token())[1]["reactor"]
    assert reactor.startswith("asyncio (")
    assert LISTEN not in demo.output
