"""The devices' core as a shared library, built once for all who test with it."""

import ctypes
import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

Stopped = Callable[[Any], Any]
FIRMWARE = Path(__file__).parents[2] / "firmware"


@pytest.fixture(scope="session")
def core() -> ctypes.CDLL:
    """The core behind its C interface (`firmware/host/`)."""
    if shutil.which("cmake") is None or shutil.which("ninja") is None:
        reason = "no cmake or no ninja: firmware/README.md names what the devices' code is built with"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    build = FIRMWARE / "build"
    build.mkdir(exist_ok=True)
    with (build / ".lock").open("w") as lock:  # test files run beside one another
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["cmake", "--preset", "host"], ["cmake", "--build", "--preset", "host", "--target", "gk_host"]):
            done = subprocess.run(command, cwd=FIRMWARE, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    return ctypes.CDLL(str(build / "host" / "libgk_host.so"))


@pytest.fixture
def stopped() -> Iterator[Stopped]:
    """Give back what it gets, and stop it when the test is over."""
    kept: list[Any] = []

    def keep(thing: Any) -> Any:
        kept.append(thing)
        return thing

    yield keep
    for thing in kept:
        pytest_twisted.blockon(thing.stop())
