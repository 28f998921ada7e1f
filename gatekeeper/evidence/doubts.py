"""Pictures that aren't what was recorded: whoever meets one tells it here, and the record says so, once for each."""

from twisted.logger import Logger

from gatekeeper.evidence.outside import Record
from gatekeeper.evidence.pictures import FileState

REMEMBERED = 1000
"""Pictures that were told; a folder that is gone as a whole tells no more of them."""

SAID = {
    FileState.MISSING: "its file is missing",
    FileState.DAMAGED: "its file was changed: its bytes aren't those that were recorded",
    FileState.UNREADABLE: "its file can't be read",
}


class Doubts:
    """What was found out about files by those who read them.

    :param record: `Journal.record`.
    """

    log = Logger()

    def __init__(self, record: Record) -> None:
        self._record = record
        self._told: set[tuple[str, int]] = set()

    def tell(self, event: str, number: int, sha256: bytes, state: FileState) -> str | None:
        """Take what a read found; return why the picture can't be shown, in words for people, None if it can."""
        if state is FileState.INTACT:
            return None
        why = SAID[state]
        if (event, number) not in self._told and len(self._told) < REMEMBERED:
            self._told.add((event, number))
            self.log.error("picture {number} of {event}: {why}", number=number, event=event, why=why)
            self._record(
                f"evidence.{state}",
                f"picture {number} of an event can't be shown: {why}",
                cause=event,
                outcome="alarm",
                reason=why,
                details={"event": event, "number": number, "sha256": sha256.hex()},
            )
        return why
