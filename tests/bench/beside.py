"""What viewers cost beside CPU: memory per viewer, stalled and not, and the delay of a GET on the same reactor.

python -m tests.bench.beside [--viewers 200] [--fps 30] [--requests 1000]
"""

import argparse
import socket
import statistics
import time

from tests.bench.media import FRAME, WARM_UP, gatekeeper
from tests.bench.processes import Camera, Viewers

SETTLE = 4.0  # seconds of stalling: the kernel's buffers are full after one
PACE = 200  # requests per second


def memory(viewers: int, fps: float, stall: bool, way: str) -> float:
    """Return bytes per viewer, in the process and its memory files."""
    with Camera(fps, FRAME) as camera, gatekeeper(way)(camera.port) as server:
        with Viewers(server.port, 1) as one:  # what the first viewer loads isn't the price of the others
            one.report_after(WARM_UP)
        time.sleep(WARM_UP)
        before = server.memory
        with Viewers(server.port, viewers, stall=stall) as load:
            load.report_after(SETTLE)
            return (server.memory - before) / viewers


def delays(viewers: int, fps: float, requests: int, way: str) -> list[float]:
    """Return the times, in ms, of paced GETs over one connection while the viewers watch."""
    with Camera(fps, FRAME) as camera, gatekeeper(way)(camera.port) as server, Viewers(server.port, viewers) as load:
        load.report_after(WARM_UP)
        found = []
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            due = time.monotonic()
            for _ in range(requests):
                due += 1 / PACE
                time.sleep(max(0.0, due - time.monotonic()))
                began = time.perf_counter()
                client.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = b""
                while not answer.endswith(b"pong"):
                    answer += client.recv(4096)
                found.append((time.perf_counter() - began) * 1e3)
        return sorted(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--requests", type=int, default=1000)
    options = parser.parse_args()
    for way in ("sendfile", "send", "write"):
        for stall in (False, True):
            size = memory(options.viewers, options.fps, stall, way)
            print(f"{way:10} {'stalled' if stall else 'watching':10} {size / 1024:8.1f} KB per viewer", flush=True)
    for viewers in (0, options.viewers):
        for way in ("sendfile", "send"):
            found = delays(max(viewers, 1), options.fps, options.requests, way)
            print(
                f"{way:10} GET beside {max(viewers, 1):4} viewers: p50 {statistics.median(found):.2f} ms, "
                f"p99 {found[len(found) * 99 // 100]:.2f} ms, maximum {found[-1]:.2f} ms",
                flush=True,
            )


if __name__ == "__main__":
    main()
