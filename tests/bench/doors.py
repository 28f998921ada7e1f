"""What gatekeeper adds to the lock's own time when a door is opened: idle, and beside 200 viewers at 30 fps.

python -m tests.bench.doors [--viewers 200] [--fps 30] [--opens 300] [--rounds 3]

The virtual lock answers at once. In turn, in one run: the lock asked directly (its own time, by the same blocking
client), and `gatekeeper.door.open` over WAMP through a real twistd; each open is followed by a lock that isn't timed.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench.media import FRAME, WARM_UP
from tests.bench.processes import Camera, Process, Viewers
from tests.bench.wamp_client import Caller, WebSocket

TOKEN = "bench-" + os.urandom(16).hex()
PACE = 0.02  # seconds between opens: a door, not a load test


class VirtualLock(Process):
    """The lock, answering without its usual delays."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "gatekeeper.simulators", "lock"]
        super().__init__([*command, "--result-delay", "0", "--acknowledge-delay", "0"])

    @property
    def port(self) -> int:
        return int(self.first_line.split()[1])


class Twistd(Process):
    """A whole site: `port` is found in its log; its cameras are `c`, `c1`, `c2`, …"""

    def __init__(self, folder: Path, lock: int, *cameras: int) -> None:
        (folder / "token").write_text(TOKEN)
        (folder / "site.toml").write_text(
            'listen = "tcp:0:interface=127.0.0.1"\n[access]\nadmin_token = {file = "token"}\n'
            + "".join(
                f'[[cameras]]\nid = "c{number or ""}"\nurl = "http://127.0.0.1:{camera}/stream?{number}"\n'
                for number, camera in enumerate(cameras)
            )
            + f'[[doors]]\nid = "d"\nurl = "ws://127.0.0.1:{lock}/ws"\n'
        )
        twistd = str(Path(sys.executable).parent / "twistd")
        super().__init__([twistd, "-n", "--pidfile=", "gatekeeper", "--config", str(folder / "site.toml")])
        while "/login?code=" not in (line := self.next_line()):
            pass
        self._port = int(line.split("127.0.0.1:")[1].split("/")[0])
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        """Read the log on: a full pipe would hold the server."""
        with suppress(ValueError, OSError):
            while self._stdout.readline():
                pass

    @property
    def port(self) -> int:
        return self._port


@contextmanager
def site(fps: float) -> Iterator[tuple[Twistd, VirtualLock, Caller]]:
    """Start everything; the door is locked and connected."""
    with (
        tempfile.TemporaryDirectory() as folder,
        VirtualLock() as lock,
        Camera(fps, FRAME) as camera,
        Twistd(Path(folder), lock.port, camera.port) as server,
    ):
        caller = Caller(server.port, TOKEN)
        while not caller.call("gatekeeper.door.status")["connected"]:
            time.sleep(0.05)
        yield server, lock, caller
        caller.close()


def through_gatekeeper(caller: Caller, count: int) -> list[float]:
    """Return milliseconds from the call to its answer."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        caller.call("gatekeeper.door.open", duration=30)
        found.append((time.perf_counter() - began) * 1e3)
        caller.call("gatekeeper.door.lock")
        time.sleep(PACE)
    return found


def directly(port: int, count: int) -> list[float]:
    """Return milliseconds from OPEN_DOOR to ACK:OPEN_DOOR on a connection of our own to a lock of our own."""
    found = []
    lock = WebSocket(port, "/ws")
    for _ in range(count):
        began = time.perf_counter()
        lock.send("OPEN_DOOR")
        while lock.receive() != "ACK:OPEN_DOOR":
            pass
        found.append((time.perf_counter() - began) * 1e3)
        lock.send("LOCK_DOOR")
        while lock.receive() != "ACK:LOCK_DOOR":
            pass
        time.sleep(PACE)
    lock.close()
    return found


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of the sorted values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def show(name: str, rounds: list[list[float]]) -> None:
    """Print p50 and p99 over all rounds, with the spread between rounds."""
    everything = [value for one in rounds for value in one]
    p50s, p99s = [[percentile(one, share) for one in rounds] for share in (0.5, 0.99)]
    print(
        f"{name:34} p50 {percentile(everything, 0.5):6.2f} ms ({min(p50s):.2f} to {max(p50s):.2f})   "
        f"p99 {percentile(everything, 0.99):6.2f} ms ({min(p99s):.2f} to {max(p99s):.2f})   n={len(everything)}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--opens", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    # The lock's own time is taken at a second lock: a second connection to one would disarm its dead-man switch.
    path = f"/cameras/c/stream.mjpg HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nX-Rest:"
    with VirtualLock() as other, site(wanted.fps) as (server, _, caller):
        for beside in (0, wanted.viewers):
            own: list[list[float]] = []
            whole: list[list[float]] = []
            viewers = Viewers(server.port, beside, path) if beside else None
            try:
                time.sleep(WARM_UP)
                for _ in range(wanted.rounds):
                    own.append(directly(other.port, wanted.opens))
                    whole.append(through_gatekeeper(caller, wanted.opens))
            finally:
                if viewers is not None:
                    report = viewers.report_after(0.1)
                    viewers.__exit__(None, None, None)
                    print(f"({report.pictures} pictures delivered meanwhile, p99 {report.p99:.1f} ms old)")
            label = f"beside {beside} viewers at {wanted.fps:g} fps" if beside else "idle"
            show(f"the lock itself, {label}", own)
            show(f"door.open, {label}", whole)
            above = [percentile(b, 0.99) - percentile(a, 0.5) for a, b in zip(own, whole, strict=True)]
            print(f"  p99 above the lock's own median: {min(above):.2f} to {max(above):.2f} ms over the rounds\n")


if __name__ == "__main__":
    main()
