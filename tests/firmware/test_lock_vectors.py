"""The lock's shared vectors, run through the core in C++ and its twin in Python; the diagram is the table's."""

import ctypes
import json
from typing import Any

import pytest

from tests.firmware.conftest import FIRMWARE
from tests.firmware.door_diagram import diagram
from tests.firmware.lock_twins import CoreTwin, PythonTwin, Twin
from tests.firmware.own_lock import WRAP

CASES = [
    pytest.param(case, id=f"{name}: {case['name']}")
    for name in ("door_lock", "signed")
    for case in json.loads((FIRMWARE / "vectors" / f"{name}.json").read_text())["cases"]
]
STARTS = (0, WRAP - 1, WRAP - 5_000, WRAP // 2)


def holds(twin: Twin, case: dict[str, Any], start: int) -> None:
    for at, event, does in case["steps"]:
        assert (at, event, twin.event(event, start + at)) == (at, event, does)


def key(case: dict[str, Any]) -> bytes | None:
    return bytes.fromhex(case["key"]) if "key" in case else None


@pytest.mark.parametrize("case", CASES)
def test_the_core_does_what_is_written(core: ctypes.CDLL, case: dict[str, Any]) -> None:
    for start in STARTS:
        holds(CoreTwin(core, key(case), case.get("max_open", 60_000)), case, start)


@pytest.mark.parametrize("case", CASES)
def test_its_twin_in_python_does_the_same(case: dict[str, Any]) -> None:
    for start in STARTS:
        holds(PythonTwin(key(case), case.get("max_open", 60_000)), case, start)


def test_the_diagram_is_that_of_the_table(core: ctypes.CDLL) -> None:
    page = (FIRMWARE / "docs" / "door-lock.md").read_text()
    assert diagram(core) in page, "make it anew: python -m tests.firmware.door_diagram"
