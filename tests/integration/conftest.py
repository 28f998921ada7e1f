from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.processes import Device, Lock, Process, Server


class Started:
    """Starts processes for one test and ends them after it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: list[Process] = []

    def keep(self, process: Process) -> None:
        self._all.append(process)

    def lock(self, *options: str) -> Lock:
        lock = Lock(self.folder, *options)
        self.keep(lock)
        return lock

    def camera(self, *options: str) -> Device:
        camera = Device("camera", self.folder, *options)
        self.keep(camera)
        return camera

    def push(self, *options: str) -> Device:
        """Start a camera that dials; its first line names the port that it dials."""
        camera = Device("push", self.folder, *options)
        self.keep(camera)
        return camera

    def server(self, toml: str, *, ready: bool = True) -> Server:
        server = Server(self.folder, toml, ready=ready)
        self.keep(server)
        return server

    def process(self, *arguments: str, env: dict[str, str] | None = None) -> Process:
        process = Process(arguments, self.folder, env)
        self.keep(process)
        return process

    def end(self) -> None:
        for process in reversed(self._all):
            process.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Started]:
    started = Started(tmp_path)
    try:
        yield started
    finally:
        started.end()
