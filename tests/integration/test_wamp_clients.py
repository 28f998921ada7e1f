"""Other people's WAMP clients, as they come from the registries, drive our router in a process of its own.

Each client runs its scenarios (tests/clients) once per serialization and says of each whether it passed. A scenario of
a feature that the router doesn't announce is skipped by name, and runs as soon as it does.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.bench.processes import Process, module

CLIENTS = Path(__file__).parent.parent / "clients"
ROOT = CLIENTS.parent.parent
PATIENCE = 120.0  # seconds for all scenarios of a client: each has a deadline of its own

PYTHON = [sys.executable, "-m", "tests.clients.autobahn_python"]
COMMANDS: dict[str, tuple[list[str], str]] = {
    "autobahn-js": (["node", str(CLIENTS / "autobahn.cjs")], "autobahn.cjs"),
    "wampy": (["node", str(CLIENTS / "wampy.cjs")], "wampy.cjs"),
    "autobahn-python-twisted": ([*PYTHON, "twisted"], "autobahn_python.py"),
    "autobahn-python-asyncio": ([*PYTHON, "asyncio"], "autobahn_python.py"),
}
SERIALIZERS = ("json", "msgpack", "cbor")

pytestmark = pytest.mark.process


def scenarios(file: str) -> list[str]:
    """Return the names of a client's scenarios; where one is made for several values, its beginning."""
    source = (CLIENTS / file).read_text(encoding="utf-8")
    names = re.findall(r"^ *@?scenario\(\s*f?[\"`]([^\"`]+)[\"`]", source, re.MULTILINE)
    return [re.split(r"\$?\{|\(", name)[0].strip() for name in names]


@pytest.fixture(scope="module")
def router() -> Iterator[Process]:
    with module("tests.wamp_router") as process:
        yield process


@pytest.fixture(scope="module")
def results(router: Process) -> Any:
    """Return what runs a client once, and gives its results by scenario."""

    @cache
    def run(client: str, serializer: str) -> list[dict[str, str]]:
        command, file = COMMANDS[client]
        if file.endswith(".cjs") and not (CLIENTS / "node_modules").exists():
            pytest.skip("the clients for Node.js aren't installed: `make clients` does it")
        ended = subprocess.run(
            [*command, f"ws://127.0.0.1:{router.port}/ws", serializer],
            cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr[-3000:]
        return [json.loads(line) for line in ended.stdout.splitlines()]

    return run


@pytest.mark.parametrize("serializer", SERIALIZERS)
@pytest.mark.parametrize(
    ("client", "scenario"), [(client, name) for client, (_, file) in COMMANDS.items() for name in scenarios(file)]
)
def test_stock_client(client: str, scenario: str, serializer: str, results: Any) -> None:
    found = [result for result in results(client, serializer) if result["name"].startswith(scenario)]
    assert found, f"{client} didn't run it"
    failures = [result["why"] for result in found if result["result"] == "failed"]
    assert not failures, failures[0]
    if all(result["result"] == "not announced" for result in found):
        pytest.skip(f"our router doesn't announce {found[0]['why']}")
