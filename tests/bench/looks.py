"""What looking whether cameras see costs: CPU per look, at VGA and at 1080p, beside decoding the picture whole.

python -m tests.bench.looks [--rounds 5] [--looks 200]

A look is a reduced decode, a digest and a comparison with the usual scene; each camera is looked at once a second.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np

from gatekeeper.cameras.looking import look
from gatekeeper.cameras.sight import Watch
from gatekeeper.simulators.scene import Scene

SIZES = {"640x480": (640, 480), "1920x1080": (1920, 1080)}
PICTURES = 20  # different ones, in turn


def whole(jpegs: list[bytes], looks: int) -> float:
    """Return microseconds of CPU to decode a picture as it is."""
    began = time.thread_time()
    for number in range(looks):
        cv2.imdecode(np.frombuffer(jpegs[number % len(jpegs)], np.uint8), cv2.IMREAD_COLOR)
    return (time.thread_time() - began) / looks * 1e6


def looked(jpegs: list[bytes], looks: int) -> float:
    """Return microseconds of CPU to look at a picture and judge it."""
    watch = Watch(0.0)
    began = time.thread_time()
    for number in range(looks):
        found = look(jpegs[number % len(jpegs)])
        assert found is not None
        watch.see(found, float(number), float(number))
    return (time.thread_time() - began) / looks * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--looks", type=int, default=200)
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    ways: dict[str, Callable[[list[bytes], int], float]] = {"a look": looked, "decoded whole": whole}
    for name, size in SIZES.items():
        scene = Scene(*size, 1)
        jpegs = [scene.render(number * 0.7, f"12:00:{number:02}") for number in range(PICTURES)]
        found: dict[str, list[float]] = {label: [] for label in ways}
        for _ in range(wanted.rounds):
            for label, way in ways.items():
                found[label].append(way(jpegs, wanted.looks))
        kilobytes = sum(map(len, jpegs)) / len(jpegs) / 1000
        for label, costs in found.items():
            spread = f"({min(costs):.0f} to {max(costs):.0f})"
            print(f"{name}, {kilobytes:.0f} KB, {label:14} {statistics.median(costs):7.0f} us {spread}", flush=True)
        ratios = [b / a for a, b in zip(found["a look"], found["decoded whole"], strict=True)]
        share = statistics.median(found["a look"]) / 1e4
        print(
            f"  ratio {statistics.median(ratios):.1f} x ({min(ratios):.1f} to {max(ratios):.1f}); "
            f"a camera costs {share:.2f} % of a core, 50 cameras {share * 50:.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
