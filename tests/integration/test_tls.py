"""A site with TLS as processes: made, served, renewed; and devices that lead back to the site itself."""

import http.server
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.conftest import Started
from tests.integration.processes import BIN, PATIENCE, TOKEN, Lock, Server, site, wait_for

pytestmark = pytest.mark.process

BOTH = 'listen = ["ssl:0:interface=127.0.0.1", "tcp:0:interface=127.0.0.1"]'


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `gatekeeper` on the site of a folder."""
    return subprocess.run(
        [sys.executable, "-m", "gatekeeper", "--config", "site.toml", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Secure(Server):
    """A server whose first place speaks TLS."""

    def __init__(self, folder: Path, toml: str) -> None:
        self.folder = folder
        (folder / "site.toml").write_text(toml, encoding="utf-8")
        made = command(folder, "tls", "init")
        assert made.returncode == 0, made.stderr
        super().__init__(folder, toml)

    def serving(self, since: int = 0) -> "Secure":
        self.port = int(self.expect(r"open https://127\.0\.0\.1:(\d+)/login", since)[1])
        return self

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "gatekeeper-data" / "tls" / "ca.pem"))

    def open(self, request: urllib.request.Request) -> Any:
        return urllib.request.urlopen(request, timeout=PATIENCE, context=self.trust)

    def ask(self, method: str, path: str, body: Any = None, token: str | None = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with self.open(request) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        return self.trust.wrap_socket(plain, server_hostname="localhost")

    def serial(self) -> bytes:
        """Return the certificate that is served, DER."""
        with self.connect() as connection:
            return connection.getpeercert(binary_form=True) or b""


def secure(start: Started, toml: str) -> Secure:
    server = Secure(start.folder, toml.replace('listen = "tcp:0:interface=127.0.0.1"', BOTH))
    start.keep(server)
    return server


def started(start: Started, *options: str) -> str:
    """Run a start that must fail; return its one line."""
    process = start.process(str(BIN / "twistd"), "-n", "--pidfile=", "gatekeeper", "--config", "site.toml", *options)
    assert process.wait() == 1, process.output
    assert "Traceback" not in process.output
    said = [line.rpartition("[stderr#error] ")[2] for line in process.lines]
    [line] = [line for line in said if not line[:4].isdigit()]
    return line


# --- starting ---


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_without_a_certificate_the_start_says_what_makes_one(start: Started, options: list[str]) -> None:
    (start.folder / "site.toml").write_text('listen = "ssl:0:interface=127.0.0.1"')
    line = started(start, *options)
    assert line == (
        "gatekeeper: listen: ssl:0:interface=127.0.0.1: there is no certificate yet; make one with: gatekeeper tls init"
    )


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_a_key_that_is_not_there_is_one_line(start: Started, options: list[str]) -> None:
    (start.folder / "site.toml").write_text('listen = "ssl:0:privateKey=none.pem"')
    assert re.fullmatch(
        r"gatekeeper: listen: ssl:0:privateKey=none\.pem: can't read none\.pem: No such file or directory",
        started(start, *options),
    )


def test_check_is_content_once_there_is_one(start: Started) -> None:
    (start.folder / "site.toml").write_text('listen = "ssl:0:interface=127.0.0.1"')
    assert command(start.folder, "tls", "init").returncode == 0
    checked = start.process(str(BIN / "twistd"), "-n", "--pidfile=", "gatekeeper", "--config", "site.toml", "--check")
    assert (checked.wait(), checked.lines) == (0, ["the configuration is good: 0 cameras, 0 doors"])


# --- serving ---


@pytest.fixture
def house(start: Started) -> tuple[Secure, Lock]:
    lock, camera = start.lock(), start.camera()
    return secure(start, site(lock, camera)), lock


def test_everything_works_over_tls(house: tuple[Secure, Lock]) -> None:
    server, lock = house
    with server.open(urllib.request.Request(server.url + "/")) as page:
        assert page.status == 200
        assert b'<div id="app">' in page.read()
    server.until_door("locked", connected=True)
    status, opened = server.ask("POST", "/doors/front/open", {"duration": 5})
    assert (status, opened["state"]) == (200, "unlocked")
    assert lock.relay
    assert server.ask("POST", "/doors/front/lock")[0] == 200
    wait_for(lambda: server.camera("camera1")["state"] == "live", "pictures")
    with server.connect() as viewer:
        viewer.sendall(f"GET /video_feed HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        received = b""
        while received.count(b"\xff\xd8\xff") < 5:
            more = viewer.recv(65536)
            assert more, received[:400]
            received += more
        assert viewer.version() == "TLSv1.3"
    with server.connect() as client:
        client.sendall(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n"
        )
        assert client.recv(65536).startswith(b"HTTP/1.1 101 ")
    assert server.stop() < 5


def test_the_link_of_the_log_gives_a_cookie_for_tls_only(house: tuple[Secure, Lock]) -> None:
    server, _ = house
    path = server.expect(r"open https://127\.0\.0\.1:\d+(/login\?code=\S+)")[1]
    with server.connect() as browser:
        browser.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while more := browser.recv(65536):
            answer += more
    [cookie] = re.findall(rb"(?i)^set-cookie: (.*)\r$", answer, re.MULTILINE)
    attributes = {part.strip().lower() for part in cookie.split(b";")[1:]}
    assert {b"secure", b"httponly", b"path=/"} <= attributes
    assert any(one.startswith(b"samesite=") for one in attributes)


def test_plain_http_is_there_beside_it_for_devices(house: tuple[Secure, Lock]) -> None:
    server, _ = house
    listening = {
        address.laddr.port
        for address in psutil.Process(server.pid).net_connections("tcp")
        if address.status == "LISTEN"
    }
    [plain] = listening - {server.port}
    with urllib.request.urlopen(f"http://127.0.0.1:{plain}/healthz", timeout=PATIENCE) as answer:
        assert answer.status == 200


def test_plain_http_at_the_tls_port_does_no_harm(house: tuple[Secure, Lock]) -> None:
    server, _ = house
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as mistaken:
        mistaken.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while mistaken.recv(4096):
            pass
    assert server.ask("GET", "/doors")[0] == 200
    assert "Traceback" not in server.output


def test_a_renewed_certificate_is_served_after_a_hangup(house: tuple[Secure, Lock], start: Started) -> None:
    server, _ = house
    before = server.serial()
    assert command(start.folder, "tls", "init").returncode == 0
    assert server.serial() == before
    since = len(server.lines)
    server.signal(signal.SIGHUP)
    server.expect("reloaded: nothing changed", since)
    assert server.serial() != before


def test_a_certificate_that_is_spoiled_at_a_hangup_changes_nothing(house: tuple[Secure, Lock], start: Started) -> None:
    server, _ = house
    (start.folder / "gatekeeper-data" / "tls" / "server.pem").write_text("spoiled")
    before, since = server.serial(), len(server.lines)
    server.signal(signal.SIGHUP)
    server.expect("holds no certificate in PEM form", since)
    assert server.serial() == before
    assert server.ask("GET", "/doors")[0] == 200


# --- devices that lead back ---


class Redirect(http.server.BaseHTTPRequestHandler):
    """A camera that sends whoever asks elsewhere."""

    to = ""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def redirect() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirect) as camera:
        thread = threading.Thread(target=camera.serve_forever, daemon=True)
        thread.start()
        yield camera.server_address[1]
        camera.shutdown()
        thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("http://127.0.0.1:{port}/healthz", "127.0.0.1:{port} is gatekeeper's own port"),
        ("http://localhost:{port}/healthz", "localhost:{port} is gatekeeper's own port"),
        ("file:///etc/passwd", "redirects to an address that is not http or https"),
    ],
)
def test_a_camera_that_redirects_to_the_site_itself_is_not_followed(
    start: Started, redirect: int, to: str, reason: str
) -> None:
    Redirect.to = "http://127.0.0.1:9/"
    more = f'[[cameras]]\nid = "yard"\nurl = "http://127.0.0.1:{redirect}/stream"\nretry_maximum = 0.5\n'
    server = start.server(site() + more)
    Redirect.to = to.format(port=server.port)
    expected = reason.format(port=server.port)
    wait_for(lambda: expected in (server.camera("yard")["reason"] or ""), expected)


def test_a_lock_at_the_sites_own_port_is_refused_at_the_start(start: Started) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    toml = site() + f'[[doors]]\nid = "front"\nurl = "ws://localhost:{port}/ws"\n'
    (start.folder / "site.toml").write_text(toml.replace("tcp:0:", f"tcp:{port}:"))
    assert started(start).endswith(f"doors[0].url: port {port} of this machine is gatekeeper's own port, see listen")
