"""Prints how fast a stream of 30 KB pictures is read: `python -m tests.bench.multipart`."""

import statistics
import time

from gatekeeper.cameras.multipart import Parser, Part
from tests.cameras.pictures import picture

RUNS = 9
PICTURES = 3000
READ = 64 * 1024  # what Twisted reads at once
PIECE = 1400  # what a camera's network sends at once


def once(stream: bytes, size: int) -> tuple[float, int]:
    """Return seconds and pictures for the stream in pieces of `size` bytes."""
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    parser = Parser("frame")
    found = 0
    start = time.perf_counter()
    for piece in pieces:
        for event in parser.receive_data(piece):
            found += isinstance(event, Part)
    return time.perf_counter() - start, found


def measure(name: str, head: bytes, jpeg: bytes, size: int) -> None:
    part = head.replace(b"%d", b"%d" % len(jpeg)) + jpeg + b"\r\n"
    stream = part * PICTURES + b"--frame\r\n"
    runs = [once(stream, size) for _ in range(RUNS)]
    assert all(found == PICTURES for _, found in runs)
    rates = sorted(len(stream) / seconds / 1e9 for seconds, _ in runs)
    cost = statistics.median(seconds for seconds, _ in runs) / PICTURES * 1e6
    print(
        f"{name:44} {statistics.median(rates):6.2f} GB/s ({rates[0]:.2f} to {rates[-1]:.2f}), {cost:6.1f} us a picture"
    )


def main() -> None:
    jpeg = picture(30_000)
    head = b"--frame\r\nContent-Type: image/jpeg\r\n"
    for name, lines in (("Content-Length", head + b"Content-Length: %d\r\n\r\n"), ("boundary search", head + b"\r\n")):
        measure(f"{name}, in reads of {READ // 1024} KB", lines, jpeg, READ)
        measure(f"{name}, one read a picture", lines, jpeg, len(lines) + len(jpeg) + 2 + 1)
        measure(f"{name}, in {PIECE / 1000} KB pieces", lines, jpeg, PIECE)


if __name__ == "__main__":
    main()
