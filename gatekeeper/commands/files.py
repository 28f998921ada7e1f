"""Files that a command writes for people: whole or not at all, and never over one that is there by accident."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gatekeeper.errors import Conflict


@contextmanager
def written(name: str, *, replace: bool = False) -> Iterator[IO[bytes]]:
    """Give a file to write to, for its owner's eyes only, that gets its name when all is well.

    :param replace: whether a file of this name may be there already.
    :raises Conflict: if there is one all the same.
    """
    file = Path(name)
    if file.exists() and not replace:
        raise Conflict(f"{file} is there already; choose another name, or remove it")
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
