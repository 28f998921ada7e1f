"""What a door call costs while facts are being stored: idle, and beside callers who each make a fact of every call.

python -m tests.bench.record [--callers 8] [--opens 300] [--rounds 3]

Each of the callers asks for what is refused and recorded (an opening longer than the door allows), and waits for the
answer before the next. The door's own time is taken at a second lock, as in `tests.bench.doors`.
"""

import argparse
import subprocess
import sys
import time

from tests.bench.doors import TOKEN, VirtualLock, directly, percentile, show, site, through_gatekeeper
from tests.bench.media import WARM_UP
from tests.bench.wamp_client import Caller

FLOOD = """
import sys
from tests.bench.wamp_client import Caller
port, token = int(sys.argv[1]), sys.stdin.readline().strip()
caller = Caller(port, token)
while True:
    caller._request += 1
    caller._send([48, caller._request, {}, "gatekeeper.door.open", [], {"duration": 9999}])
    assert caller._receive()[0] == 8
"""


def flood(port: int) -> "subprocess.Popen[str]":
    """Start a caller that never rests."""
    process = subprocess.Popen([sys.executable, "-c", FLOOD, str(port)], stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(TOKEN + "\n")
    process.stdin.flush()
    return process


def newest(caller: Caller) -> int:
    """Return the sequence of the newest event."""
    return int(caller.call("gatekeeper.event.list", limit=1)["events"][0]["sequence"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--opens", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    with VirtualLock() as other, site(15) as (server, _, caller):
        for callers in (0, wanted.callers):
            processes = [flood(server.port) for _ in range(callers)]
            own: list[list[float]] = []
            whole: list[list[float]] = []
            try:
                time.sleep(WARM_UP)
                first, began = newest(caller), time.monotonic()
                for _ in range(wanted.rounds):
                    own.append(directly(other.port, wanted.opens))
                    whole.append(through_gatekeeper(caller, wanted.opens))
                rate = (newest(caller) - first) / (time.monotonic() - began)
            finally:
                for process in processes:
                    process.kill()
                    process.wait()
            label = f"beside {callers} callers" if callers else "idle"
            show(f"the lock itself, {label}", own)
            show(f"door.open, {label}", whole)
            above = [percentile(b, 0.99) - percentile(a, 0.5) for a, b in zip(own, whole, strict=True)]
            print(f"  p99 above the lock's own median: {min(above):.2f} to {max(above):.2f} ms over the rounds")
            print(f"  {rate:,.0f} facts a second stored meanwhile\n", flush=True)


if __name__ == "__main__":
    main()
