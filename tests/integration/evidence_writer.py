"""A small site of one door and two fast cameras that acts without pause, to be killed; and its next start.

python -m tests.integration.evidence_writer: reads lines `write FOLDER` and `recover FOLDER` from its input and forks a
process for each, which costs milliseconds, not the seconds of a fresh interpreter. It prints the child's pid, then its
exit status when it ended.
"""

import asyncio
import itertools
import os
import sys
import time
from pathlib import Path
from typing import Any

from twisted.internet import asyncioreactor

WRITE_FOR = 20.0
"""Seconds after which a writer that nobody killed ends."""

BEFORE = AFTER = 0.15
FPS = 120
ACT_EVERY = 0.05


def main() -> None:
    """Fork for every line."""
    import alembic.command  # noqa: F401 - the children have it then
    import sqlalchemy.dialects.sqlite  # noqa: F401

    import gatekeeper.evidence.recorder
    import gatekeeper.storage.migrate  # noqa: F401

    for line in sys.stdin:
        what, folder = line.split()
        ours, childs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ours)
            try:
                {"write": write, "recover": recover}[what](Path(folder), childs)
                os._exit(0)
            except BaseException:  # noqa: BLE001 - a forked child must not go on as its parent
                import traceback

                traceback.print_exc()
                os._exit(1)
        os.close(childs)
        os.read(ours, 1)  # it is at work
        os.close(ours)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(status, flush=True)


class Parts:
    """The recorder with its real database, journal and disk."""

    def __init__(self, folder: Path) -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        asyncioreactor.install()
        from twisted.internet import reactor

        from gatekeeper import config
        from gatekeeper.cameras.feed import Feed
        from gatekeeper.evidence import signing
        from gatekeeper.evidence.journal import Journal
        from gatekeeper.evidence.pictures import PictureFolder
        from gatekeeper.evidence.recorder import Recorder
        from gatekeeper.storage.database import Database

        self.reactor: Any = reactor
        self.database = Database(f"sqlite:///{folder}/gatekeeper.sqlite", reactor)
        self.database.open()
        self.journal = Journal(self.database, signing.load(folder / "keys", time.time), reactor, time.time)
        self.feeds = {camera: Feed(camera, time.time()) for camera in ("yard", "hall")}
        self.recorder = Recorder(
            settings=config.Evidence(before=BEFORE, after=AFTER),
            feeds=self.feeds,
            doors={"front": tuple(self.feeds)},
            folder=PictureFolder(folder / "pictures"),
            database=self.database,
            record=self.journal.record,
            reactor=reactor,
            wall=time.time,
        )
        self.journal.start()


def write(folder: Path, ready: int) -> None:
    """Work the door until killed; every picture is another, but for one camera that freezes now and then."""
    from gatekeeper.evidence import recorder

    recorder.ROUND = 0.03
    parts = Parts(folder)
    count = itertools.count()

    def shoot() -> None:
        for camera, feed in parts.feeds.items():
            number = next(count)
            content = b"frozen" if camera == "hall" and number % 100 < 50 else f"{camera} {number}".encode()
            feed.put(content * 300, 640, 480, parts.reactor.seconds(), time.time())
        parts.reactor.callLater(1 / FPS, shoot)

    def act() -> None:
        entry = parts.journal.record("door.opened", "opened", subject="front")
        parts.recorder.begin(entry.id, "front")
        parts.reactor.callLater(ACT_EVERY, act)

    def begin() -> None:
        parts.recorder.start()
        shoot()
        act()
        os.write(ready, b"!")

    parts.reactor.callWhenRunning(begin)
    parts.reactor.callLater(WRITE_FOR, parts.reactor.stop)
    parts.reactor.run()


def recover(folder: Path, ready: int) -> None:
    """Start as a site does, and end when what was open is closed."""
    parts = Parts(folder)
    os.write(ready, b"!")

    def ended(result: object) -> None:
        from twisted.python.failure import Failure

        if isinstance(result, Failure):
            result.printTraceback()
        parts.reactor.stop()

    def end(result: object) -> Any:
        closing = parts.recorder.stop()
        closing.addCallback(lambda _: parts.journal.close())
        closing.addCallback(lambda _: parts.database.close())
        return closing.addCallback(lambda _: result)

    parts.reactor.callWhenRunning(lambda: parts.recorder.start().addBoth(end).addBoth(ended))
    parts.reactor.run()


if __name__ == "__main__":
    main()
