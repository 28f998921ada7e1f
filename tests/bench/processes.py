"""The processes of a bench: started on free ports of the loopback, measured from outside, ended with their `with`."""

import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
START_TIMEOUT = 20.0  # seconds; an interpreter on a loaded machine needs 3
END_TIMEOUT = 5.0  # seconds from SIGTERM to SIGKILL


def compiled(name: str) -> str:
    """Compile `c/<name>.c` if anything beside it is newer than what is built; return the program's path."""
    source, target = HERE / "c" / f"{name}.c", HERE / "build" / name
    newest = max(file.stat().st_mtime for file in source.parent.iterdir())
    if not target.exists() or target.stat().st_mtime < newest:
        target.parent.mkdir(exist_ok=True)
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", str(target), str(source)], check=True)
    return str(target)


def read_line(stream: IO[str], timeout: float) -> str:
    """Return the next line of a process.

    :raises TimeoutError: after `timeout` seconds, or if the process ended.
    """
    if select.select([stream], [], [], timeout)[0]:
        line = stream.readline()
        if line:
            return line
    raise TimeoutError("the process said nothing")


class Process:
    """A process that prints its port first; ended when left."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        self._stdout = self._process.stdout
        self._stdin = self._process.stdin
        self._first: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stdin.close()
        self._stdout.close()

    @property
    def first_line(self) -> str:
        """What it printed first."""
        if self._first is None:
            self._first = read_line(self._stdout, START_TIMEOUT).strip()
        return self._first

    def next_line(self) -> str:
        """Return the next line of its output."""
        return read_line(self._stdout, START_TIMEOUT)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.first_line)

    @property
    def cpu(self) -> float:
        """Seconds of CPU so far, over all threads."""
        tasks = Path(f"/proc/{self._process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    @property
    def memory(self) -> int:
        """Resident bytes of its own: the proportional set, which counts its memory files' mapped pages only."""
        for line in Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise OSError("no Pss")

    @property
    def descriptors(self) -> int:
        """How many are open."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))


def module(name: str, *arguments: str) -> Process:
    """Start a module of this checkout with this interpreter."""
    return Process([sys.executable, "-m", name, *arguments])


class Camera(Process):
    """A camera at `fps` with pictures of `size` bytes."""

    def __init__(self, fps: float, size: int) -> None:
        super().__init__([sys.executable, "-m", "tests.bench.camera", str(fps), str(size)])


@dataclass(frozen=True, slots=True)
class Report:
    """What all viewers got in a while: pictures in sum, the least of one viewer, and ages in ms (negative: unknown)."""

    pictures: int
    least: int
    p50: float
    p99: float
    maximum: float


class Viewers(Process):
    """Many viewers; with `stall` they read nothing after the headers."""

    def __init__(self, port: int, count: int, path: str = "/stream", stall: bool = False) -> None:
        super().__init__([compiled("viewers"), str(port), path, str(count), str(int(stall))])
        assert self.first_line == "ready"

    def report_after(self, seconds: float) -> Report:
        """Let them watch for a while; return what they got since the last report."""
        time.sleep(seconds)
        print(file=self._stdin, flush=True)
        pictures, least, p50, p99, maximum = map(int, read_line(self._stdout, START_TIMEOUT).split())
        return Report(pictures, least, p50 / 1e6, p99 / 1e6, maximum / 1e6)
