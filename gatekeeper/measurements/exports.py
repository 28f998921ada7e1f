"""Samples as a file: CSV, JSON or XLSX, of a run, a team, a session or everything; page by page, never whole in memory.

The file has no name and is gone when it is closed. Pages are read in the database's reader threads and written in a
thread of its own; the reactor sees neither. Numbers are written to the last bit, so that whoever computes on them finds
what the server found. The first ten columns are the seed's, with the unit of the average put right: it is millimetres.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from gatekeeper.config_measurements import Measurements as Settings
from gatekeeper.errors import Busy, InvalidArgument, NoSuchSession
from gatekeeper.measurements.course import Thread
from gatekeeper.measurements.intake import Store
from gatekeeper.measurements.statistics import RunStatistics
from gatekeeper.measurements.wire import Stamp
from gatekeeper.storage import measurements as rows
from gatekeeper.storage.measurements import RunRow, SessionRow, StoredSample, Wanted

COLUMNS: Final = (
    "Laptop_ID", "Team_Name", "Category", "Waktu_Detik(MM:SS)", "Avg_Disp_Puncak_mm", "Max_Disp_Puncak_mm",
    "Realtime_Disp_Puncak_mm", "Frequency_Hz", "Started_At", "Stopped_At",
    "Session_ID", "Attempt", "Outcome", "Collapsed_At_s", "Timestamp", "Time_Unix_s", "Elapsed_s", "Disp_A_mm",
    "Disp_B_mm", "A_Detected", "B_Detected",
)  # fmt: skip

AT_ONCE: Final = 2
"""Exports at once: each takes a good part of a processor while it is written."""

SHEET: Final = 1_000_000
"""Rows of a sheet: a workbook's own bound is 1,048,576."""

TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Cells = tuple[Any, ...]


class Writer(Protocol):
    """One format."""

    def write(self, cells: Iterable[Cells]) -> None:
        """Write rows."""
        ...

    def close(self) -> None:
        """Write what is at the end."""
        ...


class Csv:
    """Comma-separated values, with a byte order mark: without one Excel takes UTF-8 for something else."""

    def __init__(self, file: IO[bytes]) -> None:
        file.write(b"\xef\xbb\xbf")
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(COLUMNS)

    def write(self, cells: Iterable[Cells]) -> None:
        self._writer.writerows(cells)

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


class Json:
    """`{"columns": […], "rows": [[…], …]}`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._begun = False
        file.write(b'{"columns":' + msgspec.json.encode(COLUMNS) + b',"rows":[')

    def write(self, cells: Iterable[Cells]) -> None:
        for row in cells:
            self._file.write((b",\n" if self._begun else b"\n") + msgspec.json.encode(row))
            self._begun = True

    def close(self) -> None:
        self._file.write(b"\n]}\n")


class Xlsx:
    """A workbook, row by row (XlsxWriter's constant memory); a new sheet where one is full."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        import xlsxwriter  # noqa: PLC0415 - takes a while, and few exports are workbooks

        options = {
            "constant_memory": True,
            "tmpdir": str(folder),
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        self._book = xlsxwriter.Workbook(file, options)
        self._bold = self._book.add_format({"bold": True})
        self._sheet: Any = None
        self._row = 0
        self._begin()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._sheet.write_row(0, 0, COLUMNS, self._bold)
        self._row = 1

    def write(self, cells: Iterable[Cells]) -> None:
        for row in cells:
            if self._row > SHEET:
                self._begin()
            self._sheet.write_row(self._row, 0, row)
            self._row += 1

    def close(self) -> None:
        self._book.close()


class Exports:
    """Makes the files.

    :param folder: where they are made; made itself if missing.
    :param thread: where they are written.
    """

    def __init__(self, settings: Settings, *, database: Store, thread: Thread, folder: Path) -> None:
        self._settings = settings
        self._database = database
        self._thread = thread
        self._folder = folder
        self._running = 0

    def make(self, wanted: Wanted, form: str) -> "Deferred[BinaryIO]":
        """Return an open file, from whose start it is to be read.

        :raises InvalidArgument: if there is no such format; Busy if enough is being made; through the Deferred,
            NoSuchSession.
        """
        if form not in TYPES:
            raise InvalidArgument(f"format: found {form[:20]}; allowed: {', '.join(TYPES)}")
        if self._running >= AT_ONCE:
            raise Busy(f"{AT_ONCE} exports are being made: try again in a moment")
        self._running += 1
        making = Deferred.fromCoroutine(self._make(wanted, form))

        def done(result: Any) -> Any:
            self._running -= 1
            return result

        return making.addBoth(done)

    async def _make(self, wanted: Wanted, form: str) -> BinaryIO:
        if wanted.session is not None:
            number = wanted.session
            if await self._database.read(lambda connection: rows.get(connection, number)) is None:
                raise NoSuchSession(f"there is no session {number}")
        file, writer = await self._thread.run(partial(self._open, form))
        try:
            known: dict[int, _Session] = {}
            after = 0
            while True:
                page = partial(self._page, wanted=wanted, after=after, known=known)
                cells, after, new = await self._database.read(page)
                known.update(new)
                if cells:
                    await self._thread.run(partial(writer.write, cells))
                if len(cells) < rows.PAGE:
                    break
            await self._thread.run(writer.close)
            await self._thread.run(file.flush)  # its size is asked of the system
        except BaseException:
            file.close()
            raise
        return file

    def _open(self, form: str) -> tuple[BinaryIO, Writer]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file: BinaryIO = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - handed on
        if form == "csv":
            return file, Csv(file)
        return (file, Json(file)) if form == "json" else (file, Xlsx(file, self._folder))

    def _page(
        self, connection: Connection, wanted: Wanted, after: int, known: "Mapping[int, _Session]"
    ) -> "tuple[list[Cells], int, dict[int, _Session]]":
        """Read and lay out one page, in a reader thread."""
        found = rows.page(connection, wanted, after, rows.PAGE)
        missing = {row.session for row in found if row.session is not None} - known.keys()
        new = {number: _session(connection, number, self._settings) for number in missing}
        at, stamp = {**known, **new}, Stamp()
        cells = [self._cells(row, at.get(row.session) if row.session is not None else None, stamp) for row in found]
        return cells, found[-1].id if found else after, new

    def _cells(self, row: StoredSample, session: "_Session | None", stamp: Callable[[float], str]) -> Cells:
        own = (
            stamp(row.time),
            row.time,
            row.elapsed,
            row.a,
            row.b,
            row.a_detected,
            row.b_detected,
        )
        shown = row.b if row.b_detected else None
        if session is None:
            name = self._settings.name_of(row.team, "")
            return (row.team, name, None, None, None, None, shown, None, None, None, None, None, None, None, *own)
        name, average, most, collapsed = session.runs.get(row.team) or (
            self._settings.name_of(row.team, session.category), None, None, None
        )  # fmt: skip
        minutes, seconds = divmod(int(row.elapsed or 0.0), 60)
        return (
            row.team,
            name,
            session.category,
            f"{minutes:02}:{seconds:02}",
            average,
            most,
            shown,
            session.frequency,
            session.started,
            session.stopped,
            row.session,
            session.attempt,
            session.outcome,
            collapsed,
            *own,
        )


class _Session:
    """What stands in every row of a session."""

    def __init__(self, row: SessionRow, runs: Sequence[RunRow], settings: Settings) -> None:
        stamp = Stamp()
        self.category, self.frequency = row.category, row.frequency
        self.attempt, self.outcome = row.attempt, row.outcome
        self.started = stamp(row.started)
        self.stopped = stamp(row.stopped) if row.stopped is not None else None
        self.runs: dict[int, tuple[str, float | None, float | None, float | None]] = {}
        for run in runs:
            figures = msgspec.json.decode(run.statistics, type=RunStatistics) if run.statistics is not None else None
            self.runs[run.team] = (
                settings.name_of(run.team, row.category),
                figures.b.mean_absolute if figures is not None else None,
                figures.b.maximum if figures is not None else None,
                run.collapsed,
            )


def _session(connection: Connection, number: int, settings: Settings) -> _Session:
    row = rows.get(connection, number)
    if row is None:  # retention took it between two pages
        row = SessionRow(number, 0.0, "", 0.0, None, 0.0, 0, "gone", None)
    return _Session(row, rows.runs_of(connection, [number]), settings)
