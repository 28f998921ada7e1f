"""Every bench, one after the other: `python -m tests.bench`, some minutes; each can be run alone with its options."""

import sys

from tests.bench import (
    beside,
    chain,
    displacement,
    doors,
    evidence,
    idle,
    looks,
    media,
    multipart,
    push,
    record,
    recovery,
    samples,
    storage,
    tiles,
    wamp,
)

BENCHES = (
    media, beside, doors, idle, multipart, push, looks, recovery, wamp, tiles, storage, record, samples, chain,
    evidence, displacement,
)  # fmt: skip

for bench in BENCHES:
    print(f"== {bench.__name__.rpartition('.')[2]}: {(bench.__doc__ or '').strip().splitlines()[0]}", flush=True)
    sys.argv = [bench.__name__]
    bench.main()
