"""Measurements with real processes: twistd, senders that are cut, stalled and killed, and a server that is killed.

Whatever happens on the way, what a sender counts as success is in the database exactly once.
"""

import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.measurements.sender import CameraSender, CameraSenderWS
from gatekeeper.measurements.sender_http import CameraSenderHTTP
from gatekeeper.storage import Blocking
from gatekeeper.storage.connect import backend_of
from gatekeeper.storage.tables import measurement_senders, samples
from tests.integration.conftest import Started
from tests.integration.processes import TOKEN, Server, site, wait_for
from tests.integration.test_push_cameras import free_port

pytestmark = pytest.mark.process

PACE = 0.004  # seconds between samples: 250 a second, four times a fast camera


class Bench:
    """A server with the seed's port, whose database can be looked into."""

    def __init__(self, start: Started, folder: Path) -> None:
        self.start, self.folder = start, folder
        self.port, self.http = free_port(), free_port()
        listen = f'listen = "tcp:{self.http}:interface=127.0.0.1"'
        table = f'[measurements]\nlisten = "tcp:{self.port}:interface=127.0.0.1"\n'
        self.toml = site().replace('listen = "tcp:0:interface=127.0.0.1"', listen) + table
        self.server: Server = start.server(self.toml)

    def open_tap(self) -> None:
        assert self.server.ask("POST", "/measurements/tap", {"open": True})[0] == 200

    def kill(self) -> None:
        self.server.signal(signal.SIGKILL)
        self.server.wait()

    def restart(self) -> None:
        self.server = self.start.server(self.toml)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def stored(self, sender: str) -> Counter[int]:
        """Return how often each number of a sender is in the database."""
        with Blocking(backend_of(f"sqlite:///{self.folder}/gatekeeper-data/gatekeeper.sqlite")) as database:
            wanted = samples.join(measurement_senders, measurement_senders.c.id == samples.c.sender)
            query = samples.select().with_only_columns(samples.c.seq).select_from(wanted)
            found = database.read(lambda c: c.scalars(query.where(measurement_senders.c.name == sender)).all())
        return Counter(found)

    def check(self, sender: Any, *, all_of_it: bool = True) -> None:
        """Pass if what a sender reports is in the database once."""
        found, stats = self.stored(sender.sender), sender.get_stats()
        assert set(found.values()) <= {1}
        assert len(found) >= stats["success"] > 0
        if all_of_it:
            assert len(found) == stats["success"] == stats["total"], stats


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One site for all: a start takes longer than any of these tests."""
    folder = tmp_path_factory.mktemp("measurements")
    started = Started(folder)
    try:
        bench = Bench(started, folder)
        bench.open_tap()
        yield bench
        bench.server.stop()
    finally:
        started.end()


class Proxy:
    """A TCP proxy on loopback that cuts and stalls."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.stalled = threading.Event()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._ended = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                if self._ended:
                    return
                client.close()
                continue
            self._pairs.append((client, server))
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        try:
            while True:
                for ready in select.select([client, server], [], [], 0.05)[0]:
                    if self.stalled.is_set():
                        time.sleep(0.01)
                        continue
                    data = ready.recv(65536)
                    if not data:
                        return
                    other[ready].sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            client.close()
            server.close()

    def cut(self) -> None:
        """End every connection with a RST: what is under way is lost."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):  # the sender was quicker
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                end.close()

    def close(self) -> None:
        self._ended = True
        self._listener.close()
        self.cut()


@pytest.fixture
def proxy(bench: Bench) -> Iterator[Proxy]:
    proxy = Proxy(bench.port)
    yield proxy
    proxy.close()


def feed(sender: Any, seconds: float) -> list[float]:
    """Send at a camera's pace; return the seconds that each `send` took."""
    took, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        assert sender.send(1.5, -2.5, True, False)
        took.append(time.perf_counter() - began)
        time.sleep(PACE)
    return took


def until_it(sender: Any, happens: Callable[[], bool]) -> list[float]:
    """Send until something happens; return the seconds that each `send` took."""
    took, until = [], time.monotonic() + 20
    while not happens():
        assert time.monotonic() < until
        took += feed(sender, 0.1)
    return took


def until_more(sender: Any) -> list[float]:
    """Send until something more is acknowledged."""
    known = sender.get_stats()["success"]
    return until_it(sender, lambda: sender.get_stats()["success"] > known)


def test_cuts_and_a_stall_lose_nothing_and_hold_no_camera_up(bench: Bench, proxy: Proxy) -> None:
    took: list[float] = []
    with CameraSenderWS(laptop_id=3, ws_url=f"ws://127.0.0.1:{proxy.port}", token=TOKEN, timeout=1.0) as sender:
        assert sender.connected
        for _ in range(3):
            took += until_more(sender)
            proxy.cut()
            took += feed(sender, 0.1)
        took += until_more(sender)
        proxy.stalled.set()
        dialled = sender.reconnects
        took += until_it(sender, lambda: sender.reconnects > dialled)
        took += feed(sender, 0.2)
        proxy.stalled.clear()
        wait_for(lambda: not sender.get_stats()["waiting"], "every acknowledgement")
    bench.check(sender)
    assert sender.get_stats()["reconnects"] >= 4
    took.sort()
    # The stalls lasted longer by far: nothing of them is in a `send`. What it takes is for the bench to tell.
    assert took[int(len(took) * 0.99)] < 0.05


def test_http_has_the_same_face_and_survives_a_restart_of_the_server(bench: Bench) -> None:
    sender = CameraSenderHTTP(laptop_id=4, url=f"http://127.0.0.1:{bench.http}", token=TOKEN, timeout=2.0)
    with sender:
        feed(sender, 0.5)
        bench.kill()
        feed(sender, 0.3)
        bench.restart()
        bench.open_tap()
        wait_for(lambda: not sender.get_stats()["waiting"], "every acknowledgement")
    found, stats = bench.stored(sender.sender), sender.get_stats()
    assert set(found.values()) == {1}
    # Between the restart and the tap nothing was kept, and the sender was told so.
    assert len(found) == stats["success"]
    assert stats["success"] + stats["failed"] == stats["total"]


SCRIPT = """
import sys, time
from gatekeeper.measurements.sender import CameraSender
assert not any(name.partition(".")[0] in ("twisted", "autobahn", "numpy", "msgspec") for name in sys.modules)
sender = CameraSender(1, sys.argv[1], token=sys.argv[2])
sender.connect()
print(sender.sender, flush=True)
while True:
    sender.send(1.0, 2.0)
    print(sender.get_stats()["success"], flush=True)
    time.sleep(0.002)
"""


def test_a_script_that_is_killed_has_reported_nothing_that_is_not_there(bench: Bench) -> None:
    script = subprocess.Popen([sys.executable, "-c", SCRIPT, bench.url, TOKEN], stdout=subprocess.PIPE, text=True)
    assert script.stdout is not None
    name, reported = script.stdout.readline().strip(), 0
    while reported < 150:
        reported = int(script.stdout.readline())
    script.kill()
    reported = max(reported, *(int(line) for line in script.stdout.read().split() or ["0"]))
    script.wait()
    script.stdout.close()
    found = bench.stored(name)
    assert set(found.values()) == {1}
    assert len(found) >= reported


def test_a_server_that_is_killed_in_a_session_goes_on_with_it_and_has_everything(bench: Bench) -> None:
    status, begun = bench.server.ask("POST", "/measurements/start", {"frequency": 2.5, "category": "beton"})
    assert (status, begun["state"]) == (200, "running")
    with CameraSender(laptop_id=5, ws_url=bench.url, token=TOKEN, timeout=2.0) as sender:
        feed(sender, 0.8)
        bench.kill()
        acknowledged = sender.get_stats()["success"]
        assert 0 < acknowledged <= len(bench.stored(sender.sender))
        feed(sender, 0.3)
        bench.restart()
        feed(sender, 0.3)
        wait_for(lambda: not sender.get_stats()["waiting"], "every acknowledgement")
    bench.check(sender)
    status, now = bench.server.ask("GET", "/measurements")
    assert (now["state"], now["session"]["id"], now["session"]["partial"]) == ("running", begun["session"]["id"], True)
    assert now["session"]["started"] == begun["session"]["started"]
    assert now["left"] < 60.0
    [(gone, back)] = now["session"]["gaps"]
    assert 0 < gone < back
    status, stopped = bench.server.ask("POST", "/measurements/stop")
    [run] = stopped["runs"]
    assert run["statistics"]["samples"] == sender.get_stats()["total"]
    chart = bench.server.ask("GET", f"/measurements/sessions/{begun['session']['id']}/teams/5/chart")[1]
    within = [at for at in chart["a"]["elapsed"] if gone < at < back]
    assert len(within) > 10  # which the sender had kept, and sent with their age
    assert chart["a"]["elapsed"] == sorted(chart["a"]["elapsed"])
