"""`gatekeeper backup`, `restore` and `retention`: what is kept."""

import argparse
import time
from pathlib import Path

from gatekeeper import config
from gatekeeper.commands.site import Opened, file_of, fresh, here, of, opened
from gatekeeper.errors import Conflict, InvalidArgument
from gatekeeper.storage import archive
from gatekeeper.storage.backup import CONFIGURATION, backup
from gatekeeper.storage.restore import Restored, restore

BACKUP = """\
Write configuration, database, keys and certificates into one file, from one moment, while the site may run. Whoever has
the file has the keys: keep it where nobody else reads it. Secrets that the configuration names in variables or in other
files are not part of it.
"""

RESTORE = """\
Bring the site back to what a backup holds, on this machine or on a new one. The whole backup is checked first, and what
it replaces is kept as another backup in backups/ of the data folder. The site may run; it has to be restarted for other
keys, certificates or configuration. Everybody is logged out. API keys that were revoked since the backup work again.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `backup`, `restore`."""
    it = commands.add_parser("backup", help="write the whole site into one file", description=BACKUP)
    it.add_argument("file", metavar="FILE", help="where to; there must be none of this name yet")
    it.add_argument("--pictures", action="store_true", help="with the pictures of the record, which may be large")
    it.set_defaults(run=backup_)
    it = commands.add_parser("restore", help="bring the site back to a backup", description=RESTORE)
    it.add_argument("file", metavar="FILE", help="a backup")
    it.add_argument("--keep-configuration", action="store_true", help="leave the configuration file as it is, or isn't")
    it.set_defaults(run=restore_)


def backup_(arguments: argparse.Namespace) -> None:
    """Write the backup; the record says so."""
    site, target = opened(arguments), fresh(arguments.file)
    with site.database() as database:
        written = backup(site.url, site.data, site.file, target, pictures=arguments.pictures)
        site.journal(database).record(
            "system.backed_up",
            f"backed up to {target.name}",
            caller=here(),
            details={"file": str(target.absolute()), "bytes": written.size, "pictures": written.pictures},
        )
    print(f"{target}: {written.size:,} bytes{f', {written.pictures} pictures' if arguments.pictures else ''}")  # noqa: T201
    if written.missing:
        print(f"{written.missing} pictures are missing: their files are gone")  # noqa: T201


def restore_(arguments: argparse.Namespace) -> None:
    """Restore; the record, as it is then, says so."""
    source = Path(arguments.file)
    site = _place(arguments, source)
    done = restore(source, site.url, site.data, None if arguments.keep_configuration else file_of(arguments))
    with site.database() as database:
        site.journal(database).record(
            "system.restored",
            f"restored from {source.name}, made {_date(done.time)}",
            caller=here(),
            outcome="alarm",  # what was recorded since the backup is gone from here, and whoever looks should know
            details={"file": str(source.absolute()), "made": done.time, "before": done.aside},
        )
    for line in _told(source, site, done):
        print(line)  # noqa: T201


def _told(source: Path, site: Opened, done: Restored) -> list[str]:
    told = [
        f"restored {source}, made {_date(done.time)}: {sum(done.rows.values()):,} rows, {done.pictures} pictures",
        f"what was there before: {done.aside}",
    ]
    if done.restart:
        told.append(f"replaced as well: {', '.join(done.restart)}; restart the site if it is running")
    told.append("everybody has to log in again; look through the API keys: gatekeeper key list")
    return told


def _place(arguments: argparse.Namespace, source: Path) -> Opened:
    """Return the site to restore to: that of this machine, or on a new one that which the backup's configuration says.

    :raises Conflict: if the two would keep their data in different places.
    """
    file = file_of(arguments)
    backed_up = _configuration(source)
    if arguments.keep_configuration or backed_up is None:
        return opened(arguments)
    then = of(arguments, file, config.parse(backed_up, f"{source}: {CONFIGURATION}"))
    if not file.exists():
        return then
    now = opened(arguments)
    if (then.data.resolve(), then.settings.storage.url) != (now.data.resolve(), now.settings.storage.url):
        raise Conflict(
            f"the backup's configuration keeps its data elsewhere than {file}; restore with --keep-configuration, or "
            f"move {file} away"
        )
    return now


def _configuration(source: Path) -> str | None:
    """Return the configuration in a backup, or None if it has none.

    :raises InvalidArgument: if that is no backup.
    """
    try:
        with open(source, "rb") as file:
            reader = archive.Reader(file)
            if CONFIGURATION not in reader.names():
                return None
            return b"".join(reader.pieces(CONFIGURATION)).decode("utf-8-sig")
    except OSError as error:
        raise InvalidArgument(f"{source}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{source}: its {CONFIGURATION} is not UTF-8") from error


def _date(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
