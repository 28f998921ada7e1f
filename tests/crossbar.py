"""A real Crossbar.io 26.10 as a process: from `.crossbar/`, an environment of its own that `make crossbar` installs."""

import json
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from os import kill
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

import pytest

from tests.integration.processes import Process

PROGRAM = Path(__file__).parent.parent / ".crossbar/bin/crossbar"
MISSING = "no Crossbar.io in .crossbar/: `make crossbar` installs it"
ATTEMPTS = 3  # a port that the kernel chose is free at that moment only, and Crossbar takes no port 0
STOP_TIMEOUT = 10.0  # seconds for controller and worker to end by themselves

needs_crossbar = pytest.mark.skipif(not PROGRAM.exists(), reason=MISSING)

_STARTED_OR_NOT = r"\[Router +(\d+)\] Router .* listening on TCP port|[Aa]lready in use|could not start|shutting down"
_EVERYTHING = {"call": True, "register": True, "publish": True, "subscribe": True}


def node(port: int, realm: str, tickets: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration of a node: one realm on one WebSocket port.

    :param tickets: authid → ticket of those who have one; beside them everybody comes in as "anonymous".
    """
    rule = {
        "uri": "",
        "match": "prefix",
        "allow": _EVERYTHING,
        "disclose": {"caller": True, "publisher": True},
        "cache": True,
    }
    principals = {authid: {"ticket": ticket, "role": "member"} for authid, ticket in tickets.items()}
    auth: dict[str, Any] = {"anonymous": {"type": "static", "role": "anonymous"}}
    if principals:
        auth["ticket"] = {"type": "static", "principals": principals}
    transport = {
        "type": "websocket",
        "id": "websocket",
        "endpoint": {"type": "tcp", "port": port, "interface": "127.0.0.1", "backlog": 1024},
        "serializers": ["json", "msgpack", "cbor"],
        "auth": auth,
    }
    roles = [{"name": name, "permissions": [rule]} for name in ("anonymous", "member")]
    worker = {
        "type": "router",
        "id": "router",
        "realms": [{"name": realm, "roles": roles}],
        "transports": [transport],
    }
    return {"version": 2, "workers": [worker]}


class Crossbar(Process):
    """A node that listens.

    :ivar port: where.
    :ivar router_pid: the worker that routes; `pid` is its controller's.
    """

    def __init__(
        self, folder: Path, realm: str = "gatekeeper", tickets: Mapping[str, str] | None = None, port: int = 0
    ) -> None:
        for attempt in range(ATTEMPTS):
            place = folder / f"crossbar-{port}-{attempt}"
            place.mkdir(parents=True, exist_ok=True)
            self.port = port or _free_port()
            (place / "config.json").write_text(json.dumps(node(self.port, realm, tickets or {})), encoding="utf-8")
            super().__init__([str(PROGRAM), "start", "--cbdir", ".", "--color", "false"], place)
            started = self.expect(_STARTED_OR_NOT)
            if started[1]:
                self.router_pid = int(started[1])
                return
            self.end()
        raise AssertionError(f"Crossbar didn't start:\n{self.output[-4000:]}")

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def end(self) -> None:
        """End it and its worker."""
        with suppress(ProcessLookupError):
            self.signal(signal.SIGTERM)
        try:
            self.wait(STOP_TIMEOUT)
        except TimeoutExpired:
            with suppress(ProcessLookupError, AttributeError):
                kill(self.router_pid, signal.SIGKILL)
            super().end()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
