"""A real RTSP server for tests: GStreamer's, as a process (`make rtsp` installs it).

Where there is none the tests that need it are skipped; under CI (`CI=true`) they fail instead.
"""

import functools
import os
import signal
import subprocess
from pathlib import Path
from typing import Final

import pytest

PYTHON: Final = "/usr/bin/python3"  # Debian's: its bindings belong to the system, not to the tests' environment
SCRIPT: Final = str(Path(__file__).with_name("rtsp_server.py"))
END: Final = 10.0  # seconds for the process to end


@functools.cache
def found() -> bool:
    """Return whether the server can be run here."""
    try:
        return subprocess.run([PYTHON, SCRIPT, "--check"], capture_output=True, timeout=30, check=False).returncode == 0
    except OSError:
        return False


class RtspServer:
    """A server on a free port of the loopback, with `/h264` and `/h265`.

    :param password: that `admin` must give; None asks for none.
    """

    def __init__(self, password: str | None = None) -> None:
        if not found():
            reason = "no RTSP server here: `make rtsp` installs GStreamer's"
            if os.environ.get("CI", "") not in ("", "0", "false"):
                pytest.fail(reason)
            pytest.skip(reason)
        words = [PYTHON, SCRIPT, *([password] if password is not None else [])]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline().split()[1])

    def url(self, name: str = "h264") -> str:
        """Return the address of a stream."""
        return f"rtsp://127.0.0.1:{self.port}/{name}"

    def freeze(self) -> None:
        """Stop answering, with every connection open."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End the process; twice is fine."""
        self._process.kill()
        self._process.wait(END)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
