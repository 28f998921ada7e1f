"""Our router beside Crossbar.io 26.10 where `.crossbar/` has it: events, calls, slow subscribers, memory; in one run.

python -m tests.bench.wamp [--rounds 3] [--seconds 1.2]

Both routers run from the start, and each round loads one after the other with the same raw clients (`c/wamp_load.c`),
so a ratio compares neighbours in time; the router's CPU is read from /proc. Authorization, disclosure and meta events
are on in both. The events' publisher keeps a window of publications under way; the calls are echoes of 100 B. The last
load is 20 subscribers of 30 KB at 15/s, 10 of which read a quarter of that, with 200 calls a second beside them.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.processes import Process, compiled, module, read_line
from tests.crossbar import MISSING, PROGRAM, Crossbar

REALM = "bench"
JSON_BYTES, FRAME = 100, 30_000
WINDOWS = {JSON_BYTES: 50, FRAME: 8}  # publications under way: enough that the router never waits, under its budgets
SUBSCRIBERS, SLOW, RATE = 20, 10, 15
BESIDE_SECONDS = 6.0
SESSIONS = 1000
PATIENCE = 60.0  # seconds for one measurement


@dataclass(frozen=True, slots=True)
class Target:
    """A router under load.

    :ivar pid: of the process that routes.
    """

    name: str
    pid: int
    port: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement: how many events or calls in how long, the router's CPU, and the calls' latencies.

    :ivar cut_off: slow subscribers whose connection the router ended, so far.
    :ivar slow_events: what the slow ones received.
    """

    count: int
    seconds: float
    cpu: float
    p50: float
    p99: float
    longest: float
    cut_off: int
    slow_events: int

    @property
    def per_cpu(self) -> float:
        """How many per CPU second of the router."""
        return self.count / self.cpu

    @property
    def cost(self) -> float:
        """Milliseconds of the router's CPU for each."""
        return self.cpu / self.count * 1e3


class Load:
    """Raw clients, joined; each `measure` is one more measurement."""

    def __init__(self, target: Target, serializer: str, seconds: float, *what: object) -> None:
        command = [compiled("wamp_load"), str(target.pid), str(target.port), REALM, serializer, str(seconds)]
        self._process = subprocess.Popen(
            [*command, *map(str, what)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return read_line(self._process.stdout, PATIENCE)

    def measure(self) -> Measured:
        """Let the clients work for a while."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        count, seconds, cpu, p50, p99, longest, cut_off, slow_events = map(float, self._line().split())
        return Measured(int(count), seconds, cpu, p50 / 1e6, p99 / 1e6, longest / 1e6, int(cut_off), int(slow_events))

    def close(self) -> None:
        """Let the clients go."""
        self._process.communicate()


@contextmanager
def load(target: Target, serializer: str, seconds: float, *what: object) -> Iterator[Load]:
    """Start clients and end them."""
    clients = Load(target, serializer, seconds, *what)
    try:
        yield clients
    finally:
        clients.close()


def resident(pid: int) -> float:
    """Return the resident MiB of a process, shared pages included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmRSS")


@contextmanager
def routers() -> Iterator[list[Target]]:
    """Start our router, and Crossbar if it is there; ours comes first."""
    with ExitStack() as started:
        ours = started.enter_context(module("tests.wamp_router", REALM))
        targets = [Target("gatekeeper", _pid(ours), ours.port)]
        if PROGRAM.exists():
            crossbar = Crossbar(Path(started.enter_context(tempfile.TemporaryDirectory())), REALM)
            started.callback(crossbar.end)
            targets.append(Target("crossbar", crossbar.router_pid, crossbar.port))
            print(f"Crossbar's controller: {resident(crossbar.pid):.0f} MiB resident")
        else:
            print(MISSING)
        yield targets


def _pid(process: Process) -> int:
    return process._process.pid


# --- printing --------------------------------------------------------------------------------------------------------


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """Return the median with the least and the greatest."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def compare(label: str, found: list[list[float]], form: str, *, more_is_better: bool) -> None:
    """Print a row: each router's values over the rounds, and the ratio of neighbours in time."""
    row = f"{label:36} {spread(found[0], form):>34}"
    if len(found) > 1:
        pairs = zip(*found, strict=True)
        ratios = [a / b if more_is_better else b / a for a, b in pairs]
        row += f"   {spread(found[1], form):>30}   {spread(ratios, '.1f')} x"
    print(row, flush=True)


# --- measuring -------------------------------------------------------------------------------------------------------


def rounds(
    targets: list[Target],
    wanted: argparse.Namespace,
    value: Callable[[Measured], float],
    serializer: str,
    *what: object,
) -> list[list[float]]:
    """Return each router's values, measured in turn."""
    with ExitStack() as started:
        loads = [started.enter_context(load(target, serializer, wanted.seconds, *what)) for target in targets]
        found: list[list[float]] = [[] for _ in targets]
        for _ in range(wanted.rounds):
            for values, clients in zip(found, loads, strict=True):
                values.append(value(clients.measure()))
    return found


def events(targets: list[Target], wanted: argparse.Namespace) -> None:
    """Compare events per CPU second."""
    print("\nevents per router CPU second")
    for serializer, size in (("json", JSON_BYTES), ("cbor", FRAME)):
        for subscribers in (1, 10, 50):
            what = ("fanout", subscribers, size, WINDOWS[size])
            found = rounds(targets, wanted, lambda one: one.per_cpu, serializer, *what)
            compare(f"{size} B {serializer}, {subscribers} subscribers", found, ",.0f", more_is_better=True)


def calls(targets: list[Target], wanted: argparse.Namespace) -> None:
    """Compare CPU per call."""
    print("\nrouter CPU per call, ms")
    for serializer in ("json", "cbor"):
        for callers in (1, 16):
            found = rounds(targets, wanted, lambda one: one.cost, serializer, "calls", callers)
            compare(f"{serializer}, {callers} callers", found, ".3f", more_is_better=False)


def beside_slow_ones(targets: list[Target], wanted: argparse.Namespace) -> None:
    """Compare the latency of calls beside frames for subscribers of which half are slow, and what that costs."""
    print(f"\n200 calls/s beside {SUBSCRIBERS} subscribers x 30 KB x {RATE}/s, {SLOW} of them slow")
    latencies: list[list[Measured]] = []
    for target in targets:
        before = resident(target.pid)
        with load(target, "cbor", BESIDE_SECONDS, "beside", SUBSCRIBERS, SLOW, FRAME, RATE) as clients:
            latencies.append([clients.measure() for _ in range(wanted.rounds)])
            grown = resident(target.pid) - before
        slow = latencies[-1]
        rate = sum(one.slow_events for one in slow) / sum(one.seconds for one in slow) / SLOW
        print(
            f"{target.name:12} grew {grown:.1f} MiB in {wanted.rounds * BESIDE_SECONDS:.0f} s; slow ones cut off: "
            f"{slow[-1].cut_off}, each got {rate:.1f} frames/s"
        )
    compare("p50 of a call, ms", [[one.p50 for one in each] for each in latencies], ".2f", more_is_better=False)
    compare("p99 of a call, ms", [[one.p99 for one in each] for each in latencies], ".2f", more_is_better=False)
    compare("longest call, ms", [[one.longest for one in each] for each in latencies], ".2f", more_is_better=False)


def memory(targets: list[Target]) -> None:
    """Compare what idle sessions cost, in memory and in CPU to join."""
    print(f"\n{SESSIONS} idle sessions")
    for target in targets:
        before = resident(target.pid)
        with load(target, "json", 0.0, "idle", SESSIONS) as clients:
            each = (resident(target.pid) - before) / SESSIONS * 1024
            joined = clients.measure()
        print(f"{target.name:12} {each:.1f} KiB each, {joined.cost:.2f} ms of CPU to join")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.2)
    wanted = parser.parse_args()
    with routers() as targets:
        for target in targets:
            print(f"{target.name}: {resident(target.pid):.0f} MiB resident, nobody connected")
        print(f"{'':36} {targets[0].name:>34}" + (f"   {targets[1].name:>30}   ratio" if len(targets) > 1 else ""))
        memory(targets)
    # Each measurement in fresh routers: what an earlier load left behind is not to be measured.
    for measurement in (events, calls, beside_slow_ones):
        with routers() as targets:
            measurement(targets, wanted)


if __name__ == "__main__":
    main()
