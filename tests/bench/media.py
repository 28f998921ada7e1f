"""What a delivered frame costs: gatekeeper's stream against C servers that do the least, interleaved in one run.

    python -m tests.bench.media [--viewers 200] [--fps 30] [--rounds 5] [--seconds 4]

Needs a C compiler. Absolute figures belong to the machine and the moment: the ratios are the result. Server CPU is
the kernel's count for the server's process (system calls and loopback delivery included); the load is another
process, in C. Ages are from the camera's write to the viewer's last byte.
"""

import argparse
import importlib.util
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.processes import Camera, Process, Viewers, compiled, module

FRAME = 30_000  # bytes: VGA of an ESP32-CAM
SEED_VIEWERS = 10  # each costs 2 ms per frame
WARM_UP = 1.0  # seconds: TCP windows grow, the interpreter specializes


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one server: CPU in us per delivered frame, frames per second, ages in ms."""

    cpu: float
    delivered: float
    p50: float
    p99: float


def gatekeeper(way: str, reactor: str = "uvloop") -> Callable[[int], Process]:
    """Return what starts gatekeeper's stream for a camera's port."""
    return lambda camera: module("tests.bench.server", str(camera), way, reactor)


def yardstick(way: str) -> Callable[[int], Process]:
    """Return what starts the C fan-out for a camera's port."""
    return lambda camera: Process([compiled("fanout"), str(camera), way])


def seed(camera: int) -> Process:
    """Start the seed's shape: Flask, decode and encode per viewer."""
    return module("tests.bench.seed", str(camera))


SERVERS: dict[str, Callable[[int], Process]] = {
    "C sendfile": yardstick("sendfile"),
    "C writev": yardstick("writev"),
    "sendfile": gatekeeper("sendfile"),
    "send": gatekeeper("send"),
    "write": gatekeeper("write"),
    "sendfile, epoll": gatekeeper("sendfile", "epoll"),
}


def measure(start: Callable[[int], Process], viewers: int, fps: float, size: int, seconds: float) -> Sample:
    """Run one server under load."""
    with Camera(fps, size) as camera, start(camera.port) as server, Viewers(server.port, viewers) as load:
        load.report_after(WARM_UP)
        before = server.cpu
        report = load.report_after(seconds)
        cpu = server.cpu - before
    return Sample(cpu / max(report.pictures, 1) * 1e6, report.pictures / seconds, report.p50, report.p99)


def spread(values: list[float], digits: int) -> str:
    """Return the median with minimum and maximum."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}..{max(values):.{digits}f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--bytes", type=int, default=FRAME)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--only", action="append", choices=tuple(SERVERS), help="several times for several")
    options = parser.parse_args()
    names = options.only or list(SERVERS)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            samples[name].append(measure(SERVERS[name], options.viewers, options.fps, options.bytes, options.seconds))
            print(".", end="", file=sys.stderr, flush=True)
    _table(options, samples)
    if importlib.util.find_spec("flask") and not options.only:
        one = measure(seed, SEED_VIEWERS, options.fps, options.bytes, options.seconds)
        print(f"the seed's shape, {SEED_VIEWERS} viewers: {one.cpu:.0f} us per frame, {one.delivered:.0f} frames/s")


def _table(options: argparse.Namespace, samples: dict[str, list[Sample]]) -> None:
    print(
        f"\n{options.viewers} viewers, {options.fps:g} fps, {options.bytes} B, {options.rounds} rounds; median (range)"
    )
    head = next(iter(samples))
    print(f"{'':18}{'CPU us/frame':>24}{'ratio to ' + head:>26}{'frames/s':>10}{'p50 ms':>20}{'p99 ms':>22}")
    for name, found in samples.items():
        ratios = [one.cpu / base.cpu for one, base in zip(found, samples[head], strict=True)]
        print(
            f"{name:18}{spread([s.cpu for s in found], 2):>24}{spread(ratios, 2):>26}"
            f"{statistics.median(s.delivered for s in found):>10.0f}"
            f"{spread([s.p50 for s in found], 2):>20}{spread([s.p99 for s in found], 2):>22}"
        )


if __name__ == "__main__":
    main()
