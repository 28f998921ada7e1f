"""A picture that isn't what was recorded is on the record, once."""

from gatekeeper.evidence.doubts import REMEMBERED, Doubts
from gatekeeper.evidence.pictures import FileState
from tests.evidence.recording import MemoryDatabase, Record

SHA = bytes(32)


def test_a_file_that_was_changed_is_told_once_and_refused_each_time() -> None:
    record = Record(MemoryDatabase())
    doubts = Doubts(record)
    for _ in range(2):
        assert "changed" in (doubts.tell("E", 2, SHA, FileState.DAMAGED) or "")
    [told] = record.told
    assert (told.kind, told.cause, told.outcome) == ("evidence.damaged", "E", "alarm")
    assert told.details == {"event": "E", "number": 2, "sha256": SHA.hex()}


def test_each_picture_is_told_and_what_is_intact_is_not() -> None:
    record = Record(MemoryDatabase())
    doubts = Doubts(record)
    assert doubts.tell("E", 1, SHA, FileState.INTACT) is None
    doubts.tell("E", 2, SHA, FileState.MISSING)
    doubts.tell("F", 2, SHA, FileState.UNREADABLE)
    assert record.kinds() == ["evidence.missing", "evidence.unreadable"]


def test_a_folder_that_is_gone_does_not_fill_the_record() -> None:
    record = Record(MemoryDatabase())
    doubts = Doubts(record)
    for number in range(REMEMBERED + 5):
        assert doubts.tell("E", number, SHA, FileState.MISSING)
    assert len(record.told) == REMEMBERED
