"""Two gatekeepers on one realm of a router elsewhere: a real Crossbar.io, and our own router in its place."""

import json
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.bench.wamp_client import WebSocket
from tests.crossbar import Crossbar, needs_crossbar
from tests.integration.conftest import Started
from tests.integration.processes import TOKEN, Device, Lock, Process, Server, wait_for

ROOT = Path(__file__).parent.parent.parent
TICKETS = {"site-a": "ticket-a", "site-b": "ticket-b"}

pytestmark = pytest.mark.process


class Ours(Process):
    """`tests.wamp_router` in Crossbar's place."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        command = [sys.executable, "-m", "tests.wamp_router", "gatekeeper", str(port)]
        super().__init__(command, folder, {"PYTHONPATH": str(ROOT)})
        self.port = int(self.expect(r"^(\d+)$")[1])

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"


def crossbar(folder: Path, port: int = 0) -> Crossbar:
    return Crossbar(folder, tickets=TICKETS, port=port)


MakeRouter = Callable[..., Any]
Dial = Callable[..., "Page"]
either_router = pytest.mark.parametrize(
    "make_router", [pytest.param(Ours, id="ours"), pytest.param(crossbar, id="crossbar", marks=needs_crossbar)]
)


class Page:
    """A session as the dashboard has one, or a script: JSON, one call at a time; keeps the events that pass."""

    def __init__(self, port: int, ticket: str | None = None) -> None:
        self._socket = WebSocket(port, "/ws", "wamp.2.json")
        self.events: list[tuple[int, Any]] = []
        self._request = 0
        how = {"authmethods": ["ticket"], "authid": "admin"} if ticket else {"authmethods": ["anonymous"]}
        self._socket.send(json.dumps([1, "gatekeeper", {"roles": {"caller": {}, "subscriber": {}}, **how}]))
        if ticket:
            self._receive(4)
            self._socket.send(json.dumps([5, ticket, {}]))
        self._receive(2)

    def _receive(self, *kinds: int) -> Any:
        while True:
            message = json.loads(self._socket.receive())
            if message[0] in kinds:
                return message
            assert message[0] == 36, message
            self.events.append((message[1], message[4:]))

    def ask(self, procedure: str, *args: Any, **kwargs: Any) -> Any:
        """Return the result of a call, or its error URI."""
        self._request += 1
        self._socket.send(json.dumps([48, self._request, {}, procedure, args, kwargs]))
        answer = self._receive(50, 8)
        return answer[3][0] if answer[0] == 50 else answer[4]

    def subscribe(self, topic: str) -> int:
        self._request += 1
        self._socket.send(json.dumps([32, self._request, {}, topic]))
        return int(self._receive(33)[2])

    def close(self) -> None:
        self._socket.close()

    def ids(self, kind: str) -> list[str]:
        return sorted(one["id"] for one in self.ask(f"gatekeeper.{kind}.list"))

    def until_event(self, subscription: int, right: Callable[[Any], bool]) -> Any:
        """Return the first event that is right, asking for the time meanwhile."""

        def look() -> Any:
            self.ask("gatekeeper.system.time")
            return next((event for number, event in self.events if number == subscription and right(event)), None)

        return wait_for(look, "an event")


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Return what opens pages; they are closed after the test."""
    with ExitStack() as opened:

        def dialled(port: int, ticket: str | None = None) -> Page:
            page = Page(port, ticket)
            opened.callback(page.close)
            return page

        yield dialled


def place(start: Started, name: str, router: str, lock: Lock, camera: Device) -> Server:
    """Start a gatekeeper with one door and one camera, named after it."""
    folder = start.folder / name
    folder.mkdir()
    toml = (
        f'listen = "tcp:0:interface=127.0.0.1"\n{router}\n'
        '[access]\nadmin_token = {env = "GATEKEEPER_TEST_TOKEN"}\n'
        f'[[cameras]]\nid = "{name}-camera"\nurl = "{camera.url}"\n'
        f'[[doors]]\nid = "{name}"\nurl = "{lock.url}"\nretry_maximum = 1.0\n'
    )
    server = Server(folder, toml)
    start.keep(server)
    return server


@either_router
def test_two_sites_on_one_realm(start: Started, make_router: MakeRouter, dial: Dial) -> None:
    router = make_router(start.folder)
    start.keep(router)
    front, back = start.lock(), start.lock()
    line = f'router = "{router.url}"'
    a = place(start, "front", line, front, start.camera())
    b = place(start, "back", line, back, start.camera())
    page, script = dial(a.port, TOKEN), dial(router.port)

    # A page of either site, and a script at the router, see everything.
    wait_for(lambda: page.ids("door") == ["back", "front"], "both doors")
    wait_for(lambda: script.ids("camera") == ["back-camera", "front-camera"], "both cameras")
    assert [one["id"] for one in page.ask("gatekeeper.system.status")["doors"]] == ["front", "back"]
    wait_for(lambda: page.ask("gatekeeper.door.status", door="back")["connected"], "the other site's lock")
    wait_for(lambda: page.ask("gatekeeper.door.status", door="front")["connected"], "this site's lock")

    # A door is opened by the site that has it, and only that one; the page hears of it.
    states = page.subscribe("gatekeeper.door.back.state")
    opened = page.ask("gatekeeper.door.open", door="back", duration=1)
    assert (opened["door"], back.relay, front.relay) == ("back", True, False)
    page.until_event(states, lambda event: event[0][0]["state"] == "unlocked")
    page.until_event(states, lambda event: event[0][0]["state"] == "locked")
    assert any(event["subject"] == "back" for event in page.ask("gatekeeper.event.recent"))
    assert page.ask("gatekeeper.door.open") == "gatekeeper.error.no_such_door"
    assert page.ask("gatekeeper.door.open", door="side") == "gatekeeper.error.no_such_door"
    assert script.ask("gatekeeper.door.open", door="front", duration=1)["state"] == "unlocked"

    # Frames come while somebody watches, from the other site to this page.
    frames = page.subscribe("gatekeeper.camera.back-camera.frame")
    jpeg, about = page.until_event(frames, lambda event: event[1]["sequence"] > 0)
    assert about["camera"] == "back-camera"
    assert len(jpeg[0]) > 1000

    # A site that ends leaves nothing behind, least of all the state of a door.
    b.stop()
    page.until_event(states, lambda event: event[0][0]["state"] == "unknown")
    wait_for(lambda: page.ids("door") == ["front"], "the other site's door to be gone")
    assert page.ask("gatekeeper.door.open", door="back") == "gatekeeper.error.no_such_door"
    wait_for(lambda: script.ids("door") == ["front"], "the same at the router")
    a.stop()


@either_router
def test_a_router_that_is_away_and_comes_back(start: Started, make_router: MakeRouter, dial: Dial) -> None:
    router = make_router(start.folder)
    start.keep(router)
    line = f'router = "{router.url}"'
    lock = start.lock()
    a = place(start, "front", line, lock, start.camera())
    b = place(start, "back", line, start.lock(), start.camera())
    page = dial(a.port, TOKEN)
    wait_for(lambda: page.ids("door") == ["back", "front"], "both doors")
    states = page.subscribe("gatekeeper.door.back.state")
    router.end()

    # This site goes on by itself; of the other's door nothing is known.
    page.until_event(states, lambda event: event[0][0]["state"] == "unknown")
    assert page.ids("door") == ["front"]
    wait_for(lambda: page.ask("gatekeeper.door.status", door="front")["connected"], "the lock")
    assert page.ask("gatekeeper.door.open", duration=1)["state"] == "unlocked"

    start.keep(make_router(start.folder, router.port))
    wait_for(lambda: page.ids("door") == ["back", "front"], "both doors again")
    assert dial(router.port).ids("door") == ["back", "front"]
    b.stop()
    a.stop()


@needs_crossbar
def test_a_site_with_a_ticket_is_known_by_its_name(start: Started, dial: Dial) -> None:
    router = crossbar(start.folder)
    start.keep(router)
    (start.folder / "ticket").write_text("ticket-a", encoding="utf-8")
    line = f'router = {{url = "{router.url}", authid = "site-a", ticket = {{file = "ticket"}}}}'
    server = Server(start.folder, f'listen = "tcp:0:interface=127.0.0.1"\n{line}\n')
    start.keep(server)
    script = dial(router.port)
    wait_for(lambda: isinstance(script.ask("gatekeeper.system.status"), dict), "the site on the realm")
    members = [script.ask("wamp.session.get", session) for session in script.ask("wamp.session.list")]
    assert "site-a" in [member["authid"] for member in members]
    server.stop()


def test_a_router_that_refuses_is_asked_again(start: Started) -> None:
    router = Ours(start.folder)
    start.keep(router)
    line = f'router = {{url = "{router.url}", realm = "elsewhere"}}'
    server = Server(start.folder, f'listen = "tcp:0:interface=127.0.0.1"\n{line}\n')
    start.keep(server)
    server.expect(r"not with the router at ws://.*no_such_realm")
    began = len(server.lines)
    server.expect(r"not with the router at ws://.*no_such_realm", since=began)
    server.stop(signal.SIGTERM)


def test_a_router_that_takes_nothing(start: Started) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        toml = f'listen = "tcp:0:interface=127.0.0.1"\nrouter = "ws://127.0.0.1:{silent.getsockname()[1]}/ws"\n'
        server = Server(start.folder, toml)
        start.keep(server)
        time.sleep(0.1)
        assert server.stop() < 4.0
