"""A site in one file, and back; between both databases, beside a running site, and from files that lie."""

import hashlib
import json
import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from gatekeeper.errors import ConfigurationError, InvalidArgument, StorageUnavailable
from gatekeeper.storage import Database, connect, logical, rows, sqlite
from gatekeeper.storage.backup import backup
from gatekeeper.storage.migrate import MIGRATIONS, head
from gatekeeper.storage.restore import restore
from gatekeeper.storage.tables import (
    accounts,
    api_keys,
    events,
    links,
    logins,
    meta,
    metadata,
    pictures,
    snapshots,
    tombstones,
)
from tests.postgresql import shared
from tests.storage.reactor import Reactor

PICTURE = b"\xff\xd8 a picture \xff\xd9"
DIGEST = hashlib.sha256(PICTURE)
EVENTS = range(1, logical.ROWS + 200)
ERASED = hashlib.sha256(b"erased")


def fill(connection: Connection) -> None:
    """Rows with everything that could be lost on the way: bytes, NULLs, JSON, floats, text of other scripts."""
    connection.execute(
        insert(accounts).values(name="änna", role="owner", created=1.1, scram={"salt": "x", "n": [1, None]})
    )
    connection.execute(insert(api_keys).values(id="k", account="änna", label="\t\"'\\", hash=bytes(32), created=1e-300))
    names = ["sequence", "id", "time", "kind", "outcome", "body", "previous", "hash", "size"]
    bodies = [
        (n, f"e{n}", n / 3, "door.opened", "ok", bytes([n % 256, 10, 13]), bytes(32), b"\xff" * 32, 3) for n in EVENTS
    ]
    rows.insert(connection, events, names, bodies)
    statement = {"statement": b"", "signature": b"", "key_id": "k"}
    connection.execute(insert(tombstones).values(first_sequence=2**40, last_sequence=2**40 + 1, **statement))
    for number, (digest, erased) in enumerate(((DIGEST, False), (ERASED, True), (hashlib.sha256(b"lost"), False))):
        row = {"event": "e1", "number": number, "camera": "c", "received": 1.0, "width": 1, "height": 1, "size": 1}
        connection.execute(insert(pictures).values(sha256=digest.digest(), erased=erased, **row))


def everything(connection: Connection) -> dict[str, list[Any]]:
    return {
        table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
        for table in metadata.sorted_tables
    }


class Site:
    """A data folder, a configuration and a database."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.data = folder / "data"
        self.configuration = folder / "gatekeeper.toml"
        self.url = url or f"sqlite:///{self.data}/gatekeeper.sqlite"
        self.data.mkdir(parents=True)

    def write(self, work: Callable[[Connection], object]) -> None:
        with connect(self.url) as database:
            database.write(work)

    @property
    def rows(self) -> dict[str, list[Any]]:
        with connect(self.url) as database:
            return database.read(everything)

    def file(self, name: str, content: bytes) -> None:
        target = self.data / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    @property
    def picture(self) -> Path:
        return self.data / "pictures" / DIGEST.hexdigest()[:2] / f"{DIGEST.hexdigest()}.jpg"


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Site:
    """A site with something of everything."""
    site = Site(tmp_path / "site", database_url if database_url.startswith("postgresql") else None)
    site.write(fill)
    site.configuration.write_text('title = "Home"\n')
    site.file("keys/evidence.key", b"secret")
    site.file("tls/server.pem", b"certificate")
    site.file(f"pictures/{DIGEST.hexdigest()[:2]}/{DIGEST.hexdigest()}.jpg", PICTURE)
    site.file("pictures/00/stray.jpg", b"the database doesn't know this")
    return site


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backup.zip"


def without_revision(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {**found, "meta": [row for row in found["meta"] if row[0] not in ("accounts_revision", "restored")]}


# --- there and back --------------------------------------------------------------------------------------------------


def test_everything_comes_back(site: Site, target: Path) -> None:
    before = site.rows
    written = backup(site.url, site.data, site.configuration, target, pictures=True, wall=lambda: 1000.0)
    assert (written.pictures, written.missing, written.size) == (1, 1, target.stat().st_size)
    assert target.stat().st_mode & 0o777 == 0o600

    site.write(lambda c: c.execute(events.delete()))
    site.write(lambda c: c.execute(insert(accounts).values(name="mallory", role="owner", created=2.0)))
    site.configuration.write_text('title = "Changed"\n')
    site.file("keys/evidence.key", b"another")
    site.picture.unlink()

    done = restore(target, site.url, site.data, site.configuration)
    assert without_revision(site.rows) == without_revision(before)
    assert site.configuration.read_text() == 'title = "Home"\n'
    assert (site.data / "keys/evidence.key").read_bytes() == b"secret"
    assert (site.data / "keys/evidence.key").stat().st_mode & 0o777 == 0o600
    assert site.picture.read_bytes() == PICTURE
    assert set(done.restart) == {"configuration.toml", "keys/evidence.key"}
    assert (done.time, done.pictures, done.rows["events"]) == (1000.0, 1, len(EVENTS))
    assert not list(site.data.glob(".restore-*"))


def test_what_a_restore_replaces_is_kept(site: Site, target: Path) -> None:
    backup(site.url, site.data, site.configuration, target)
    site.write(lambda c: c.execute(insert(accounts).values(name="late", role="viewer", created=2.0)))
    site.file("keys/evidence.key", b"newer")
    late = site.rows
    done = restore(target, site.url, site.data, site.configuration)
    assert site.rows["accounts"] != late["accounts"]
    restore(Path(done.aside), site.url, site.data, site.configuration)
    assert without_revision(site.rows) == without_revision(late)
    assert (site.data / "keys/evidence.key").read_bytes() == b"newer"


def test_a_site_moves_to_a_new_machine_and_to_the_other_database(site: Site, target: Path, tmp_path: Path) -> None:
    backup(site.url, site.data, site.configuration, target, pictures=True)
    with shared().database() as url:
        other = Site(tmp_path / "other", url if site.url.startswith("sqlite") else None)
        done = restore(target, other.url, other.data, other.configuration)
        assert without_revision(other.rows) == without_revision(site.rows)
        assert set(done.restart) == {"configuration.toml", "keys/evidence.key", "tls/server.pem"}
        assert other.picture.read_bytes() == PICTURE
        statement = {"first_sequence": 1, "last_sequence": 2, "statement": b"", "signature": b"", "key_id": "k"}
        other.write(lambda c: c.execute(insert(tombstones).values(statement)))  # its number is a new one
        assert [row[0] for row in other.rows["tombstones"]] == [1, 2]


def test_nobody_stays_logged_in_and_accounts_are_read_anew(site: Site, target: Path) -> None:
    login = {"account": "änna", "created": 1.0, "last_used": 1.0, "expires": 1e10, "address": "", "client": ""}
    site.write(lambda c: c.execute(insert(logins).values(id="l", **login)))
    site.write(lambda c: c.execute(insert(links).values(hash=bytes(32), role="owner", created=1.0)))
    site.write(lambda c: c.execute(meta.update().where(meta.c.key == "accounts_revision").values(value="7")))
    backup(site.url, site.data, None, target)
    site.write(lambda c: c.execute(meta.update().where(meta.c.key == "accounts_revision").values(value="9")))
    restore(target, site.url, site.data, None, wall=lambda: 77.0)
    found = site.rows
    assert [row[-1] for row in found["logins"]] == [77.0]
    assert found["links"] == []
    assert ("accounts_revision", "10") in found["meta"]


def test_pictures_are_left_out_unless_they_are_wanted(site: Site, target: Path) -> None:
    assert backup(site.url, site.data, None, target).pictures == 0
    with zipfile.ZipFile(target) as found:
        assert not [name for name in found.namelist() if name.startswith(("pictures", "configuration"))]


def test_kept_pictures_go_along_and_come_back(local: Site, target: Path) -> None:
    id_ = "01K" + "A" * 23
    name = f"snapshots/2026-11-28/yard/{id_}.jpg"
    row = {"id": id_, "camera": "yard", "day": "2026-11-28", "time": 1.0, "why": "demand", "width": 1, "height": 1}
    gone = {**row, "id": "01K" + "B" * 23, "gone": True}
    local.write(lambda connection: connection.execute(insert(snapshots).values(size=1, sha256=bytes(32), **row)))
    local.write(lambda connection: connection.execute(insert(snapshots).values(size=1, sha256=bytes(32), **gone)))
    local.file(name, PICTURE)
    without = backup(local.url, local.data, None, target).pictures
    assert without == 0
    kept = backup(local.url, local.data, None, target, pictures=True)
    (local.data / name).unlink()
    restored = restore(target, local.url, local.data, None)
    assert (local.data / name).read_bytes() == PICTURE
    assert (kept.pictures, restored.pictures) == (1, 1)
    with zipfile.ZipFile(target) as found:
        assert [entry for entry in found.namelist() if entry.startswith("snapshots")] == [name]


# --- beside a running site -------------------------------------------------------------------------------------------


def test_both_work_beside_a_site_that_writes(site: Site, target: Path, reactor: Reactor) -> None:
    running = Database(site.url, reactor, wall=reactor.seconds)
    running.open()

    def put(number: int) -> Callable[[Connection], int]:
        def work(connection: Connection) -> int:
            connection.execute(insert(links).values(hash=number.to_bytes(32, "big"), role="owner", created=1.0))
            return number

        return work

    def count(connection: Connection) -> int:
        return len(connection.execute(select(accounts)).all())

    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(backup(site.url, site.data, None, target)))
    thread.start()
    for number in range(50):
        assert reactor.result_of(running.write(put(number))) == number
    thread.join(60)
    site.write(lambda c: c.execute(insert(accounts).values(name="late", role="viewer", created=2.0)))
    assert reactor.result_of(running.read(count)) == 2

    thread = threading.Thread(target=lambda: results.append(restore(target, site.url, site.data, None)))
    thread.start()
    stored = 0
    for number in range(50, 100):
        try:
            stored += bool(reactor.result_of(running.write(put(number))))
        except StorageUnavailable:
            reactor.until(lambda: running.health.state == "ok")
    thread.join(60)
    assert len(results) == 2
    assert stored
    assert reactor.result_of(running.read(count)) == 1
    reactor.until(lambda: running.health.state == "ok")
    assert reactor.result_of(running.write(put(1000))) == 1000
    reactor.result_of(running.close())


# --- files that can't be trusted -------------------------------------------------------------------------------------


@pytest.fixture
def local(tmp_path: Path) -> Site:
    site = Site(tmp_path / "local")
    site.write(fill)
    site.file("keys/evidence.key", b"secret")
    return site


def rewritten(target: Path, change: Callable[[dict[str, bytes], dict[str, Any]], object]) -> None:
    """Write a backup anew, with other entries or another manifest."""
    with zipfile.ZipFile(target) as found:
        entries = {name: found.read(name) for name in found.namelist()}
    manifest = json.loads(entries.pop("manifest.json"))
    change(entries, manifest)
    with zipfile.ZipFile(target, "w") as output:
        for name, content in entries.items():
            output.writestr(name, content)
        output.writestr("manifest.json", json.dumps(manifest))


def entered(entries: dict[str, bytes], manifest: dict[str, Any], name: str, content: bytes) -> None:
    """Add an entry that the manifest names, as somebody does who wants it to be taken."""
    entries[name] = content
    manifest["entries"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def refused(site: Site, target: Path, says: str, error: type[Exception] = InvalidArgument) -> None:
    """A restore is refused in a line, and nothing was touched."""
    before, names = site.rows, sorted(site.data.rglob("*"))
    with pytest.raises(error, match=says) as raised:
        restore(target, site.url, site.data, site.configuration)
    assert "\n" not in str(raised.value)
    assert site.rows == before
    assert (site.data / "keys/evidence.key").read_bytes() == b"secret"
    assert [
        name for name in sorted(site.data.rglob("*")) if name.suffix not in (".zip", "") and name not in names
    ] == []


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "keys/../../outside",
        "/etc/cron.d/x",
        "keys/a/b",
        "keys/.hidden",
        "pictures/00/x.jpg",
        "other",
        "C:\\x",
    ],
)
def test_an_entry_that_leads_elsewhere_is_refused(local: Site, target: Path, name: str) -> None:
    backup(local.url, local.data, None, target)
    rewritten(target, lambda entries, manifest: entered(entries, manifest, name, b"x"))
    refused(local, target, "isn't gatekeeper's")


def test_an_entry_that_no_manifest_names_is_refused(local: Site, target: Path) -> None:
    backup(local.url, local.data, None, target)
    rewritten(target, lambda entries, _: entries.update({"keys/more.key": b"x"}))
    refused(local, target, "what its manifest names")


def test_an_entry_that_is_missing_is_refused(local: Site, target: Path) -> None:
    backup(local.url, local.data, None, target)
    rewritten(target, lambda entries, _: entries.pop("database/events.jsonl"))
    refused(local, target, "what its manifest names")


def test_a_changed_entry_is_refused(local: Site, target: Path) -> None:
    backup(local.url, local.data, None, target)
    rewritten(target, lambda entries, _: entries.update({"keys/evidence.key": b"forged"}))
    refused(local, target, "isn't what was stored")


def test_a_picture_under_another_ones_name_is_refused(local: Site, target: Path) -> None:
    backup(local.url, local.data, None, target)
    name = f"pictures/{DIGEST.hexdigest()[:2]}/{DIGEST.hexdigest()}.jpg"
    rewritten(target, lambda entries, manifest: entered(entries, manifest, name, b"another picture"))
    refused(local, target, "isn't what its name says")


def test_damage_anywhere_is_found(local: Site, target: Path) -> None:
    backup(local.url, local.data, None, target)
    whole = target.read_bytes()
    for at in range(0, len(whole), len(whole) // 9):
        damaged = bytearray(whole)
        damaged[at] ^= 0x20
        target.write_bytes(damaged)
        try:
            restore(target, local.url, local.data, None)
        except InvalidArgument:
            continue
        # What isn't content: a time stamp of an entry, say. Then what was restored is what was stored.
        assert (local.data / "keys/evidence.key").read_bytes() == b"secret"
        assert len(local.rows["events"]) == len(EVENTS)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"nothing of the kind" * 100])
def test_something_else_is_refused(local: Site, target: Path, content: bytes) -> None:
    target.write_bytes(content)
    refused(local, target, "backup")


def test_half_a_backup_is_refused(local: Site, target: Path) -> None:
    backup(local.url, local.data, None, target)
    target.write_bytes(target.read_bytes()[:-1000])
    refused(local, target, "damaged")


def test_a_missing_backup_is_told(local: Site, target: Path) -> None:
    refused(local, target, "No such file")


@pytest.mark.parametrize(
    ("line", "says"),
    [(b'["only one"]', "no row"), (b"not json", "no row"), (b'["x","x","x","x"]', "no row")],
)
def test_a_line_that_is_no_row_changes_nothing(local: Site, target: Path, line: bytes, says: str) -> None:
    backup(local.url, local.data, None, target)

    def change(entries: dict[str, bytes], manifest: dict[str, Any]) -> None:
        entered(entries, manifest, "database/events.jsonl", entries["database/events.jsonl"] + line + b"\n")
        entered(entries, manifest, "keys/evidence.key", b"forged")

    rewritten(target, change)
    refused(local, target, says)


# --- other states ----------------------------------------------------------------------------------------------------


def test_a_backup_of_a_newer_gatekeeper_is_refused(local: Site, target: Path) -> None:
    backup(local.url, local.data, None, target)
    rewritten(target, lambda _, manifest: manifest.update(revision="x9"))
    refused(local, target, "newer gatekeeper", ConfigurationError)


def test_a_backup_from_before_a_migration_goes_through_it(
    local: Site, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program of the test is newer than the backup by a step that gives every account's label a new form."""
    backup(local.url, local.data, None, target)
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    step = [
        "from alembic import op",
        'revision = "x1"',
        f'down_revision = "{head()}"',
        "def upgrade():",
        """    op.execute("UPDATE api_keys SET label = 'was ' || label")""",
    ]
    (scripts / "versions" / "x1.py").write_text("\n".join(step))
    restored: list[dict[str, list[Any]]] = []
    other = Site(tmp_path / "other")

    def use(lines: logical.Lines) -> None:
        other.write(lambda c: restored.append(everything(c)) if logical.load(c, lines) else None)

    with zipfile.ZipFile(target) as found:
        logical.upgraded(head(), lambda name: found.read(f"database/{name}.jsonl").splitlines(), use, scripts=scripts)
    before = local.rows
    (key,) = before["api_keys"]
    assert restored[0]["api_keys"] == [(*key[:2], "was " + key[2], *key[3:])]
    assert {**restored[0], "api_keys": []} == {**before, "api_keys": []}


def test_a_damaged_database_is_moved_aside(local: Site, target: Path) -> None:
    backup(local.url, local.data, None, target)
    before = local.rows
    file = local.data / "gatekeeper.sqlite"
    file.write_bytes(b"ruined" * 1000)
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    restore(target, local.url, local.data, None)
    assert without_revision(local.rows) == without_revision(before)
    (moved,) = (local.data / "backups").glob("before-restore-*/gatekeeper.sqlite")
    assert moved.read_bytes().startswith(b"ruined")


def test_a_locked_database_changes_nothing(local: Site, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY", 0.2)
    backup(local.url, local.data, None, target)
    local.file("keys/evidence.key", b"newer")
    before = local.rows
    with connect(local.url) as other:

        def locked(connection: Connection) -> None:
            connection.execute(text("SELECT 1"))
            with pytest.raises((StorageUnavailable, ConfigurationError)):
                restore(target, local.url, local.data, None)

        other.write(locked)
    assert local.rows == before
    assert (local.data / "keys/evidence.key").read_bytes() == b"newer"


def test_a_backup_that_fails_leaves_the_older_one(local: Site, target: Path) -> None:
    target.write_bytes(b"yesterday's")
    (local.data / "gatekeeper.sqlite").write_bytes(b"ruined" * 1000)
    with pytest.raises((StorageUnavailable, ConfigurationError)):
        backup(local.url, local.data, None, target)
    assert target.read_bytes() == b"yesterday's"
    assert list(target.parent.glob(".*partial")) == []


def test_a_backup_into_a_folder_that_is_not_there_is_told(local: Site, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="No such file"):
        backup(local.url, local.data, None, tmp_path / "nowhere" / "backup.zip")
