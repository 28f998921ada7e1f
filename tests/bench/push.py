"""What cameras that connect to us cost: CPU per picture at a steady rate, and pictures per second as fast as it goes.

python -m tests.bench.push [--cameras 1 10 50] [--fps 5] [--seconds 5] [--rounds 3]

1, 10 and 50 cameras at 640x480 in a process of their own; the CPU is that of the server's process alone, its look at
each camera once a second included. In turn, in one run: a bare Autobahn server that counts, and a real twistd.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.bench.processes import Process, module, read_line

TOKEN = "bench-" + os.urandom(16).hex()
WARM_UP = 2.0  # seconds: sockets fill, and OpenCV is loaded for the first looks
SITE_TIMEOUT = 60.0  # seconds; a whole site needs three of CPU to start
WHOLE, PIECES = (25_000, 0), (40_000, 2048)  # bytes of a picture, and of its pieces


class Site(Process):
    """A whole site with cameras `c0`, `c1`, … that dial it: `port` is theirs, `web` its own."""

    def __init__(
        self, folder: Path, cameras: int, more: str = "", *, stall: float = 60.0, port: int | None = None
    ) -> None:
        (folder / "token").write_text(TOKEN)
        (folder / "site.toml").write_text(
            'listen = "tcp:0:interface=127.0.0.1"\n[access]\nadmin_token = {file = "token"}\n'
            f'[push]\nlisten = "tcp:{port or 0}:interface=127.0.0.1"\ncontrol = ""\n'
            + "".join(
                f'[[cameras]]\nid = "c{number}"\npush = {{path = "/c{number}", stall_timeout = {stall}}}\n'
                for number in range(cameras)
            )
            + more
        )
        twistd = str(Path(sys.executable).parent / "twistd")
        super().__init__([twistd, "-n", "--pidfile=", "gatekeeper", "--config", str(folder / "site.toml")])
        self.web = 0
        self._serves = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._serves.wait(SITE_TIMEOUT):
            self.__exit__(None, None, None)
            raise TimeoutError("the server does not serve")

    def _read(self) -> None:
        """Read the log to its end: where it serves stands in it, and a full pipe would hold the server."""
        with suppress(ValueError, OSError):
            while line := self._stdout.readline():
                if "/login?code=" in line:
                    self.web = int(line.split("127.0.0.1:")[1].split("/")[0])
                    self._serves.set()

    @property
    def port(self) -> int:
        ports = {int(line.split()[1].split(":")[1], 16) for line in self._listening()}
        return next(port for port in ports if port != self.web)

    def _listening(self) -> list[str]:
        inodes = set()
        for descriptor in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with suppress(OSError):
                inodes.add(os.readlink(descriptor).removeprefix("socket:[").removesuffix("]"))
        lines = [line for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"]
        return [line for line in lines if line.split()[9] in inodes]

    def ask(self, path: str) -> list[dict[str, Any]]:
        """Return what it answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web)
        connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
        answer: list[dict[str, Any]] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def pictures(self) -> int:
        """Return how many it took in."""
        return int(sum(camera["frames"] for camera in self.ask("/cameras")))


class Bare(Process):
    """The counting server."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-m", "tests.bench.push_counter"])
        self._port = int(self.first_line)

    @property
    def port(self) -> int:
        return self._port

    def pictures(self) -> int:
        """Return how many it took in."""
        print(file=self._stdin, flush=True)
        return int(read_line(self._stdout, 20.0))


@contextmanager
def site(cameras: int) -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder), cameras) as server:
        yield server


@contextmanager
def bare(cameras: int) -> Iterator[Bare]:
    with Bare() as server:
        yield server


def measure(server: Site | Bare, cameras: int, fps: float, way: tuple[int, int], seconds: float) -> tuple[float, float]:
    """Return pictures per second, and microseconds of CPU for each."""
    size, piece = way
    with module("tests.bench.push_sender", str(server.port), str(cameras), str(fps), str(size), str(piece)) as senders:
        assert senders.first_line == "ready"
        time.sleep(WARM_UP)
        before, cpu, began = server.pictures(), server.cpu, time.monotonic()
        time.sleep(seconds)
        pictures, spent, took = server.pictures() - before, server.cpu - cpu, time.monotonic() - began
    return pictures / took, spent / max(1, pictures) * 1e6


def show(values: list[float], unit: str) -> str:
    """Return median and range."""
    return f"{statistics.median(values):8.1f} {unit} ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--fps", type=float, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    ways: dict[str, Callable[[int], object]] = {"bare Autobahn": bare, "gatekeeper": site}
    for name, way in (("whole, 25 KB", WHOLE), ("in pieces of 2 KiB, 40 KB", PIECES)):
        for cameras in wanted.cameras:
            for fps in (wanted.fps, 0.0):
                found: dict[str, list[tuple[float, float]]] = {label: [] for label in ways}
                for _ in range(wanted.rounds):
                    for label, started in ways.items():
                        with started(cameras) as server:  # type: ignore[attr-defined]
                            found[label].append(measure(server, cameras, fps, way, wanted.seconds))
                rate = f"at {fps:g} fps each" if fps else "as fast as it goes"
                print(f"{cameras} cameras, {name}, {rate}", flush=True)
                for label, rounds in found.items():
                    speed, cost = show([a for a, _ in rounds], "pictures/s"), show([b for _, b in rounds], "us each")
                    print(f"  {label:14} {speed}   {cost}", flush=True)
                ratios = [b[1] / a[1] for a, b in zip(found["bare Autobahn"], found["gatekeeper"], strict=True)]
                print(f"  CPU, ratio     {show(ratios, 'x')}", flush=True)


if __name__ == "__main__":
    main()
