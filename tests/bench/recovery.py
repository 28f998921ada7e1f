"""How soon a camera shows pictures again after each fault, with a real twistd: found, and recovered.

python -m tests.bench.recovery [--rounds 3] [--only NAME ...]

A virtual ESP32-CAM (pulled) and a virtual ESP32-S3 (VGA, speed mode, dials every 3 s) are processes of their own. Each
fault is played in turn: `found` is from the fault to the state or sight that tells of it, `recovered` from the end of
the fault, or from the fault itself where self-help ends it, to the next picture.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.processes import Process
from tests.bench.push import Site

PATIENCE = 240.0  # seconds: the ladder's third step comes after a hundred
LOOK = 0.02


class Device(Process):
    """A virtual camera that obeys."""

    def __init__(self, *options: str) -> None:
        super().__init__([sys.executable, "-m", "gatekeeper.simulators", *options])
        self.name = self.first_line

    @property
    def port(self) -> int:
        return int(self.name.split()[1])

    def order(self, command: str) -> None:
        """Give it a command."""
        print(command, file=self._stdin, flush=True)
        assert self.next_line().startswith("ok")


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, how it is told and who ends it.

    :ivar begin: what plays it; `end` what ends it, None if self-help does, or it is over by itself.
    :ivar told: whether a camera's status tells of it.
    """

    name: str
    camera: str
    begin: Callable[["Bench"], None]
    end: Callable[["Bench"], None] | None
    told: Callable[[dict[str, Any]], bool]


class Bench:
    """A site with both cameras."""

    def __init__(self, folder: Path, pulled: Device) -> None:
        self.folder = folder
        self.pulled = pulled
        self.port: int | None = None
        self.start()

    def start(self) -> None:
        """Start the site; the second time, cameras find it where it was."""
        url = f'[[cameras]]\nid = "pulled"\nurl = "http://127.0.0.1:{self.pulled.port}/stream"\n'
        self.site = Site(self.folder, 1, url, stall=2.0, port=self.port)
        self.port = self.site.port

    def status(self, camera: str) -> dict[str, Any]:
        try:
            return next(one for one in self.site.ask("/cameras") if one["id"] == camera)
        except OSError:
            return {"state": "no server", "sight": "unknown", "frames": 0}

    def until(self, camera: str, is_so: Callable[[dict[str, Any]], bool]) -> float:
        """Return seconds until a camera's status is so."""
        began = time.monotonic()
        while not is_so(self.status(camera)):
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"{camera}: {self.status(camera)}")
            time.sleep(LOOK)
        return time.monotonic() - began

    def helped(self, camera: str) -> float:
        """Return seconds from a trouble's discovery to its end, as the record has it."""
        page: Any = self.site.ask(f"/events?kind=camera.helped&subject={camera}&limit=1")
        return float(page["events"][0]["details"]["seconds"])

    def well(self, camera: str) -> float:
        """Return seconds until it is live and known to see."""
        return self.until(camera, lambda one: one["state"] == "live" and one["sight"] == "ok")


def restart(bench: "Bench") -> None:
    """Kill the server as a power cut does, and start it again."""
    bench.site._process.kill()
    bench.site.__exit__(None, None, None)
    bench.start()


def cases(push: Device) -> list[Case]:
    """Return what is played."""

    def tell(device: Callable[[Bench], Device], order: str) -> Callable[[Bench], None]:
        return lambda bench: device(bench).order(order)

    def pulled(bench: Bench) -> Device:
        return bench.pulled

    def pushed(bench: Bench) -> Device:
        return push

    def gone(one: dict[str, Any]) -> bool:
        return one["state"] in ("offline", "connecting", "no server")

    def stalled(one: dict[str, Any]) -> bool:
        return bool(one["state"] == "stalled")

    def frozen(one: dict[str, Any]) -> bool:
        return bool(one["sight"] == "frozen" or one.get("help"))  # the ladder cuts it off in the same moment

    heal = "fault none"
    return [
        Case("pulled: connection refused", "pulled", tell(pulled, "fault refuse"), tell(pulled, heal), gone),
        Case("pulled: cut in mid-picture", "pulled", tell(pulled, "fault cut"), tell(pulled, heal), gone),
        Case("pulled: falls silent", "pulled", tell(pulled, "fault silent"), tell(pulled, heal), stalled),
        Case("pulled: frozen", "pulled", tell(pulled, "fault freeze"), tell(pulled, heal), frozen),
        Case("push: connection cut", "c0", tell(pushed, "cut"), None, gone),
        Case("push: silent, mended by a new connection", "c0", tell(pushed, "fault silent reconnect"), None, stalled),
        Case("push: half-open", "c0", tell(pushed, "fault severed"), tell(pushed, heal), stalled),
        Case("push: reboot", "c0", tell(pushed, "reset"), None, gone),
        Case("push: frozen, mended by a new connection", "c0", tell(pushed, "fault freeze reconnect"), None, frozen),
        Case("push: frozen, mended by a reboot", "c0", tell(pushed, "fault freeze reboot"), None, frozen),
        Case("push: the server is killed and started", "c0", restart, None, lambda one: True),
        Case("pulled: the server is killed and started", "pulled", restart, None, lambda one: True),
    ]


def play(bench: Bench, case: Case) -> tuple[float, float]:
    """Return seconds until a fault is told of, and until there are pictures again."""
    bench.site.__exit__(None, None, None)
    bench.start()  # a ladder that was climbed a moment ago goes on where it was
    bench.well(case.camera)
    began = time.monotonic()
    case.begin(bench)
    bench.until(case.camera, case.told)
    found = time.monotonic() - began
    if case.end is not None:
        case.end(bench)
        began = time.monotonic()
    if "mended" in case.name:  # whether it was shows only with time: the record says since when
        bench.until(case.camera, lambda one: one["help"] is None and one["state"] == "live")
        return found, found + bench.helped(case.camera)
    bench.until(case.camera, lambda one: is_over(case, one))
    recovered = time.monotonic() - began
    bench.well(case.camera)
    return found, recovered


def is_over(case: Case, one: dict[str, Any]) -> bool:
    """Return whether there are pictures again."""
    if one["state"] != "live" or not one["frames"]:
        return False
    return case.begin is restart or ("frozen" in case.name and one["sight"] != "frozen") or not case.told(one)


def show(values: list[float]) -> str:
    """Return median and range."""
    return f"{statistics.median(values):6.1f} s ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="of the faults, those whose names hold one of these")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Device("camera") as pulled:
        bench = Bench(Path(folder), pulled)
        url = f"ws://127.0.0.1:{bench.port}/c0"
        try:
            with Device("push", "--url", url, "--speed", "--resolution", "5") as push:
                for case in cases(push):
                    if wanted.only and not any(word in case.name for word in wanted.only):
                        continue
                    played = [play(bench, case) for _ in range(wanted.rounds)]
                    found, recovered = show([a for a, _ in played]), show([b for _, b in played])
                    print(f"{case.name:42} found {found}   recovered {recovered}   n={wanted.rounds}", flush=True)
        finally:
            bench.site.__exit__(None, None, None)


if __name__ == "__main__":
    main()
