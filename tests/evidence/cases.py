"""A site where somebody opened a door, with pictures: what is exported, verified and tampered with."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from gatekeeper.evidence.case import Case, collect, kept_in
from gatekeeper.evidence.event import Event
from gatekeeper.evidence.export import Exported, export
from gatekeeper.evidence.pages import everything
from gatekeeper.evidence.pictures import PictureFolder
from gatekeeper.evidence.signing import Signer
from gatekeeper.storage import pictures, pruning
from gatekeeper.storage.appender import Seal
from gatekeeper.storage.events import get, site_of
from gatekeeper.storage.pictures import PictureRow
from gatekeeper.storage.tables import pictures as pictures_table
from tests.evidence.chains import NOW
from tests.evidence.stores import ANA, Bench


class Opened(Bench):
    """A plate was read, the gate allowed, the door opened: pictures were kept; before and after, other things.

    :ivar event: the door event's id.
    """

    def __init__(self, folder: Path, frames: int = 3, around: int = 5, key: Signer | None = None) -> None:
        super().__init__(key=key)
        self.folder = PictureFolder(folder / "pictures")
        self.exports = folder / "exports"
        self.record(*map(str, range(around)), kind="camera.offline", subject="yard")
        [plate] = self.record("M-AB 123 allowed", kind="gate.allowed", subject="gate")
        [opened] = self.record("ana opened", subject="front", caller=ANA, cause=plate.id, reason="parcel")
        self.plate, self.event = plate.id, opened.id
        self.record("back", subject="back", kind="door.refused", outcome="denied")
        self.jpegs = [b"\xff\xd8" + bytes([number]) * (1000 + number) for number in range(frames)]
        self.folder.store(self.jpegs)
        rows = [
            PictureRow(opened.id, number, "yard", NOW + number, 640, 480, len(jpeg), hashlib.sha256(jpeg).digest())
            for number, jpeg in enumerate(self.jpegs, 1)
        ]

        def keep(connection: Any) -> None:
            pictures.begin(connection, opened.id, NOW, b"{}")
            pictures.add(
                connection, opened.id, started=NOW, manifest=b"{}", after=0, rows=rows, present=self.folder.has
            )
            pictures.close(connection, opened.id, "complete", NOW + 5, b"{}")

        self.store.blocking(keep)
        listed = [
            {"number": row.number, "camera": row.camera, "received": row.received, "sha256": row.sha256.hex()}
            for row in rows
        ]
        self.record("3 pictures kept", kind="evidence.stored", cause=opened.id, details={"pictures": listed})
        self.record(*map(str, range(around)), kind="camera.online", subject="yard")

    def erase(self, number: int, *, signed: bool = True, by: str = "ana") -> None:
        """Erase a picture, and say so."""

        def work(connection: Any) -> None:
            seal: Seal = self.journal.seal
            row = get(connection, self.event)
            assert row is not None
            sha256 = hashlib.sha256(self.jpegs[number - 1]).hexdigest()
            if signed:
                signature = seal.sign(
                    "erased",
                    site_of(connection),
                    row.sequence,
                    row.hash,
                    event=self.event,
                    pictures=[sha256],
                    by=by,
                    reason="asked for",
                )
                pruning.add_tombstone(connection, row.sequence, row.sequence, signature)
            connection.execute(pictures_table.update().where(pictures_table.c.number == number).values(erased=True))

        self.store.blocking(work)
        self.folder.remove([hashlib.sha256(self.jpegs[number - 1]).digest()])
        self.record("1 picture erased", kind="evidence.erased", cause=self.event, caller=ANA)

    def case(self, visible: Callable[[Event], bool] = everything, event: str | None = None) -> Case:
        found: Case = self.store.blocking(
            lambda connection: collect(connection, event or self.event, self.signer.keys, kept_in(self.folder), visible)
        )
        return found

    def export(self, visible: Callable[[Event], bool] = everything, event: str | None = None) -> Exported:
        return export(self.case(visible, event), self.signer, NOW + 60, "ana", self.exports)


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Mapping[str, bytes]) -> BytesIO:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    out.seek(0)
    return out


def relisted(files: dict[str, bytes]) -> dict[str, bytes]:
    """The manifest made to fit again, as somebody without the key could."""
    manifest = json.loads(files["manifest.json"])
    for one in manifest["files"]:
        if one["name"] in files:
            one["size"] = len(files[one["name"]])
            one["sha256"] = hashlib.sha256(files[one["name"]]).hexdigest()
    return {**files, "manifest.json": json.dumps(manifest).encode()}
