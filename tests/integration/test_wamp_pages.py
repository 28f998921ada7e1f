"""docs/wamp.md does what it says, and docs/wamp-conformance.md is what the suite says."""

import re
import socket
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from time import time

import pytest

from tests.bench.wamp_client import WebSocket
from tests.integration.conftest import Started
from tests.integration.processes import wait_for

ROOT = Path(__file__).parent.parent.parent
LINES = 15  # what embedding may take: the promise


def program() -> str:
    """Return the page's program."""
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs/wamp.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_program_is_short() -> None:
    lines = [line for line in program().splitlines() if line and not line.startswith("#")]
    assert len(lines) <= LINES


@pytest.mark.process
def test_the_program_runs_as_printed(start: Started, tmp_path: Path) -> None:
    (tmp_path / "router.py").write_text(program(), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start.process(sys.executable, "router.py", str(port), env={"PYTHONPATH": str(ROOT)})

    def dial() -> WebSocket | None:
        with suppress(ConnectionRefusedError):
            return WebSocket(port, "/", "wamp.2.json")
        return None

    with closing(wait_for(dial, "the router")) as client:
        client.send('[1, "realm1", {"roles": {"caller": {}}}]')
        assert client.receive().startswith("[2,")
        client.send('[48, 1, {}, "com.example.time"]')
        result = re.fullmatch(r"\[50, ?1, ?\{\}, ?\[([0-9.]+)\]\]", client.receive())
        assert result is not None
        assert abs(float(result[1]) - time()) < 60


def test_the_conformance_page_is_fresh() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.conformance"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    page = (ROOT / "docs/wamp-conformance.md").read_text(encoding="utf-8")
    assert page == ended.stdout, "`make docs` writes it again"
