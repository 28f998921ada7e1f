"""Planted secrets: a site is worked with them in every way, right and wrong, and then everything it left is searched.

Each place is searched by a test of its own: the log, what was answered, what WAMP tells, exports, the data folder,
backups, what processes were started with. A place where a secret belongs by design says so.
"""

import base64
import http.client
import http.server
import io
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest

from gatekeeper import uris
from tests.integration.conftest import Started
from tests.integration.processes import BIN, PATIENCE, Process, wait_for
from tests.sites import Log, Memory
from tests.wamp.wire import masked, take_frames

pytestmark = pytest.mark.process

SETTINGS = """
listen = "tcp:0:interface=127.0.0.1"
[access]
admin_token = {{env = "PLANTED_ADMIN"}}
[evidence]
before = 0.5
after = 0.5
[[cameras]]
id = "yard"
url = "http://127.0.0.1:{camera}/stream?pwd={camera_query}"
username = "viewer"
password = {{file = "camera-password"}}
retry_maximum = 0.5
[[cameras]]
id = "hall"
url = "{picture}?pwd={camera_query}"
doors = ["front"]
[[doors]]
id = "front"
url = "{lock}?key={lock_query}"
"""


def planted(name: str) -> str:
    return f"{name}-{secrets.token_hex(12)}"


class Found:
    """What was heard, by place, and the secrets to look for in it."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.heard: defaultdict[str, list[tuple[str, bytes]]] = defaultdict(list)

    def plant(self, name: str, value: str | None = None) -> str:
        self.secrets[name] = value or planted(name)
        return self.secrets[name]

    def hear(self, place: str, what: str, content: bytes | str) -> None:
        self.heard[place].append((what, content.encode() if isinstance(content, str) else content))

    def leaks(self, place: str, *, but: tuple[str, ...] = ()) -> list[str]:
        """Return where in a place which secret stands."""
        assert self.heard[place], f"nothing was heard from {place}"
        return [
            f"{name} in {what}"
            for what, content in self.heard[place]
            for name, secret in self.secrets.items()
            if name not in but and any(trace in content for trace in traces(secret))
        ]


def traces(secret: str) -> set[bytes]:
    """Return what a secret can look like: as it is, in a URL, in Base64 at any place, in hexadecimal."""
    raw = secret.encode()
    encoded = {base64.b64encode(bytes(pad) + raw)[4 * (pad > 0) : -4] for pad in range(3)}
    return {raw, quote(secret, safe="").encode(), raw.hex().encode(), *encoded}


def test_the_search_finds_what_is_there() -> None:
    found = Found()
    secret = found.plant("token")
    for content in (
        f"x {secret} y",
        base64.b64encode(f"ana:{secret}".encode()),
        base64.b64encode(f"an:{secret}\n".encode()),
        secret.encode().hex(),
    ):
        found.heard.clear()
        found.hear("log", "a line", content)
        assert found.leaks("log") == ["token in a line"]
    found.hear("page", "a line", secret[:-1])
    assert found.leaks("page") == []


# --- a site, and everything done to it -------------------------------------------------------------------------------


class Guarded(http.server.BaseHTTPRequestHandler):
    """A camera that asks for a password, and has no picture all the same."""

    def do_GET(self) -> None:
        self.send_response(500 if self.headers["Authorization"] else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="camera"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class House:
    """A running site with secrets, and whoever works with it."""

    def __init__(self, start: Started, camera: int) -> None:
        self.start = start
        self.found = Found()
        plant = self.found.plant
        admin = plant("admin")
        (start.folder / "camera-password").write_text(plant("camera-password"))
        lock, picture = start.lock(), start.camera()
        self.settings = SETTINGS.format(
            camera=camera,
            picture=picture.url,
            lock=lock.url,
            camera_query=plant("camera-query"),
            lock_query=plant("lock-query"),
        )
        (start.folder / "site.toml").write_text(self.settings)
        arguments = [str(BIN / "twistd"), "-n", "--pidfile=", "gatekeeper", "--config", "site.toml"]
        self.process = start.process(*arguments, env={"PLANTED_ADMIN": admin})
        self.port = int(self.process.expect(r"open http://127\.0\.0\.1:(\d+)/login")[1])
        self.admin = {"Authorization": f"Bearer {admin}"}
        self.env = {"PLANTED_ADMIN": admin}

    # --- asking ---

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None, *, gives: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request; what comes back is heard, unless it `gives` a secret, which is planted then."""
        sent = dict(headers or {})
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            fields, content = {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()
        if not gives:
            told = fields if "Cookie" not in sent else {**fields, "set-cookie": ""}  # its own, put off
            self.found.hear("answers", f"{method} {path.partition('?')[0]}", repr(told).encode() + content)
        return answer.status, fields, content

    def command(self, *arguments: str, stdin: str = "", gives: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "gatekeeper", "--config", "site.toml", *arguments],
            cwd=self.start.folder,
            env={**os.environ, **self.env},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        if not gives:
            self.found.hear("commands", " ".join(arguments[:2]), done.stdout + done.stderr)
        return done.stdout

    # --- working ---

    def people(self) -> None:
        """Accounts, log-ins, tokens, keys: right ones and wrong ones."""
        password = self.found.plant("password")
        wrong = self.found.plant("wrong-password")
        self.command("user", "add", "ana", "--role", "owner", stdin=f"{password}\n")
        key = self.command("key", "new", "ana", "--label", "script", gives=True).strip()
        self.found.plant("key", key.split("_", 2)[2])  # the secret itself may hold a `_`
        self.key = {"Authorization": f"Bearer {key}"}
        wait_for(lambda: self.ask("GET", "/doors", self.key)[0] == 200, "the key to be known")
        who = {"name": "ana", "password": password}
        status, fields, _ = self.ask("POST", "/login", body=who, gives="cookie")
        assert status == 200
        cookie = fields["set-cookie"].partition(";")[0]
        self.found.plant("cookie", cookie.partition("=")[2])
        self.cookie = {"Cookie": cookie}
        status, _, content = self.ask("POST", "/api/access/token", body=who, gives="token")
        assert status == 200, content
        given = json.loads(content)
        self.found.plant("token", given["token"].rpartition(".")[2])
        self.found.plant("refresh-token", given["refresh_token"].rpartition("_")[2])
        self.token = {"Authorization": f"Bearer {given['token']}"}
        bad: list[Any] = [
            {"name": "ana", "password": wrong},
            {"name": wrong, "password": password + wrong},  # typed into the wrong field
            {"name": "ana", "passwrd": password},
            {"name": "ana", "password": [password]},
            {"name": "ana", "password": {password: password}},
            {"key": key + "x"},
            [password],
            json.dumps(who).encode()[:-1],
            b"name=ana&password=" + password.encode(),
            json.dumps(who).encode("utf-16"),
        ]
        for body in bad:
            self.ask("POST", "/login", body=body)
            self.ask("POST", "/api/access/token", body=body)
        self.ask(
            "POST", "/login", {"Content-Type": "application/x-www-form-urlencoded"}, b"password=" + password.encode()
        )
        self.ask("POST", "/api/access/token", body={"refresh_token": given["refresh_token"] + "x"})
        self.ask("POST", "/api/access/password", self.cookie, {"old": wrong, "new": wrong})
        self.ask("POST", "/api/access/password", self.cookie, {"old": password, "new": "short"})
        self.ask("POST", "/api/access/users", self.cookie, {"name": "bob", "role": "viewer", "password": wrong})
        self.ask("PATCH", "/api/access/users/bob", self.cookie, {"password": [wrong]})
        self.ask("GET", "/login?code=" + wrong)
        self.ask("GET", "/doors", {"Authorization": f"Basic {base64.b64encode(f'ana:{password}'.encode()).decode()}"})
        self.ask("GET", "/doors", {"Authorization": f"Bearer {wrong}"})
        self.ask("GET", "/doors", {"Cookie": f"gatekeeper={wrong}"})

    def pages(self) -> None:
        """Every address that can be asked for, as everybody who can be somebody."""
        for who in ({}, self.admin, self.key, self.cookie, self.token):
            for route in uris.ROUTES:
                if route.method == "GET" and route not in (uris.STREAM, uris.VIDEO_FEED, uris.MJPEG, uris.LOGIN_LINK):
                    path = route.path.replace("<camera>", "yard").replace("<door>", "front")
                    self.ask("GET", path, who)
        self.ask("GET", "/doors/" + self.found.secrets["password"], self.key)
        self.ask("POST", "/doors/front/open", self.key, {"duration": -1, "reason": 5})

    def doors(self) -> str:
        """Open a door; return the event's id once its pictures are stored."""
        wait_for(lambda: json.loads(self.ask("GET", "/doors/front", self.key)[2])["connected"], "the lock")
        assert self.ask("POST", "/doors/front/open", self.cookie, {"duration": 1, "reason": "parcel"})[0] == 200

        def stored() -> str | None:
            events = json.loads(self.ask("GET", "/events?limit=200", self.admin)[2])["events"]
            return next((event["cause"] for event in events if event["kind"] == "evidence.stored"), None)

        return wait_for(stored, "the pictures of the opening")

    def listen(self) -> None:
        """What WAMP tells: every event so far, and those that come, to the administrator."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(
                b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
                b"\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n"
            )
            rest = b""
            while b"\r\n\r\n" not in rest:
                rest += connection.recv(65536)
            rest = rest.partition(b"\r\n\r\n")[2]

            def say(*message: Any) -> None:
                connection.sendall(masked(json.dumps(message).encode(), binary=False))

            def hear(kind: int) -> list[Any]:
                nonlocal rest
                while True:
                    frames, rest = take_frames(rest)
                    for _, payload in frames:
                        self.found.hear("wamp", f"message {payload[:20]!r}", payload)
                        if payload.startswith(f"[{kind},".encode()):
                            return list(json.loads(payload))
                    rest += connection.recv(65536)

            roles: dict[str, Any] = {"subscriber": {}, "caller": {}}
            say(1, "gatekeeper", {"roles": roles, "authmethods": ["ticket"], "authid": "admin"})
            hear(4)
            say(5, self.found.secrets["admin"], {})
            hear(2)
            say(32, 1, {}, uris.TOPIC_EVENT.template)
            hear(33)
            for number, name in enumerate((uris.CALL_EVENT_RECENT, uris.CALL_ACCESS_USERS, uris.CALL_ACCESS_KEYS), 2):
                say(48, number, {}, name.template)
                hear(50)
            say(48, 9, {}, uris.CALL_EVENT_LIST.template, [], {"limit": 200})
            hear(50)
            self.ask("POST", "/login", body={"name": "ana", "password": self.found.secrets["wrong-password"]})
            hear(36)

    def export(self, event: str) -> None:
        """Exports over HTTP and by the command line."""
        _, _, content = self.ask("GET", f"/events/{event}/export.zip", self.admin)
        self._unpack("exports", content)
        self.command("export", "--event", event, "--to", "case.zip")
        self._unpack("exports", (self.start.folder / "case.zip").read_bytes())

    def back_up(self) -> None:
        self.command("backup", "site.backup", "--pictures")
        self._unpack("backups", (self.start.folder / "site.backup").read_bytes())

    def _unpack(self, place: str, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                self.found.hear(place, name, archive.read(name))

    def look_at_processes(self) -> None:
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        for process in family:
            self.found.hear("processes", f"process {process.pid}", "\0".join(process.cmdline()))

    def stop(self) -> None:
        """Stop it; what it left behind is heard."""
        self.process.signal(signal.SIGHUP)
        wait_for(lambda: "reloaded: nothing changed" in self.process.output, "the reload")
        self.process.signal(signal.SIGTERM)
        self.process.wait()
        self.found.hear("log", "the log", self.process.output)
        for file in (self.start.folder / "gatekeeper-data").rglob("*"):
            if file.is_file():
                self.found.hear("data", str(file.relative_to(self.start.folder)), file.read_bytes())

    def check(self) -> None:
        """Configurations that are wrong, and one that is right."""
        password = self.found.secrets["camera-password"]
        wrong = {
            "right": self.settings,
            "password in the address of the database": f'[storage]\nurl = "postgresql://me:{password}@127.0.0.1/x"',
            "password in a wrong address": f'[storage]\nurl = "postgresq://me:{password}@127.0.0.1/x"',
            "credentials of a lock": f'[[doors]]\nid = "front"\nurl = "ws://me:{password}@127.0.0.1/ws"',
            "credentials of a camera": f'[[cameras]]\nid = "yard"\nurl = "http://me:{password}@127.0.0.1/"',
            "query of a camera": f'[[cameras]]\nid = "yard"\nurl = "ftp://127.0.0.1/?pwd={password}"',
            "password as it is": f'[[cameras]]\nid = "a"\nurl = "http://h/"\nusername = "a"\npassword = "{password}"',
            "token as it is": f'[access]\nadmin_token = "{password}"',
            "ticket as it is": f'[router]\nurl = "ws://h/"\nauthid = "a"\nticket = "{password}"',
        }
        for name, toml in wrong.items():
            (self.start.folder / "wrong.toml").write_text(toml)
            arguments = ["-n", "--pidfile=", "gatekeeper", "--config", "wrong.toml", "--check"]
            started = self.start.process(str(BIN / "twistd"), *arguments, env=self.env)
            assert started.wait() == (0 if name == "right" else 1), started.output
            self.found.hear("checks", name, started.output)

    def lose_the_database(self) -> None:
        """A database that can't be reached, whose password is a secret."""
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        (self.start.folder / "camera-password").write_text(self.found.plant("database-password"))
        toml = f'[storage]\nurl = "postgresql://me@127.0.0.1:{port}/x"\npassword = {{file = "camera-password"}}\n'
        (self.start.folder / "wrong.toml").write_text(toml + self.settings[: self.settings.index("[evidence]")])
        arguments = ["-n", "--pidfile=", "gatekeeper", "--config", "wrong.toml"]
        started: Process = self.start.process(str(BIN / "twistd"), *arguments, env=self.env)
        assert started.wait() == 1, started.output
        self.found.hear("checks", "a database that isn't there", started.output)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Do everything once; the tests look at what was heard."""
    start = Started(tmp_path_factory.mktemp("house"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guarded) as camera:
        thread = threading.Thread(target=camera.serve_forever, daemon=True)
        thread.start()
        try:
            house = House(start, camera.server_address[1])
            house.people()
            event = house.doors()
            house.pages()
            house.listen()
            house.export(event)
            house.back_up()
            house.look_at_processes()
            house.stop()
            house.check()
            house.lose_the_database()
            yield house.found
        finally:
            start.end()
            camera.shutdown()
            thread.join(PATIENCE)


# --- where nothing may be found --------------------------------------------------------------------------------------


def test_the_log_holds_none(found: Found) -> None:
    assert found.leaks("log") == []


def test_no_answer_holds_one_that_is_not_what_was_asked_for(found: Found) -> None:
    leaks = found.leaks("answers")
    # A path that was asked for may be named in its own answer.
    assert [leak for leak in leaks if not leak.endswith("/doors/" + found.secrets["password"])] == []


def test_wamp_tells_none(found: Found) -> None:
    assert found.leaks("wamp") == []


def test_an_export_holds_none(found: Found) -> None:
    assert found.leaks("exports") == []


def test_the_data_folder_holds_none(found: Found) -> None:
    assert found.leaks("data") == []


def test_a_backup_holds_only_what_stands_in_the_configuration(found: Found) -> None:
    by_design = ("camera-query", "lock-query")
    assert found.leaks("backups", but=by_design) == []
    places = {leak.partition(" in ")[2] for leak in found.leaks("backups")}
    assert places == {"configuration.toml"}


def test_commands_tell_none(found: Found) -> None:
    assert found.leaks("commands") == []


def test_no_process_was_started_with_one(found: Found) -> None:
    assert found.leaks("processes") == []


def test_a_wrong_configuration_is_told_without_them(found: Found) -> None:
    assert found.leaks("checks") == []
    assert all(b"Traceback" not in content for _, content in found.heard["checks"])


# --- a crash ---------------------------------------------------------------------------------------------------------


def test_a_traceback_holds_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token, password = planted("admin"), planted("password")
    gate = Memory(tmp_path, token=token)

    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    from gatekeeper.http import requests, routes

    monkeypatch.setattr(routes, "authorise", crash)
    monkeypatch.setattr(requests, "authorise", crash)
    with Log() as log:
        answer = gate.post("/login", {"name": "ana", "password": password}, {"Authorization": f"Bearer {token}"})
    assert answer.status == 500
    told = "\n".join(log.lines) + answer.body.decode()
    assert "ZeroDivisionError" in told
    assert token not in told
    assert password not in told
