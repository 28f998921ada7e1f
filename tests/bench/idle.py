"""The demo site at rest: seconds to its address, resident memory and CPU.

python -m tests.bench.idle [--seconds 10] [--rounds 3]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.processes import Process


class Demo(Process):
    """`twistd -n gatekeeper` without a configuration."""

    def __init__(self, folder: str) -> None:
        self.began = time.monotonic()
        twistd = str(Path(sys.executable).parent / "twistd")
        super().__init__(
            [twistd, "-n", "--pidfile=", "gatekeeper", "--demo", "-l", "tcp:0:interface=127.0.0.1", "-d", folder]
        )
        while "/login?code=" not in self.next_line():
            pass
        self.took = time.monotonic() - self.began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    for _ in range(wanted.rounds):
        with tempfile.TemporaryDirectory() as folder, Demo(folder) as demo:
            time.sleep(2.0)  # the devices are connected, the first pictures rendered
            cpu, began = demo.cpu, time.monotonic()
            time.sleep(wanted.seconds)
            share = (demo.cpu - cpu) / (time.monotonic() - began)
            print(
                f"address after {demo.took:.2f} s; at rest, both virtual cameras at 12.5 fps: "
                f"{share * 100:.1f} % of one core, {demo.memory / 2**20:.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
