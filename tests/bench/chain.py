"""What the record costs: `python -m tests.bench.chain [events]`.

Appends into a SQLite file as the site does, in commits of 1, 10 and 500, and checks the chain again.
"""

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from gatekeeper.caller import Caller
from gatekeeper.evidence.event import Drafts
from gatekeeper.evidence.inspect import Inspector, inspect_blocking
from gatekeeper.evidence.seal import ChainSeal
from gatekeeper.evidence.signing import load
from gatekeeper.storage import connect
from gatekeeper.storage.appender import Appender, Pending

CALLER = Caller(name="ana", address="192.0.2.7", client="http", method="cookie", session="01K0000000")


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        signer = load(Path(folder) / "keys", time.time)
        drafts = Drafts(time.time, time.monotonic)
        append = Appender(ChainSeal(signer, drafts))
        began = time.perf_counter()
        for _ in range(count):
            draft(drafts)
        print(f"draft (the reactor's part of record): {(time.perf_counter() - began) / count * 1e6:.1f} µs")
        with connect(f"sqlite:///{folder}/bench.sqlite") as database:
            for batch in (1, 10, 500):
                rounds = max(1, min(count, 300 * batch) // batch)
                items = [[draft(drafts) for _ in range(batch)] for _ in range(rounds)]
                processor, began = time.process_time(), time.perf_counter()
                for some in items:
                    database.write(partial(append, items=some))
                took, processor = time.perf_counter() - began, time.process_time() - processor
                per = 1e6 / rounds / batch
                print(
                    f"append, commits of {batch}: {took * per:.0f} µs an event, {processor * per:.0f} of the processor"
                )
            found = inspect_blocking(database, Inspector(signer.keys, signer.id))
            print(f"verify: {found.records / found.seconds:,.0f} events/s ({found.records}, sound: {found.sound})")


def draft(drafts: Drafts) -> Pending:
    return drafts.draft(
        "door.opened",
        "ana opened; acknowledged in 41 ms",
        subject="front",
        caller=CALLER,
        cause="01KAAAAAAAAAAAAAAAAAAAAAAA",
        details={"latency": 0.041},
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
