"""Processes for the integration tests: twistd and virtual devices on loopback, with every wait bounded."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

BIN = Path(sys.executable).parent
TOKEN = "integration-tests-token"
PATIENCE = 20.0
"""Seconds that anything may take on a slow machine before a test fails; no test waits that long when all is well."""


T = TypeVar("T")


def wait_for(look: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """Return the first value that isn't None or False."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        found = look()
        if found is not None and found is not False:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience:g} s for {what}")


class Process:
    """A process whose output is read line by line while it runs."""

    def __init__(self, arguments: Sequence[str], folder: Path, env: dict[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._news: queue.Queue[str] = queue.Queue()
        self._popen = subprocess.Popen(
            arguments,
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self.lines.append(line.rstrip("\n"))
            self._news.put(line.rstrip("\n"))

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def expect(self, pattern: str, since: int = 0) -> re.Match[str]:
        """Return the first match in a line from number `since` on, waiting for it."""

        def look() -> re.Match[str] | None:
            return next((found for line in self.lines[since:] if (found := re.search(pattern, line))), None)

        try:
            return wait_for(look, f"{pattern!r} in the output")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.output[-4000:]}") from None

    def say(self, line: str) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """Return the exit code once it ended."""
        code = self._popen.wait(patience)
        self._reader.join(patience)
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
        return code

    def end(self) -> None:
        """End it, whatever it does."""
        if self._popen.poll() is None:
            self._popen.kill()
        self.wait()


class Device(Process):
    """A virtual device; `ask` gives it a command."""

    def __init__(self, kind: str, folder: Path, *options: str) -> None:
        super().__init__([sys.executable, "-m", "gatekeeper.simulators", kind, *options], folder)
        self.port = int(self.expect(r"^port (\d+)")[1])

    def ask(self, command: str) -> Any:
        while not self._news.empty():
            self._news.get_nowait()
        self.say(command)
        answer = self._news.get(timeout=PATIENCE)
        assert answer.startswith("ok"), answer
        return json.loads(answer[3:]) if len(answer) > 3 else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/stream"


class Lock(Device):
    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__("lock", folder, *options)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def relay(self) -> bool:
        return bool(self.ask("status")["relay"])

    @property
    def commands(self) -> list[str]:
        return list(self.ask("status")["commands"])


class Server(Process):
    """`twistd -n gatekeeper` with a configuration, started and serving."""

    def __init__(self, folder: Path, toml: str, *, ready: bool = True) -> None:
        (folder / "site.toml").write_text(toml, encoding="utf-8")
        super().__init__(
            [str(BIN / "twistd"), "-n", "--pidfile=", "gatekeeper", "--config", "site.toml"],
            folder,
            {"GATEKEEPER_TEST_TOKEN": TOKEN},
        )
        self.port = 0
        if ready:
            self.serving()

    def serving(self, since: int = 0) -> "Server":
        """Wait until it listens."""
        self.port = int(self.expect(r"open http://127\.0\.0\.1:(\d+)/login", since)[1])
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, token: str | None = TOKEN) -> tuple[int, Any]:
        """Return status and decoded body of an HTTP request."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, _decoded(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _decoded(error)

    def door(self, door: str = "front") -> dict[str, Any]:
        status, body = self.ask("GET", f"/doors/{door}")
        assert status == 200, body
        return dict(body)

    def camera(self, camera: str) -> dict[str, Any]:
        status, body = self.ask("GET", f"/cameras/{camera}")
        assert status == 200, body
        return dict(body)

    def until_door(self, state: str, connected: bool | None = None) -> dict[str, Any]:
        """Wait for a state of the door `front`."""

        def look() -> dict[str, Any] | None:
            door = self.door()
            right = door["state"] == state and connected in (None, door["connected"])
            return door if right else None

        return wait_for(look, f"the door to be {state}")

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Stop it by a signal; return the seconds that it took. Its log must not show a traceback."""
        begin = time.monotonic()
        self.signal(number)
        code = self.wait()
        took = time.monotonic() - begin
        assert code in (0, -number), self.output[-3000:]  # Twisted ends by the signal that it was sent
        assert "Traceback" not in self.output, self.output[-6000:]
        return took


def _decoded(answer: Any) -> Any:
    raw = answer.read()
    return json.loads(raw) if answer.headers.get_content_type() == "application/json" else raw


def site(lock: Lock | None = None, *cameras: Device, more: str = "") -> str:
    """Return a configuration for these devices."""
    lines = ['listen = "tcp:0:interface=127.0.0.1"', more, "[access]", 'admin_token = {env = "GATEKEEPER_TEST_TOKEN"}']
    for number, camera in enumerate(cameras, 1):
        lines += ["[[cameras]]", f'id = "camera{number}"', f'url = "{camera.url}"', "retry_maximum = 1.0"]
        lines += ['doors = ["front"]'] if lock is not None else []
    if lock is not None:
        lines += ["[[doors]]", 'id = "front"', f'url = "{lock.url}"', "retry_maximum = 1.0"]
    return "\n".join(lines) + "\n"
