"""Rows of pictures: only where their file is, numbered in order, and not twice."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, select

from gatekeeper.storage import keeping, pictures
from gatekeeper.storage.keeping import Signature
from gatekeeper.storage.pictures import BundleRow, PictureRow
from gatekeeper.storage.tables import bundles, events, metadata
from gatekeeper.storage.tables import pictures as table
from tests.postgresql import database_url

__all__ = ["database_url"]

Do = Callable[[Callable[[Connection], Any]], Any]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def do(engine: Engine) -> Do:
    def run(work: Callable[[Connection], Any]) -> Any:
        with engine.begin() as connection:
            return work(connection)

    return run


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def row(text: str, received: float = 1000.0, event: str = "E") -> PictureRow:
    return PictureRow(event, 0, "yard", received, 640, 480, 100, sha(text))


def add(do: Do, *rows: PictureRow, event: str = "E", present: Any = lambda _: True, **more: Any) -> list[PictureRow]:
    more = {"started": 1000.0, "manifest": b"{}", "after": 0, **more}
    adding = partial(pictures.add, event=event, rows=rows, present=present, **more)
    found: list[PictureRow] = do(adding)
    return found


def put_event(do: Do, event: str, sequence: int, **more: Any) -> None:
    values = {
        "sequence": sequence,
        "id": event,
        "time": 1000.0 + sequence,
        "kind": "door.opened",
        "outcome": "ok",
        "body": b"{}",
        "previous": bytes(32),
        "hash": bytes([sequence]) * 32,
        "size": 2,
        **more,
    }
    do(lambda connection: connection.execute(events.insert().values(**values)))


def test_pictures_are_numbered_on_in_the_order_in_which_they_come(do: Do) -> None:
    first = add(do, row("a", 1.0), row("b", 2.0))
    second = add(do, row("c", 3.0), after=2, begun=True)
    assert [found.number for found in first + second] == [1, 2, 3]
    assert do(lambda connection: pictures.frames(connection, "E")) == first + second
    assert do(lambda connection: pictures.frame(connection, "E", 2)) == first[1]
    assert do(lambda connection: pictures.frame(connection, "E", 4)) is None
    assert do(lambda connection: pictures.frames(connection, "F")) == []


def test_a_picture_whose_file_is_not_there_has_no_row_and_leaves_no_gap(do: Do) -> None:
    stored = add(do, row("a"), row("b"), row("c"), present=lambda sha256: sha256 != sha("b"))
    assert [(found.number, found.sha256) for found in stored] == [(1, sha("a")), (2, sha("c"))]


def test_the_same_again_changes_nothing(do: Do) -> None:
    first = add(do, row("a"), row("b"))
    assert add(do, row("a"), row("b"), again=True) == first
    assert do(lambda connection: pictures.frames(connection, "E")) == first


def test_what_was_not_stored_the_first_time_is_stored_the_second(do: Do) -> None:
    assert [found.number for found in add(do, row("a"), row("b"), again=True)] == [1, 2]


def test_a_bundle_is_open_with_its_first_rows_and_also_without_any(do: Do) -> None:
    assert add(do) == []
    assert do(pictures.open_bundles) == [BundleRow("E", "open", 1000.0, None, b"{}", False)]
    do(lambda connection: pictures.close(connection, "E", "complete", 1010.0, b"[]"))
    assert do(pictures.open_bundles) == []
    expected = BundleRow("E", "complete", 1000.0, 1010.0, b"[]", False)
    assert do(lambda connection: pictures.bundle(connection, "E")) == expected


def test_what_an_action_led_to_says_whether_its_pictures_were_told(do: Do) -> None:
    put_event(do, "E", 1)
    put_event(do, "F", 2, cause="E", kind="door.locked")
    assert do(lambda connection: pictures.announced(connection, "E")) is None
    put_event(do, "G", 3, cause="E", kind="evidence.partial")
    assert do(lambda connection: pictures.announced(connection, "E")) == "evidence.partial"


def test_rows_without_a_file_can_be_taken_out(do: Do) -> None:
    add(do, row("a"), row("b"), row("c"))
    do(lambda connection: pictures.remove_rows(connection, "E", [1, 3]))
    assert [found.number for found in do(lambda connection: pictures.frames(connection, "E"))] == [2]


# --- what retention asks ---------------------------------------------------------------------------------------------


def shared(do: Do) -> None:
    """Two events whose pictures share the file of "b"."""
    put_event(do, "E", 1)
    put_event(do, "F", 2)
    add(do, row("a", 10.0), row("b", 20.0))
    add(do, row("b", 20.0, "F"), row("c", 30.0, "F"), event="F")
    for event in ("E", "F"):
        do(partial(pictures.close, event=event, state="complete", ended=1.0, manifest=b""))


def test_files_count_once_however_many_need_them(do: Do) -> None:
    assert do(keeping.pictures_total) == 0
    shared(do)
    assert do(keeping.pictures_total) == 300
    do(lambda connection: keeping.flag_erased(connection, [("E", 1), ("E", 2)]))
    assert do(keeping.pictures_total) == 200


def test_the_oldest_come_first_page_by_page_with_how_many_share(do: Do) -> None:
    shared(do)
    found, after = [], (float("-inf"), "", 0)
    while page := do(partial(keeping.oldest_pictures, after=after, limit=1)):
        found += page
        after = (page[0].received, page[0].event, page[0].number)
    assert [(one.event, one.number, one.sharers) for one in found] == [
        ("E", 1, 1),
        ("E", 2, 2),
        ("F", 1, 2),
        ("F", 2, 1),
    ]
    do(lambda connection: keeping.flag_erased(connection, [("E", 2)]))
    page = do(partial(keeping.oldest_pictures, after=(float("-inf"), "", 0), limit=10))
    assert [(one.event, one.number, one.sharers) for one in page] == [("E", 1, 1), ("F", 1, 1), ("F", 2, 1)]


@pytest.mark.parametrize("held", ["event", "bundle", "open", None])
def test_what_is_on_hold_or_still_recorded_is_not_flagged(do: Do, held: str | None) -> None:
    shared(do)
    match held:
        case "event":
            do(lambda connection: connection.execute(events.update().where(events.c.id == "E").values(held=True)))
        case "bundle":
            do(lambda connection: connection.execute(bundles.update().where(bundles.c.event == "E").values(held=True)))
        case "open":
            do(
                lambda connection: connection.execute(
                    bundles.update().where(bundles.c.event == "E").values(state="open")
                )
            )
    flagged = do(lambda connection: keeping.flag_erased(connection, [("E", 1), ("F", 2)]))
    assert flagged == ([("F", 2, sha("c"))] if held else [("E", 1, sha("a")), ("F", 2, sha("c"))])
    page = do(partial(keeping.oldest_pictures, after=(float("-inf"), "", 0), limit=10))
    assert [one.event for one in page if one.held] == (["E", "E"] if held in ("event", "bundle") else [])
    assert [one.event for one in page if one.busy] == (["E", "E"] if held == "open" else [])


def test_what_was_erased_is_not_erased_again(do: Do) -> None:
    shared(do)
    assert len(do(lambda connection: keeping.flag_erased(connection, [("E", 1), ("E", 9)]))) == 1
    assert do(lambda connection: keeping.flag_erased(connection, [("E", 1)])) == []
    assert do(lambda connection: keeping.erased_of(connection, "E")) == [("E", 1, sha("a"))]


def test_only_files_that_were_known_and_that_nobody_needs_are_removed(do: Do) -> None:
    shared(do)
    do(lambda connection: keeping.flag_erased(connection, [("E", 1), ("E", 2)]))
    asked: list[list[bytes]] = []

    def remove(hashes: list[bytes]) -> list[tuple[bytes, str]]:
        asked.append(hashes)
        return [(one, "stuck") for one in hashes]

    wanted = [sha("a"), sha("b"), sha("unknown"), sha("a")]
    failed = do(lambda connection: keeping.remove_files(connection, wanted, remove))
    assert asked == [[sha("a")]]
    assert failed == [(sha("a"), "stuck")]
    found = do(lambda connection: keeping.unknown_and_unneeded(connection, [sha("a"), sha("b"), sha("unknown")]))
    assert found == ([sha("unknown")], [sha("a")])


def test_an_event_is_pictured_as_long_as_its_pictures_or_those_of_its_cause_are_kept(do: Do) -> None:
    shared(do)
    put_event(do, "S", 3, cause="E", kind="evidence.stored")
    put_event(do, "X", 4, held=True)
    found = do(partial(keeping.oldest_events, after=0, limit=10))
    assert [(one.id, one.pictured, one.held) for one in found] == [
        ("E", True, False),
        ("F", True, False),
        ("S", True, False),
        ("X", False, True),
    ]
    do(lambda connection: keeping.flag_erased(connection, [("E", 1), ("E", 2)]))
    found = do(partial(keeping.oldest_events, after=1, limit=2))
    assert [(one.id, one.pictured) for one in found] == [("F", True), ("S", False)]
    assert do(keeping.events_total) == 8


def test_what_is_forgotten_of_events_that_are_gone_is_only_what_was_erased(do: Do) -> None:
    shared(do)
    do(lambda connection: keeping.flag_erased(connection, [("E", 1), ("E", 2)]))
    do(lambda connection: keeping.forget_events(connection, ["E", "F"]))
    assert len(do(lambda connection: connection.execute(select(table)).all())) == 4
    do(lambda connection: connection.execute(events.delete()))
    do(lambda connection: keeping.forget_events(connection, ["E", "F"]))
    assert [one.event for one in do(lambda connection: connection.execute(select(table)).all())] == ["F", "F"]
    assert [one.event for one in do(lambda connection: connection.execute(select(bundles)).all())] == ["F"]


def test_a_statement_is_tied_to_the_event_or_to_what_it_caused_or_to_nothing(do: Do) -> None:
    assert do(lambda connection: keeping.record_of(connection, "E")) == (0, bytes(32))
    put_event(do, "S", 3, cause="E")
    assert do(lambda connection: keeping.record_of(connection, "E")) == (3, bytes([3]) * 32)
    put_event(do, "E", 1)
    assert do(lambda connection: keeping.record_of(connection, "E")) == (1, bytes([1]) * 32)


def test_statements_and_notes_are_found_again(do: Do) -> None:
    first = do(lambda connection: keeping.sign_erased(connection, 1, Signature(b"one", b"s", "k")))
    second = do(lambda connection: keeping.sign_erased(connection, 1, Signature(b"two", b"s", "k")))
    assert do(lambda connection: keeping.statements_after(connection, first)) == [(second, b"two")]
    assert do(lambda connection: keeping.note(connection, "x")) is None
    do(lambda connection: keeping.set_note(connection, "x", "1"))
    do(lambda connection: keeping.set_note(connection, "x", "2"))
    assert do(lambda connection: keeping.note(connection, "x")) == "2"
