"""60 tiles over one WAMP connection: by credit beside by topic, over a fast line and over one of 1 MB/s.

python -m tests.bench.tiles [--tiles 60] [--fps 10] [--speed 1000000] [--seconds 5] [--rounds 3]

One server with all cameras serves both ways in turn, each on a fresh connection of the same client, which paints
60 times a second. Ages are from the server's receipt to the picture's arrival. Beside the pictures the client asks for
a door's state over the same connection, ten times a second. `queued` is what the server holds unsent for the client.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.doors import TOKEN, Twistd, VirtualLock
from tests.bench.processes import Camera
from tests.bench.tile_client import SlowLine, TileClient
from tests.bench.wamp import spread
from tests.bench.wamp_client import Caller

SIZE = 28_000  # bytes of a picture: VGA, as the virtual camera sends it
DEVICES = 3  # camera processes, each at many addresses' end
SETTLE = 3.0  # seconds until either way has found its pace
PACE = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """One way over one line for a while; times in ms, `queued` in KiB, `cpu` in seconds a second."""

    fps: float
    least: float
    age50: float
    age99: float
    call50: float
    call99: float
    cpu: float
    queued: float


FIGURES = {
    "fps": ("pictures/s of a tile", ".1f"),
    "least": ("of the worst-served tile", ".1f"),
    "age50": ("age p50, ms", ",.0f"),
    "age99": ("age p99, ms", ",.0f"),
    "call50": ("a call beside it p50, ms", ",.0f"),
    "call99": ("a call beside it p99, ms", ",.0f"),
    "cpu": ("server CPU, s/s", ".3f"),
    "queued": ("queued in the server at most, KiB", ",.0f"),
}


def at(values: list[float], share: float) -> float:
    """Return a quantile in ms of seconds."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1e3 if values else float("nan")


def measure(server: Twistd, way: str, wanted: argparse.Namespace, speed: float | None) -> Measured:
    """Watch every camera for a while."""
    with ExitStack() as opened:
        port = server.port
        if speed is not None:
            line = SlowLine(port, speed)
            opened.callback(line.close)
            port = line.port
        page, beside = TileClient(port, TOKEN), Caller(server.port, TOKEN)
        opened.callback(beside.close)
        opened.callback(page.close)
        for tile in range(1, wanted.tiles + 1):
            camera = f"c{tile - 1 or ''}"
            if way == "credit":
                page.watch(tile, camera)
            else:
                page.subscribe(tile, camera)
        time.sleep(SETTLE)
        before = {tile: len(page.got[tile].ages) for tile in range(1, wanted.tiles + 1)}
        cpu, began, calls, queued = server.cpu, time.monotonic(), [], [0.0]
        while time.monotonic() - began < wanted.seconds:
            asked = time.monotonic()
            page.call("gatekeeper.door.status")
            calls.append(time.monotonic() - asked)
            queued.append(beside.call("gatekeeper.system.status")["router"]["unsent_bytes_now"] / 1024)
            time.sleep(PACE)
        took = time.monotonic() - began
        used = (server.cpu - cpu) / took
        fresh = {tile: page.got[tile].ages[count:] for tile, count in before.items()}
        counts = [len(ages) / took for ages in fresh.values()]
        ages = [age for each in fresh.values() for age in each]
        return Measured(
            sum(counts) / len(counts), min(counts), at(ages, 0.5), at(ages, 0.99), at(calls, 0.5), at(calls, 0.99),
            used, max(queued),
        )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=60)
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument("--speed", type=float, default=1e6)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory()))
        lock = started.enter_context(VirtualLock())
        devices = [started.enter_context(Camera(wanted.fps, SIZE)).port for _ in range(DEVICES)]
        server = started.enter_context(
            Twistd(folder, lock.port, *(devices[tile % DEVICES] for tile in range(wanted.tiles)))
        )
        caller = Caller(server.port, TOKEN)
        while any(camera["state"] != "live" for camera in caller.call("gatekeeper.camera.list")):
            time.sleep(0.1)
        cpu, began = server.cpu, time.monotonic()
        time.sleep(2.0)
        rest = (server.cpu - cpu) / (time.monotonic() - began)
        caller.close()
        print(f"{wanted.tiles} cameras at {wanted.fps:g}/s of {SIZE} B; server CPU with no viewer: {rest:.3f} s/s")
        for speed in (None, wanted.speed):
            found: dict[str, list[Measured]] = {"topic": [], "credit": []}
            for _ in range(wanted.rounds):
                for way, measured in found.items():
                    measured.append(measure(server, way, wanted, speed))
            print(f"\nover {'a free line' if speed is None else f'a line of {speed / 1e6:g} MB/s'}")
            print(f"{'':36}{'topic':>26}{'credit':>26}   credit / topic")
            for name, (label, form) in FIGURES.items():
                values = {way: [getattr(one, name) for one in measured] for way, measured in found.items()}
                ratios = [c / t if t else float("nan") for t, c in zip(values["topic"], values["credit"], strict=True)]
                print(
                    f"{label:36}{spread(values['topic'], form):>26}{spread(values['credit'], form):>26}   "
                    f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
