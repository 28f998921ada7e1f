"""Facts per second with each caller waiting for the commit, into SQLite and PostgreSQL; and the reactor meanwhile.

python -m tests.bench.storage [--rounds 5] [--seconds 4] [--callers 256] [--rate 10000]

Each measurement is a fresh process with a reactor and a new database, both on a real disk with every commit synced; the
rounds take turns, so that a ratio compares neighbours in time. A fact is a row of the record, with a body of 500 bytes
and its indexes. "alone" is one caller that asks again when it is answered; "callers" are many of them; "a second" is so
many facts, asked for every 5 ms whether the ones before are answered or not (what is refused isn't counted). The tick
is a call each 5 ms: how late it comes is what doors and video would wait.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.processes import ROOT

TICK = 0.005
WARM_UP = 0.5
BODY = b'{"kind":"door.opened","text":"%s"}' % (b"x" * 466)

COLUMNS = ("sequence", "id", "time", "kind", "subject", "actor", "outcome", "body", "previous", "hash", "size")


@dataclass(frozen=True, slots=True)
class Found:
    """What one process measured: facts per second, milliseconds of a fact and of the tick's delay, CPU per fact."""

    rate: float
    p50: float
    p99: float
    longest: float
    tick_p50: float
    tick_p99: float
    tick_longest: float
    cpu: float


def quantile(values: Sequence[float], part: float) -> float:
    """Return a quantile of sorted values; 0 of none."""
    return values[min(int(len(values) * part), len(values) - 1)] if values else 0.0


# --- in the measured process -----------------------------------------------------------------------------------------


def store(connection: Any, numbers: Sequence[int]) -> Sequence[int]:
    """Store rows as the record's are."""
    from gatekeeper.storage import rows
    from gatekeeper.storage.tables import events

    now, hashed, size = time.time(), bytes(32), len(BODY)
    rows.insert(
        connection,
        events,
        COLUMNS,
        [
            (number, f"{number:026d}", now, "door.opened", "front", "anna", "ok", BODY, hashed, hashed, size)
            for number in numbers
        ],
    )
    return numbers


def measure(url: str, seconds: float, callers: int, rate: int) -> Found:
    """Run a reactor with callers that store, or that store so many a second; with neither, only the tick."""
    from gatekeeper.tap import _install_reactor

    _install_reactor()
    from twisted.internet import defer, reactor

    from gatekeeper.errors import Overloaded
    from gatekeeper.storage import Database

    clock: Any = reactor
    database = Database(url, reactor)
    database.open()
    gc.collect()
    gc.freeze()  # as the site does at its start
    delays: list[float] = []
    times: list[float] = []
    cpu: list[float] = []
    state = {"number": 0, "measuring": False, "running": True}

    def tick(due: float) -> None:
        now = time.perf_counter()
        if state["measuring"]:
            delays.append((now - due) * 1e3)
        if state["running"]:
            clock.callLater(max(0.0, due + TICK - time.perf_counter()), tick, due + TICK)
            for _ in range(int(rate * TICK)):
                call()

    @defer.inlineCallbacks
    def call() -> Any:
        state["number"] += 1
        began = time.perf_counter()
        try:
            yield database.add(store, state["number"])
        except Overloaded:
            return
        if state["measuring"]:
            times.append((time.perf_counter() - began) * 1e3)

    @defer.inlineCallbacks
    def call_again_and_again() -> Any:
        while state["running"]:
            yield call()

    @defer.inlineCallbacks
    def run() -> Any:
        tick(time.perf_counter())
        calls = [call_again_and_again() for _ in range(callers)]
        yield _later(WARM_UP)
        state["measuring"] = True
        cpu.append(time.process_time())
        yield _later(seconds)
        cpu.append(time.process_time())
        state["measuring"] = state["running"] = False
        yield defer.gatherResults(calls)
        yield database.close()
        clock.stop()

    def _later(after: float) -> Any:
        done: defer.Deferred[None] = defer.Deferred()
        clock.callLater(after, done.callback, None)
        return done

    clock.callWhenRunning(run)
    clock.run()
    times.sort()
    delays.sort()
    return Found(
        rate=len(times) / seconds,
        p50=quantile(times, 0.5),
        p99=quantile(times, 0.99),
        longest=quantile(times, 1.0),
        tick_p50=quantile(delays, 0.5),
        tick_p99=quantile(delays, 0.99),
        tick_longest=quantile(delays, 1.0),
        cpu=(cpu[1] - cpu[0]) / len(times) * 1e6 if times else 0.0,
    )


# --- in the bench ----------------------------------------------------------------------------------------------------


def child(url: str, seconds: float, callers: int, rate: int) -> Found:
    """Measure in a fresh process."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.storage",
        "--url",
        url,
        f"--seconds={seconds}",
        f"--callers={callers}",
        f"--rate={rate}",
    ]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True, timeout=seconds + 60)
    return Found(**json.loads(found.stdout))


def spread(values: Sequence[float], form: str) -> str:
    """Return the median with the least and the greatest."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def show(found: dict[str, list[Found]], label: str) -> None:
    """Print what was found side by side, and the ratio of neighbours in time."""
    rows = (
        ("facts/s", "rate", ",.0f"),
        ("a fact p50, ms", "p50", ".2f"),
        ("a fact p99, ms", "p99", ".2f"),
        ("longest fact, ms", "longest", ".1f"),
        ("tick late p50, ms", "tick_p50", ".2f"),
        ("tick late p99, ms", "tick_p99", ".2f"),
        ("tick late at most, ms", "tick_longest", ".1f"),
        ("CPU per fact, us", "cpu", ".0f"),
    )
    print(f"\n{label:24}" + "".join(f"{name:>30}" for name in found), flush=True)
    for title, field, form in rows:
        each = [[getattr(one, field) for one in values] for values in found.values()]
        if not all(map(all, each)):
            continue
        row = f"{title:24}" + "".join(f"{spread(values, form):>30}" for values in each)
        if len(each) == 2:
            row += f"   x {spread([a / b for a, b in zip(*each, strict=True)], '.2f')}"
        print(row, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--callers", type=int, default=256)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.url:
        found = measure(wanted.url, wanted.seconds, wanted.callers, wanted.rate)
        print(json.dumps({name: getattr(found, name) for name in Found.__slots__}))
        return

    from tests.postgresql import Server, programs

    with ExitStack() as started:
        server = None
        if programs() is None:
            print("no PostgreSQL server here: `make postgresql`")
        else:
            server = Server()
            started.callback(server.remove)
            server.start()
        loads = (
            ("alone", 1, 0),
            (f"{wanted.callers} callers", wanted.callers, 0),
            (f"{wanted.rate:,} a second", 0, wanted.rate),
            ("nobody stores", 0, 0),
        )
        for label, callers, rate in loads:
            results: dict[str, list[Found]] = {"sqlite": []}
            for _ in range(wanted.rounds):
                with tempfile.TemporaryDirectory(dir=Path(tempfile.gettempdir())) as folder:
                    results["sqlite"].append(child(f"sqlite:///{folder}/site.sqlite", wanted.seconds, callers, rate))
                if server is not None:
                    with server.database() as url:
                        results.setdefault("postgresql", []).append(child(url, wanted.seconds, callers, rate))
            show(results, label)


if __name__ == "__main__":
    main()
