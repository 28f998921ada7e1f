"""What the pictures of a door's action cost: CPU, bytes, files, and the delay of everything else on the reactor.

python -m tests.bench.evidence [--actions 20] [--seconds 5] [--kilobytes 30] [--fps 15] [--pace 1] [--folder DIR]

Two cameras send into real feeds; the recorder, its database (SQLite), its journal and its files are real. Rounds
without any action are measured beside those with some, so that the difference is the actions'.
"""

import argparse
import asyncio
import os
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from twisted.internet import asyncioreactor

TICK = 0.005
"""Seconds between ticks that should come on time."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5, help="before and after each action")
    parser.add_argument("--kilobytes", type=int, default=30)
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--pace", type=float, default=1, help="seconds between two actions")
    parser.add_argument("--folder", help="on the disk to be measured; a temporary one without")
    wanted = parser.parse_args()
    asyncio.set_event_loop(asyncio.new_event_loop())
    asyncioreactor.install()
    ring()
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        Measurement(Path(folder), wanted).run()


def ring() -> None:
    """Print what a frame costs while nothing happens."""
    from gatekeeper.cameras.feed import Feed
    from gatekeeper.evidence.watch import Watch

    feed = Feed("yard", 0.0)
    jpeg = os.urandom(30_000)
    count = 100_000

    def shoot() -> float:
        began = time.process_time()
        for number in range(count):
            feed.put(jpeg, 640, 480, number / 15, 0.0)
        return (time.process_time() - began) / count * 1e6

    without = min(shoot() for _ in range(3))
    feed.newest = None
    Watch(
        feed,
        before=5,
        span=13,
        ring_bytes=32_000_000,
        clock=lambda: 0.0,
        offer=lambda frame: None,
        changed=lambda: None,
    )
    beside = min(shoot() for _ in range(3))
    print(f"at rest: {beside - without:.2f} us per frame ({without:.2f} for the feed alone)", flush=True)


class Measurement:
    """A reactor with cameras, and actions before them."""

    def __init__(self, folder: Path, wanted: argparse.Namespace) -> None:
        from twisted.internet import reactor

        from gatekeeper import config
        from gatekeeper.cameras.feed import Feed
        from gatekeeper.evidence import signing
        from gatekeeper.evidence.journal import Journal
        from gatekeeper.evidence.pictures import PictureFolder
        from gatekeeper.evidence.recorder import Recorder
        from gatekeeper.storage.database import Database

        self.reactor: Any = reactor
        self.wanted = wanted
        self.folder = folder
        self.database = Database(f"sqlite:///{folder}/gatekeeper.sqlite", reactor)
        self.database.open()
        self.empty = (folder / "gatekeeper.sqlite").stat().st_size
        self.journal = Journal(self.database, signing.load(folder / "keys", time.time), reactor, time.time)
        self.feeds = {camera: Feed(camera, time.time()) for camera in ("yard", "hall")}
        self.recorder = Recorder(
            settings=config.Evidence(before=wanted.seconds, after=wanted.seconds),
            feeds=self.feeds,
            doors={"front": tuple(self.feeds)},
            folder=PictureFolder(folder / "pictures"),
            database=self.database,
            record=self.journal.record,
            reactor=reactor,
            wall=time.time,
        )
        self.noise = random.Random(1).randbytes(wanted.kilobytes * 1000)  # noqa: S311 - bytes, no secrets
        self.number = 0
        self.delays: list[float] = []
        self.begin_times: list[float] = []
        self.partial = 0
        self.sizes: list[int] = []
        self.journal.observe(self.heard)

    def heard(self, event: Any) -> None:
        if event.kind.startswith("evidence."):
            self.partial += event.kind == "evidence.partial"
            self.sizes.append(len(event.details.get("pictures", ())))

    def run(self) -> None:
        self.journal.start()
        self.recorder.start()
        self.shoot()
        self.tick(self.reactor.seconds() + TICK)
        warm = self.wanted.seconds + 1
        self.reactor.callLater(warm, self.quiet)
        self.reactor.run()

    def shoot(self) -> None:
        for feed in self.feeds.values():
            self.number += 1
            jpeg = self.number.to_bytes(8, "big") + self.noise[8:]
            feed.put(jpeg, 1280, 720, self.reactor.seconds(), time.time())
        self.reactor.callLater(1 / self.wanted.fps, self.shoot)

    def tick(self, due: float) -> None:
        now = self.reactor.seconds()
        self.delays.append(now - due)
        due = max(due + TICK, now)
        self.reactor.callLater(due - now, self.tick, due)

    def quiet(self) -> None:
        """Measure a round without actions, as long as those with."""
        self.began = cpu()
        self.delays.clear()
        self.reactor.callLater(self.length, self.quiet_ended)

    @property
    def length(self) -> float:
        return float(self.wanted.actions * self.pace + 2 * self.wanted.seconds + 3)

    @property
    def pace(self) -> float:
        return float(self.wanted.pace)

    def quiet_ended(self) -> None:
        self.idle = cpu() - self.began
        show("without actions", self.delays)
        self.delays.clear()
        self.began = cpu()
        self.act(self.wanted.actions)
        self.reactor.callLater(self.length, self.busy_ended)

    def act(self, left: int) -> None:
        if left:
            entry = self.journal.record("door.opened", "opened", subject="front")
            began = time.perf_counter()
            self.recorder.begin(entry.id, "front")
            self.begin_times.append(time.perf_counter() - began)
            self.reactor.callLater(self.pace, self.act, left - 1)

    def busy_ended(self) -> None:
        busy = cpu() - self.began
        show(f"{self.wanted.actions} actions, one each {self.pace:g} s", self.delays)
        count = self.wanted.actions
        files = [file.stat().st_size for file in (self.folder / "pictures").glob("??/*.jpg")]
        print(f"CPU per action: {(busy - self.idle) / count * 1e3:.1f} ms (idle site: {self.idle:.2f} s in the time)")
        print(
            f"pictures per action: {sum(self.sizes) / max(1, len(self.sizes)):.0f}; partial: {self.partial} of {count}"
        )
        times = sorted(self.begin_times)
        print(f"begin(), in the door's call: median {times[count // 2] * 1e3:.2f} ms, maximum {times[-1] * 1e3:.2f} ms")
        print(f"files: {len(files)}, {sum(files) / 1e6:.1f} MB; alone, an action has {self.alone / 1e6:.1f} MB")
        ended = self.recorder.stop()
        ended.addCallback(lambda _: self.journal.close())
        ended.addCallback(lambda _: self.database.close())
        ended.addCallback(lambda _: self.closed())

    def closed(self) -> None:
        size = (self.folder / "gatekeeper.sqlite").stat().st_size
        print(f"database: {(size - self.empty) / self.wanted.actions / 1e3:.0f} KB per action, indexes included")
        self.reactor.stop()

    @property
    def alone(self) -> float:
        return float(4 * self.wanted.seconds * self.wanted.fps * self.wanted.kilobytes * 1000)


def cpu() -> float:
    """Return the CPU seconds of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def show(name: str, delays: list[float]) -> None:
    """Print how late a tick of 5 ms was."""
    late = sorted(delays)
    p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
    print(
        f"{name}: a 5 ms tick is late by p50 {p50 * 1e3:.2f}, p99 {p99 * 1e3:.2f}, maximum {late[-1] * 1e3:.2f} ms",
        flush=True,
    )


if __name__ == "__main__":
    main()
