"""Kept pictures read back, whole or small: one after the other in a thread of its own, and the small ones remembered.

A thumbnail is made when somebody looks, by a decoder that leaves out what nobody would see: some ms at 640x480.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred, fail, succeed

from gatekeeper.errors import NotFound, Overloaded
from gatekeeper.evidence.outside import Disk
from gatekeeper.evidence.pictures import FileState
from gatekeeper.gallery.folder import SnapshotFolder
from gatekeeper.storage.snapshots import SnapshotRow

WAITING: Final = 200
"""Pictures that may wait to be read: some browsers that fill their windows; more is a flood."""

REMEMBERED: Final = 16_000_000
"""Bytes of thumbnails in memory: two thousand, a day at one a minute."""

WIDTH: Final = 240
"""Pixels of a thumbnail, at most one and a half times as many."""

QUALITY: Final = 70

_STEPS: Final = (8, 4, 2)


class Reading:
    """Reads kept pictures.

    :param disk: a thread of its own.
    """

    def __init__(self, folder: SnapshotFolder, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._jobs: deque[tuple[Callable[[], bytes], Deferred[bytes]]] = deque()
        self._busy = False
        self._small: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def picture(self, row: SnapshotRow) -> "Deferred[bytes]":
        """Return a picture's bytes.

        Fails with NotFound if the file isn't what was kept, with Overloaded if too many want to read.
        """
        return self._ask(partial(_read, self._folder, row))

    def thumbnail(self, row: SnapshotRow) -> "Deferred[bytes]":
        """Return a small JPEG of a picture; it fails as `picture` does."""
        known = self._small.get(row.id)
        if known is not None:
            self._small.move_to_end(row.id)
            return succeed(known)
        return self._ask(partial(_reduce, self._folder, row)).addCallback(self._remember, row.id)

    def forget(self, id_: str) -> None:
        """Remember nothing of a picture: it is gone."""
        self._bytes -= len(self._small.pop(id_, b""))

    def stop(self) -> None:
        """Read nothing more."""
        self._disk.stop()

    def _remember(self, jpeg: bytes, id_: str) -> bytes:
        self.forget(id_)
        self._small[id_] = jpeg
        self._bytes += len(jpeg)
        while self._bytes > REMEMBERED:
            self.forget(next(iter(self._small)))
        return jpeg

    def _ask(self, work: Callable[[], bytes]) -> "Deferred[bytes]":
        if len(self._jobs) >= WAITING:
            return fail(Overloaded("too many pictures are asked for at once"))
        asked: Deferred[bytes] = Deferred()
        self._jobs.append((work, asked))
        self._go()
        return asked

    def _go(self) -> None:
        while self._jobs and self._jobs[0][1].called:  # whoever asked has gone
            self._jobs.popleft()
        if self._busy or not self._jobs:
            return
        self._busy = True
        work, asked = self._jobs.popleft()

        def done(result: Any) -> None:
            self._busy = False
            if not asked.called:
                asked.callback(result)  # a Failure makes it fail
            self._go()

        self._disk.run(work).addBoth(done)


def _read(folder: SnapshotFolder, row: SnapshotRow) -> bytes:
    state, jpeg = folder.read(row)
    if state is not FileState.INTACT:
        raise NotFound(f"the picture can't be shown: its file is {state}")
    return jpeg


def _reduce(folder: SnapshotFolder, row: SnapshotRow) -> bytes:
    return reduced(_read(folder, row), row.width)


def reduced(jpeg: bytes, width: int) -> bytes:
    """Return a small JPEG of a JPEG that is `width` pixels wide.

    :raises NotFound: if it can't be decoded.
    """
    import cv2  # noqa: PLC0415 - takes a fifth of a second, and is needed only when somebody looks
    import numpy as np  # noqa: PLC0415

    flags = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
    step = next((step for step in _STEPS if width // step >= WIDTH), 1)
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags.get(step, cv2.IMREAD_COLOR))
    if image is None:
        raise NotFound("the picture can't be shown: it can't be decoded")
    high, wide = image.shape[:2]
    if wide > WIDTH * 1.5:
        image = cv2.resize(image, (WIDTH, max(1, round(high * WIDTH / wide))), interpolation=cv2.INTER_AREA)
    _, small = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    made: bytes = small.tobytes()
    return made
