"""A real PostgreSQL server for tests: a cluster of its own in a temporary folder, on a free port of the loopback.

Debian's server programs are used (`make postgresql` installs them). Where there are none the tests that need one are
skipped; under CI (`CI=true`) they fail instead. The server runs as this user, or as `postgres` where we are root, which
it refuses; it ends with this process, by its own pid.
"""

import atexit
import functools
import getpass
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

START = 30.0  # seconds for a server to take connections; one needs 0.3, or a few on a loaded machine
STOP = 20.0  # seconds for its last checkpoint
PLACES = ("/usr/lib/postgresql", "/usr/local/opt/postgresql", "/opt/homebrew/opt/postgresql")

# Nothing that a test stores is to outlive it: no syncs, and little memory.
QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB")


def programs() -> Path | None:
    """Return the folder of initdb and postgres, the newest there is, or None."""
    found = [folder for place in PLACES for folder in Path(place).glob("*/bin") if (folder / "initdb").exists()]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name) if folder.parent.name.isdigit() else 0.0)
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def required() -> Path:
    """Return the folder of the programs; skip the test without them, or fail it under CI."""
    found = programs()
    if found is None:
        reason = "no PostgreSQL server here: `make postgresql` installs Debian's"
        if os.environ.get("CI", "") not in ("", "0", "false"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Server:
    """A cluster and its server.

    :param settings: for `postgres -c`.
    :ivar port: stays the same over restarts.
    """

    def __init__(self, *settings: str) -> None:
        self._programs = required()
        self._settings = settings
        self._user = "postgres" if os.getuid() == 0 else getpass.getuser()
        self.folder = Path(tempfile.mkdtemp(prefix="gatekeeper-postgresql-"))
        if os.getuid() == 0:
            account = pwd.getpwnam(self._user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", str(self.folder / "cluster"), "-U", "gatekeeper", "-A", "trust", "-E", "UTF8", "-N")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def _command(self, program: str, arguments: Sequence[str], *, tied: bool) -> list[str]:
        """Return a command line that drops root's rights; `tied` ends the program when this process dies, however."""
        setpriv = shutil.which("setpriv")
        before = []
        if setpriv and (tied or os.getuid() == 0):
            before = [setpriv]
            if os.getuid() == 0:
                before += [f"--reuid={self._user}", f"--regid={self._user}", "--init-groups"]
            before += ["--pdeathsig", "INT"] if tied else []
        elif os.getuid() == 0:
            before = ["su", self._user, "-s", "/bin/sh", "-c", 'exec "$0" "$@"', "--"]
        return [*before, str(self._programs / program), *arguments]

    def _run(self, program: str, *arguments: str) -> None:
        command = self._command(program, arguments, tied=False)
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False)
        if done.returncode:
            pytest.fail(f"{program} failed: {done.stderr}")

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=60", *self._settings]
        arguments = ["-D", str(self.folder / "cluster"), "-p", str(self.port)]
        for option in options:
            arguments += ["-c", option]
        with open(self.folder / "log", "ab") as output:
            self._process = subprocess.Popen(
                self._command("postgres", arguments, tied=True),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
            )
        until = time.monotonic() + START
        while True:
            try:
                psycopg.connect(self.url("postgres", driver=""), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    log = (self.folder / "log").read_text(errors="replace")
                    self.stop()
                    pytest.fail(f"PostgreSQL didn't start: {log[-2000:]}")
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cuts the connections and writes a checkpoint; SIGQUIT is as if it had crashed."""
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(STOP)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End it and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, driver: str = "+psycopg") -> str:
        """Return the URL of a database."""
        return f"postgresql{driver}://gatekeeper@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as the cluster's owner."""
        with psycopg.connect(self.url(database, driver=""), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database; yield its URL; drop it."""
        name = f"site{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


_numbers = itertools.count(1)


@functools.cache
def shared() -> Server:
    """Return the server that this process's tests share; started at the first use, ended with the process."""
    server = Server(*QUICK)
    atexit.register(server.remove)
    server.start()
    return server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database; a test that asks for it runs once for each kind. Import it where it is used."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/gatekeeper.sqlite"
    else:
        with shared().database() as url:
            yield url
