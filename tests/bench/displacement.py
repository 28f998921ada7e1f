"""How exact displacement is, beside what people do with ArUco: `python -m tests.bench.displacement [rounds]`.

Films with known motion (`tests/measurements/synthetic.py`), VGA, markers of 48 pixels, point B; each cell is the median
of the rounds with their range. The others are the mean of a marker's four corners as OpenCV's detector gives them, and
the same with its sub-pixel refinement; all three see the same pictures and start from their own first reading.
Milliseconds are of one core's time, OpenCV with one thread. A round is some 45 s of one quiet core.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import cv2
import numpy as np

from gatekeeper.measurements.displacement import Displacement
from gatekeeper.measurements.frequency import tone
from tests.measurements.films import PIXELS, tower
from tests.measurements.synthetic import Film, Shot

B = 1
PICTURES = 30
KINDS: dict[str, dict[str, Any]] = {
    "clean": {},
    "noise 4, JPEG 75": {"noise": 4.0, "quality": 75},
    "noise 8, JPEG 40": {"noise": 8.0, "quality": 40},
}
Places = list[float | None]
"""How far right of its first reading B is in each picture (px); None where it wasn't found."""


def ours(shots: Sequence[Shot]) -> tuple[Places, list[float]]:
    displacement = Displacement(PIXELS)

    def one(shot: Shot) -> float | None:
        return displacement.measure(shot.picture, shot.t).b.x_mm

    return timed(one, shots)


def corners(refinement: int) -> Callable[[Sequence[Shot]], tuple[Places, list[float]]]:
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = refinement
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    detector = cv2.aruco.ArucoDetector(dictionary, parameters)

    def one(shot: Shot) -> float | None:
        found, names, _ = detector.detectMarkers(shot.picture)
        seen = [] if names is None else [int(name) for name in names.ravel()]
        return float(found[seen.index(B)].reshape(4, 2)[:, 0].mean()) if B in seen else None

    def run(shots: Sequence[Shot]) -> tuple[Places, list[float]]:
        places, took = timed(one, shots)
        zero = next((place for place in places if place is not None), 0.0)
        return [None if place is None else place - zero for place in places], took

    return run


def timed(one: Callable[[Shot], float | None], shots: Sequence[Shot]) -> tuple[Places, list[float]]:
    places, took = [], []
    for shot in shots:
        began = time.process_time()
        places.append(one(shot))
        took.append((time.process_time() - began) * 1000)
    return places, took


METHODS = {
    "ours": ours,
    "corners": corners(cv2.aruco.CORNER_REFINE_NONE),
    "sub-pixel corners": corners(cv2.aruco.CORNER_REFINE_SUBPIX),
}


@dataclass
class Score:
    """What a method did over the rounds: RMS errors (px), the share of pictures with a reading, ms a picture."""

    rms: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    def add(self, shots: Sequence[Shot], places: Places, took: list[float]) -> None:
        pairs = [(place, shot.truth[B][0]) for place, shot in zip(places, shots, strict=True) if place is not None]
        self.found.append(len(pairs) / len(places))
        self.took.append(median(took))
        if pairs:
            zero = pairs[0][1]
            self.rms.append(math.sqrt(sum((place - truth + zero) ** 2 for place, truth in pairs) / len(pairs)))

    def __str__(self) -> str:
        lost = 1 - sum(self.found) / len(self.found)
        return ranged(self.rms, 4) + (f", {lost:.0%} lost" if lost else "")


def ranged(values: Sequence[float], digits: int) -> str:
    if not values:
        return "-"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def compare(name: str, films: Sequence[Film], seconds: float, all_: list[dict[str, Score]]) -> None:
    scores = {method: Score() for method in METHODS}
    for film in films:
        shots = list(film.shots(seconds))
        for method, measure in METHODS.items():
            scores[method].add(shots, *measure(shots))
    all_.append(scores)
    # a round's ratio is between the same pictures
    own = scores["ours"].rms
    ratios = [[a / b for a, b in zip(score.rms, own, strict=False)] for score in scores.values()]
    cells = [name, *map(str, scores.values()), *(ranged(ratio, 0) for ratio in ratios[1:])]
    print(f"| {' | '.join(cells)} |", flush=True)


def heading(first: str) -> None:
    print(f"\n| {first} | " + " | ".join(f"{name}, px" for name in METHODS) + " | corners / ours | sub-pixel / ours |")
    print("|---" * 6 + "|")


def frequencies() -> None:
    print("\n| fps; 10 s, jitter 30 %, 10 % lost | ours, mHz | its own error | corners, highest FFT bin, mHz |")
    print("|---" * 4 + "|")
    for fps in (15, 30, 60):
        for kind in KINDS if fps == 15 else ("noise 8, JPEG 40",):
            hertz = 4.4321
            film = tower(hertz, 4, 10, fps=fps, jitter=0.3 / fps, lost=0.1, seed=fps, **KINDS[kind])
            shots = list(film.shots(10))
            mine, theirs = METHODS["ours"](shots)[0], METHODS["corners"](shots)[0]
            found = tone([shot.t for shot in shots], [math.nan if x is None else x for x in mine])
            assert found is not None
            seen = np.array([x for x in theirs if x is not None])
            power = np.abs(np.fft.rfft(seen - seen.mean()))
            step = (shots[-1].t - shots[0].t) / (len(seen) - 1)
            even = float(np.fft.rfftfreq(len(seen), step)[int(power.argmax())])
            print(
                f"| {fps}, {kind} | {(found.hertz - hertz) * 1000:+.3f} | {found.hertz_error * 1000:.3f} "
                f"| {(even - hertz) * 1000:+.0f} |",
                flush=True,
            )


def main() -> None:
    rounds = range(1, 1 + (int(sys.argv[1]) if len(sys.argv) > 1 else 1))
    cv2.setNumThreads(1)
    everything: list[dict[str, Score]] = []
    heading("10 px of 2.5 and 5.5 Hz, shutter 4 ms")
    for fps in (15, 24, 30, 60):
        for kind, more in KINDS.items():
            films = [tower(hertz, 4, 10, fps=fps, seed=n, **more) for n in rounds for hertz in (2.5, 5.5)]
            compare(f"{fps} fps, {kind}", films, PICTURES / fps, everything)
    heading("30 fps, noise 4, JPEG 75")
    noisy = KINDS["noise 4, JPEG 75"]
    cases: dict[str, Callable[[int], Film]] = {
        "5.5 Hz, 16 px, shutter 12 ms": lambda n: tower(5.5, 8, 16, exposure=0.012, seed=n, **noisy),
        "5.5 Hz, 16 px, shutter 33 ms": lambda n: tower(5.5, 8, 16, exposure=0.033, seed=n, **noisy),
        "5.5 Hz, 48 px, shutter 4 ms": lambda n: tower(5.5, 20, 48, seed=n, **noisy),
        "2.5 Hz, dark (a quarter), soft lens": lambda n: tower(2.5, 4, 10, gain=_dark, lens=1.5, seed=n, **noisy),
        "2.5 Hz, markers of 20 px": lambda n: tower(2.5, 4, 10, side=20, seed=n, **noisy),
    }
    for name, film in cases.items():
        compare(name, [film(n) for n in range(1, len(rounds) + 2)], 1.0, everything)
    print("\nms a picture: " + ", ".join(f"{method} {_took(everything, method)}" for method in METHODS))
    frequencies()


def _took(everything: list[dict[str, Score]], method: str) -> str:
    return ranged([value for scores in everything for value in scores[method].took], 2)


def _dark(_: float) -> float:
    return 0.25


if __name__ == "__main__":
    main()
