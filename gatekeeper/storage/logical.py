"""All rows of all tables as JSON lines, out of one snapshot and into one transaction; the same for both databases.

So a site's backup made from SQLite is restored into PostgreSQL, and the other way round.
"""

import base64
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import JSON, Connection, LargeBinary, MetaData, Table, select

from gatekeeper.errors import ConfigurationError, InvalidArgument
from gatekeeper.storage import rows
from gatekeeper.storage.backend import Ruined
from gatekeeper.storage.migrate import MIGRATIONS, head, migrate, refuse_newer
from gatekeeper.storage.sqlite import SQLite
from gatekeeper.storage.tables import metadata

ROWS = 1000  # per statement and per piece

Lines = Callable[[str], Iterable[bytes]]
Convert = list[Callable[[Any], Any] | None]


def dump(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield a table: its columns' names, then its rows, each a line; some at once."""
    yield msgspec.json.encode([str(column.name) for column in table.columns]) + b"\n"
    statement = select(table).order_by(*table.primary_key.columns)
    result = connection.execution_options(yield_per=ROWS).execute(statement)
    for part in result.partitions():
        yield b"".join(msgspec.json.encode(tuple(row)) + b"\n" for row in part)


def load(connection: Connection, lines: Lines) -> dict[str, int]:
    """Replace all rows of all tables; return how many each has now.

    :param lines: gives a table's lines by its name; none for one that the backup doesn't have.
    """
    for table in reversed(metadata.sorted_tables):
        connection.execute(table.delete())
    return {table.name: _load(connection, table, lines(table.name)) for table in metadata.sorted_tables}


def _load(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    source = iter(lines)
    header = next(source, None)
    if header is None:
        return 0
    names = _names(header, table)
    convert: Convert = [_from_text if isinstance(table.columns[name].type, LargeBinary) else None for name in names]
    plain = not any(isinstance(table.columns[name].type, JSON) for name in names)
    count = 0
    while part := [_row(line, convert, table) for line in islice(source, ROWS)]:
        if plain:
            rows.insert(connection, table, names, part)
        else:
            connection.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in part])
        count += len(part)
    return count


def _names(header: bytes, table: Table) -> list[str]:
    try:
        names = msgspec.json.decode(header, type=list[str])
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"the backup's table {table.name} begins with no list of columns") from error
    unknown = set(names) - set(table.columns.keys())
    if unknown or len(set(names)) < len(names):
        raise InvalidArgument(f"the backup's table {table.name} has other columns than this gatekeeper's")
    return names


def _row(line: bytes, convert: Convert, table: Table) -> list[Any]:
    try:
        values = msgspec.json.decode(line, type=list[Any])
        return [
            value if change is None or value is None else change(value)
            for value, change in zip(values, convert, strict=True)
        ]
    except (ValueError, TypeError, msgspec.MsgspecError) as error:
        raise InvalidArgument(f"the backup's table {table.name} holds a line that is no row") from error


def _from_text(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


# --- a backup from before a migration --------------------------------------------------------------------------------


def upgraded(revision: str, lines: Lines, use: Callable[[Lines], None], *, scripts: Path = MIGRATIONS) -> None:
    """Call `use` with rows of this program's revision, made from those of an older one by the migrations themselves.

    :raises ConfigurationError: if this program doesn't know the revision.
    """
    if revision == head(scripts):
        use(lines)
        return
    try:
        refuse_newer(revision, "the backup", scripts)
    except Ruined as error:
        raise ConfigurationError(str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        backend = SQLite(Path(folder) / "older.sqlite")
        backend.create()
        engine = backend.writer(references=False)
        try:
            with engine.begin() as connection:
                migrate(connection, "the backup", lambda _: None, to=revision, scripts=scripts)
                older = MetaData()
                older.reflect(connection)
                for table in older.sorted_tables:
                    if table.name != "alembic_version":
                        _load_older(connection, table, lines(table.name))
                migrate(connection, "the backup", lambda _: None, scripts=scripts)
            with engine.begin() as connection:
                use(lambda name: _split(dump(connection, metadata.tables[name])))
        finally:
            engine.dispose()


def _load_older(connection: Connection, table: Table, lines: Iterable[bytes]) -> None:
    """Put rows into a table as it was; the driver's own values, since only the types of today are known."""
    source = iter(lines)
    connection.execute(table.delete())  # what the migrations themselves put in
    header = next(source, None)
    if header is None:
        return
    names = _names(header, table)
    changes: dict[type, Callable[[Any], Any]] = {
        LargeBinary: _from_text,
        JSON: lambda value: msgspec.json.encode(value).decode(),
    }
    convert = [
        next((change for kind, change in changes.items() if isinstance(table.columns[name].type, kind)), None)
        for name in names
    ]
    columns, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    statement = f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})'  # noqa: S608 - of a reflected table
    while part := [tuple(_row(line, convert, table)) for line in islice(source, ROWS)]:
        connection.exec_driver_sql(statement, part)


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from piece.splitlines()
