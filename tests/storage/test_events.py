"""The rows of the record: appended, looked for, held, pruned; and what somebody did to them behind our back."""

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from gatekeeper.evidence.chain import Check, Problem, Signed
from gatekeeper.evidence.chain import digest as hashed
from gatekeeper.evidence.event import Drafts, record_of
from gatekeeper.evidence.seal import ChainSeal
from gatekeeper.storage import appender, connect, events, pruning
from gatekeeper.storage.appender import Appender, End, Pending
from gatekeeper.storage.events import Query, Row
from gatekeeper.storage.tables import bundles, checkpoints, head, meta, pictures, tombstones
from gatekeeper.storage.tables import events as table
from tests.evidence.chains import NOW, SITE, places, signer
from tests.evidence.stores import ANA, Store


class Site:
    """A database, and a process that appends to it."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self.now = NOW
        self.signer = signer(wall=lambda: self.now)
        self.drafts = Drafts(lambda: self.now, lambda: 0.0)
        self.seal = ChainSeal(self.signer, self.drafts)
        self.append = Appender(self.seal)

    def draft(self, kind: str = "door.opened", text: str = "opened", **more: Any) -> Pending:
        return self.drafts.draft(kind, text, **more)

    def add(self, *items: Pending, again: bool = False) -> list[Row]:
        rows: list[Row] = self.do(lambda connection: self.append(connection, items, again=again))
        self.append.remember(End(rows[-1].sequence, rows[-1].hash))
        return rows

    def fill(self, count: int) -> "Site":
        self.add(*(self.draft(text=f"opened {number}") for number in range(count)))
        return self

    def do(self, work: Callable[[Connection], Any]) -> Any:
        return self.store.blocking(work)

    def run(self, statement: Any) -> Any:
        return self.do(lambda connection: connection.execute(statement))

    def find(self, **query: Any) -> list[int]:
        return [row.sequence for row in self.do(lambda connection: events.find(connection, Query(**query)))]

    def problems(self, limit: int = 7) -> list[Problem]:
        """Check it in pages, as it is."""
        checking, found = Check(SITE, self.signer.keys), []
        while True:
            page = self.do(lambda connection: events.page(connection, checking.last, limit))
            found += [one for text in page.statements for one in checking.statement(Signed(*text))]
            found += [one for row in page.rows for one in checking.record(record_of(row))]
            if len(page.rows) < limit:
                return found + checking.finish(None if page.head is None else Signed(*page.head))

    def kinds(self) -> list[str]:
        return [row.kind for row in self.do(lambda connection: events.between(connection, 1, 1000))]


@pytest.fixture
def real(database_url: str) -> Iterator[Site]:
    """A site with a database of each kind."""
    with connect(database_url) as database:
        yield Site(Store(database=database))


# --- on real databases ---


def test_two_processes_share_a_chain_in_each_database(real: Site, database_url: str) -> None:
    with connect(database_url) as database:
        other = Site(Store(database=database))
        for site in (real, other, other, real):
            site.fill(3)
        assert real.problems() == other.problems() == []
        assert real.find(order="oldest") == list(range(1, 13))


def test_everything_that_is_asked_works_in_each_database(real: Site) -> None:
    plate, opened, stored, _locked, _other = family(real)
    items = [real.draft(text="Türöffner \0 \ud800 🚪"), real.draft("d%or", subject="x", caller=ANA)]
    real.add(*items)
    assert [row.sequence for row in real.add(*items, again=True)] == [6, 7]
    assert real.find(kind="door.", since=NOW, until=NOW + 1, after=1, before=7) == [6, 5, 4, 2]
    assert real.find(subject="x", actor="ana", outcome="ok", kind="d%") == [7]
    assert len(real.do(lambda connection: events.hold(connection, stored.id, True))) == 4
    [late] = real.add(real.draft(cause=opened.id))
    assert late.held
    real.fill(20)
    assert real.do(lambda connection: pruning.prune(connection, real.seal, 1, 12, "old")) == pruning.Pruned(7, 5, 12)
    assert real.problems() == []
    assert real.do(lambda connection: events.get(connection, plate.id)).held
    assert real.do(pruning.extent).first == 13
    assert [one.sequence for one in real.do(lambda connection: pruning.sizes(connection, 8, 2))] == [13, 14]
    real.run(delete(table).where(table.c.sequence > 25))
    real.fill(1)
    assert places(real.problems()) == [(26, 28, "missing")]


def test_threads_that_append_at_once_make_one_chain(real: Site, database_url: str) -> None:
    def process() -> None:
        with connect(database_url) as database:
            site = Site(Store(database=database))
            for _ in range(15):
                site.fill(2)

    threads = [threading.Thread(target=process) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert real.problems() == []
    assert real.do(events.newest) == 90
    assert "evidence.broken" not in real.kinds()


# --- appending ---


def test_rows_are_chained_and_the_end_is_signed() -> None:
    site = Site()
    site.add(site.draft(), site.draft())
    site.add(site.draft())
    assert site.problems() == []
    assert site.find(order="oldest") == [1, 2, 3]
    [row] = site.do(lambda connection: events.between(connection, 2, 2))
    body = json.loads(row.body)
    assert (body["sequence"], body["site"], body["id"]) == (2, SITE, row.id)
    assert site.run(select(table.c.size).where(table.c.sequence == 2)).scalar_one() == len(row.body)


def test_two_processes_append_to_one_chain() -> None:
    one = Site()
    other = Site(one.store)
    for site in (one, other, other, one):
        site.fill(2)
    assert one.problems() == []
    assert one.find(order="oldest") == list(range(1, 9))


def test_what_is_stored_already_is_given_back_and_not_stored_twice() -> None:
    site = Site()
    items = [site.draft(text=str(number)) for number in range(4)]
    site.add(*items[:2])
    rows = site.add(*items, again=True)
    assert [row.sequence for row in rows] == [1, 2, 3, 4]
    assert [row.sequence for row in site.add(*items, again=True)] == [1, 2, 3, 4]
    assert site.problems() == []


def test_a_transaction_that_is_rolled_back_leaves_no_trace() -> None:
    site = Site().fill(2)

    def broken(connection: Connection) -> None:
        site.append(connection, [site.draft()])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        site.do(broken)
    site.fill(1)
    assert (site.problems(), site.find(order="oldest")) == ([], [1, 2, 3])


def test_checkpoints_come_every_so_many_and_every_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "CHECKPOINT_EVERY", 10)
    site = Site()
    for _ in range(25):
        site.fill(1)
    site.now += 3599
    site.fill(1)
    site.now += 2
    site.fill(1)
    found = site.run(select(checkpoints.c.sequence).order_by(checkpoints.c.sequence)).scalars().all()
    assert found == [1, 10, 20, 27]
    assert site.problems() == []
    nearest = site.do(
        lambda connection: (events.checkpoint_before(connection, 20), events.checkpoint_from(connection, 20))
    )
    assert [one[0] for one in nearest] == [10, 20]
    assert site.do(lambda connection: events.checkpoint_before(connection, 1)) is None
    assert site.do(lambda connection: events.checkpoint_from(connection, 28)) is None


# --- what somebody did in between ---


def test_a_head_that_was_set_back_is_noticed_and_the_gap_stays() -> None:
    site = Site().fill(5)
    old = site.run(select(head)).mappings().one()
    site.fill(3)
    site.run(delete(table).where(table.c.sequence > 5))
    site.run(update(head).values(**old))
    site.fill(1)
    assert site.kinds()[-2:] == ["evidence.broken", "door.opened"]
    assert places(site.problems()) == [(6, 8, "missing")]


def test_a_cut_end_is_noticed_after_a_restart_and_the_gap_stays() -> None:
    site = Site().fill(5)
    site.run(delete(table).where(table.c.sequence > 3))
    Site(site.store).fill(1)
    assert site.kinds()[-2:] == ["evidence.broken", "door.opened"]
    assert places(site.problems()) == [(4, 5, "missing")]


def test_a_forged_head_is_not_made_good_by_the_next_signature() -> None:
    site = Site().fill(5)
    site.run(delete(table).where(table.c.sequence > 3))
    last = site.run(select(table.c.hash).where(table.c.sequence == 3)).scalar_one()
    site.run(update(head).values(sequence=3, hash=last))
    Site(site.store).fill(1)
    assert "evidence.broken" in site.kinds()
    forged = signer(8).sign("head", SITE, 3, last)
    site.run(update(head).values(sequence=3, hash=last, statement=forged.text, signature=forged.signature))
    site.run(delete(table).where(table.c.sequence > 3))
    site.fill(1)
    assert places(site.problems())[0] == (4, 5, "missing")


def test_a_head_that_is_gone_is_noticed() -> None:
    site = Site().fill(2)
    site.run(delete(head))
    Site(site.store).fill(1)
    assert site.kinds()[-2:] == ["evidence.broken", "door.opened"]
    assert site.problems() == [], "nothing else was touched, and the event says that the head was"


def test_a_head_that_lies_far_ahead_does_not_lead_the_chain_there() -> None:
    site = Site().fill(3)
    site.run(update(head).values(sequence=10**9, hash=b"x" * 32))
    Site(site.store).fill(1)
    assert site.find(order="oldest") == [1, 2, 3, 4, 5]
    assert site.kinds()[-2:] == ["evidence.broken", "door.opened"]


def test_a_record_that_is_wiped_is_noticed_by_who_wrote_it() -> None:
    site = Site().fill(3)
    for emptied in (table, head, checkpoints):
        site.run(delete(emptied))
    site.fill(1)
    assert site.kinds() == ["evidence.broken", "door.opened"]
    assert places(site.problems()) == [(1, 3, "missing")]


def test_rows_appended_without_the_key_are_noticed() -> None:
    site = Site().fill(2)
    [row] = site.do(lambda connection: events.between(connection, 2, 2))
    body, hash_ = site.seal.link(SITE, 3, row.hash, site.draft(text="forged"))
    values = row._asdict() | {"sequence": 3, "id": "x", "previous": row.hash, "hash": hash_, "body": body, "size": 1}
    site.run(table.insert().values({name: value for name, value in values.items() if name in table.c}))
    assert places(site.problems())[0] == (3, 3, "columns")
    site.fill(1)
    assert site.kinds()[-2:] == ["evidence.broken", "door.opened"]


def test_the_newest_row_replaced_is_noticed_by_who_wrote_it() -> None:
    site = Site().fill(3)
    site.run(update(table).where(table.c.sequence == 3).values(hash=b"x" * 32))
    site.fill(1)
    assert site.kinds()[-2:] == ["evidence.broken", "door.opened"]
    assert site.problems() != []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"body": b"{}"}, "altered"),
        ({"hash": b"x" * 32}, "altered"),
        ({"previous": b"x" * 32}, "previous"),
        ({"actor": "bob"}, "columns"),
        ({"time": 0.0}, "columns"),
        ({"kind": "door.refused"}, "columns"),
        ({"body": None}, "body"),
    ],
)
def test_whatever_is_changed_in_a_row_is_found(change: dict[str, Any], expected: str) -> None:
    site = Site().fill(20)
    site.run(update(table).where(table.c.sequence == 9).values(**change))
    assert places(site.problems()) == [(9, 9, expected)]


def test_a_row_deleted_is_found() -> None:
    site = Site().fill(20)
    site.run(delete(table).where(table.c.sequence == 7))
    assert places(site.problems()) == [(7, 7, "missing")]


# --- looking ---


def test_what_is_asked_for_is_found() -> None:
    site = Site()
    site.add(
        site.draft("door.opened", subject="front", caller=ANA),
        site.draft("door.refused", subject="back", outcome="denied"),
    )
    site.now += 10
    site.add(site.draft("camera.offline", subject="front", outcome="alarm"), site.draft("d%or.x"))
    assert site.find() == [4, 3, 2, 1]
    assert site.find(order="oldest") == [1, 2, 3, 4]
    assert site.find(limit=2) == [4, 3]
    assert site.find(after=1, before=4) == [3, 2]
    assert site.find(since=NOW + 10) == [4, 3]
    assert site.find(until=NOW + 10) == [2, 1]
    assert site.find(kind="door.") == [2, 1]
    assert site.find(kind="d%") == [4]
    assert site.find(subject="front", kind="door") == [1]
    assert site.find(actor="ana") == [1]
    assert site.find(outcome="alarm") == [3]
    assert site.find(subject="nobody") == []


def test_an_event_knows_its_pictures_and_its_bundle() -> None:
    site = Site()
    [row, other] = site.add(site.draft(), site.draft())
    site.run(bundles.insert().values(event=row.id, state="complete", started=NOW))
    picture = {
        "event": row.id,
        "camera": "yard",
        "received": NOW,
        "width": 1,
        "height": 1,
        "size": 9,
        "sha256": b"x" * 32,
    }
    for number in range(3):
        site.run(pictures.insert().values(**picture, number=number, erased=number == 2))
    found = site.do(lambda connection: [events.get(connection, one.id) for one in (row, other)])
    assert [(one.pictures, one.bundle) for one in found] == [(2, "complete"), (0, None)]
    assert site.do(lambda connection: events.get(connection, "nothing")) is None


def family(site: Site) -> list[Row]:
    """plate → open → (stored, relocked); and something else."""
    [plate] = site.add(site.draft("gate.allowed"))
    [opened] = site.add(site.draft("door.opened", cause=plate.id))
    [stored, locked] = site.add(
        site.draft("evidence.stored", cause=opened.id), site.draft("door.locked", cause=opened.id)
    )
    [other] = site.add(site.draft("door.opened"))
    return [plate, opened, stored, locked, other]


def test_causes_and_consequences_are_followed() -> None:
    site = Site()
    plate, opened, stored, locked, _other = family(site)

    def named(find: Callable[[Connection, str], list[Row]], row: Row) -> list[int]:
        return [one.sequence for one in site.do(lambda connection: find(connection, row.id))]

    assert named(events.causes, stored) == [plate.sequence, opened.sequence]
    assert named(events.causes, plate) == []
    assert named(events.consequences, plate) == [opened.sequence, stored.sequence, locked.sequence]
    assert named(events.consequences, locked) == []


def test_causes_that_go_in_a_circle_end() -> None:
    site = Site()
    [one] = site.add(site.draft(cause="B"))
    site.run(update(table).where(table.c.sequence == 1).values(id="A"))
    [two] = site.add(site.draft(cause="A"))
    site.run(update(table).where(table.c.sequence == 2).values(id="B"))
    assert [row.id for row in site.do(lambda connection: events.causes(connection, "A"))] == ["B"]
    assert [row.id for row in site.do(lambda connection: events.consequences(connection, "A"))] == ["B"]
    assert (one.sequence, two.sequence) == (1, 2)


# --- holding ---


def test_a_hold_keeps_the_whole_case_and_what_follows_later() -> None:
    site = Site()
    plate, opened, stored, locked, other = family(site)
    site.run(bundles.insert().values(event=opened.id, state="complete", started=NOW))

    def held() -> list[int]:
        return list(site.run(select(table.c.sequence).where(table.c.held).order_by(table.c.sequence)).scalars())

    concerned = site.do(lambda connection: events.hold(connection, stored.id, True))
    assert [row.sequence for row in concerned] == held() == [1, 2, 3, 4]
    assert site.run(select(bundles.c.held)).scalar_one() == 1
    [late] = site.add(site.draft("door.closed", cause=locked.id))
    assert late.held
    assert held() == [1, 2, 3, 4, late.sequence]
    site.do(lambda connection: events.hold(connection, plate.id, False))
    assert held() == []
    assert site.run(select(bundles.c.held)).scalar_one() == 0
    assert site.do(lambda connection: events.hold(connection, "nothing", True)) == []
    assert site.problems() == []
    assert other.sequence == 5


# --- pruning ---


def test_a_prune_leaves_a_signed_statement_and_the_chain_is_sound() -> None:
    site = Site().fill(30)
    done = site.do(lambda connection: pruning.prune(connection, site.seal, 1, 12, "older than 365 days"))
    assert done == pruning.Pruned(gone=12, kept=0, last=12)
    assert (site.problems(), site.find(order="oldest", limit=1)) == ([], [13])
    [stone] = site.run(select(tombstones)).mappings()
    said = json.loads(stone["statement"])
    assert (said["first"], said["sequence"], said["count"], said["reason"]) == (1, 12, 12, "older than 365 days")
    assert (stone["first_sequence"], stone["last_sequence"], stone["key_id"]) == (1, 12, site.signer.id)
    site.do(lambda connection: pruning.prune(connection, site.seal, 1, 20, "again"))
    site.fill(1)
    assert site.problems() == []


def test_what_is_held_is_not_pruned() -> None:
    site = Site().fill(10)
    site.run(update(table).where(table.c.sequence.in_([1, 4, 5])).values(held=True))
    done = site.do(lambda connection: pruning.prune(connection, site.seal, 1, 8, "old"))
    assert (done.gone, done.kept) == (5, 3)
    assert site.find(order="oldest") == [1, 4, 5, 9, 10]
    assert site.problems() == []


def test_what_was_tampered_with_is_not_pruned() -> None:
    site = Site().fill(10)
    site.run(update(table).where(table.c.sequence == 4).values(body=b"{}"))
    site.run(delete(table).where(table.c.sequence == 7))
    done = site.do(lambda connection: pruning.prune(connection, site.seal, 1, 9, "old"))
    assert (done.gone, done.kept) == (7, 1)
    assert places(site.problems()) == [(4, 4, "altered"), (7, 7, "missing")]


def test_a_break_between_two_rows_is_not_buried_with_them() -> None:
    site = Site().fill(10)
    [row] = site.do(lambda connection: events.between(connection, 5, 5))
    body = row.body.replace(b"opened 4", b"opened 5")
    digest = hashed(row.previous, body)
    site.run(update(table).where(table.c.sequence == 5).values(body=body, hash=digest))
    before = places(site.problems())
    site.do(lambda connection: pruning.prune(connection, site.seal, 1, 9, "old"))
    assert before == places(site.problems()) == [(6, 6, "link")]


def test_everything_may_be_pruned_and_the_chain_goes_on() -> None:
    site = Site().fill(5)
    site.do(lambda connection: pruning.prune(connection, site.seal, 1, 5, "old"))
    assert site.problems() == []
    Site(site.store).fill(2)
    assert (site.problems(), site.kinds()) == ([], ["door.opened", "door.opened"])
    assert site.find(order="oldest") == [6, 7]


def test_a_prune_is_bounded_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "PRUNE", 4)
    site = Site().fill(10)
    first = 1
    done: list[pruning.Pruned] = []
    while first <= 9:
        done.append(site.do(partial(pruning.prune, seal=site.seal, first=first, last=9, reason="old")))
        first = done[-1].last + 1
    assert [one.gone for one in done] == [4, 4, 1]
    assert (site.problems(), site.find()) == ([], [10])


def test_how_much_is_kept_is_known() -> None:
    site = Site()
    assert site.do(pruning.extent) == pruning.Extent(0, 0, None, None)
    site.fill(3)
    site.run(update(table).where(table.c.sequence == 1).values(held=True))
    total = site.run(select(func.sum(table.c.size)).where(table.c.sequence > 1)).scalar_one()
    assert site.do(pruning.extent) == pruning.Extent(2, total, 2, NOW)
    sizes = site.do(lambda connection: pruning.sizes(connection, 1))
    assert [(one.sequence, one.held) for one in sizes] == [(2, False), (3, False)]
    assert sum(one.size for one in sizes) == total


# --- a backup that was restored under a running site ---


def put_back(site: Site, count: int, more: int, mark: str | None) -> None:
    """Store `count` events, then `more`, and bring the database back to the first `count`, as a restore does."""
    site.fill(count)
    kept = site.run(select(head)).mappings().one()
    site.fill(more)
    site.run(delete(table).where(table.c.sequence > count))
    site.run(delete(checkpoints).where(checkpoints.c.sequence > count))
    site.run(update(head).values(**kept))
    if mark is not None:
        site.run(delete(meta).where(meta.c.key == appender.RESTORED))
        site.run(insert(meta).values(key=appender.RESTORED, value=mark))


def test_after_a_restore_the_record_goes_on_and_a_signed_statement_says_what_is_gone() -> None:
    site = Site()
    put_back(site, 5, 4, "first")
    site.add(site.draft(text="afterwards"))
    assert site.problems() == []
    assert site.find(order="oldest") == [1, 2, 3, 4, 5, 10, 11]  # no sequence is used twice
    assert site.kinds()[-2:] == ["evidence.rewound", "door.opened"]
    site.fill(3)
    assert site.kinds().count("evidence.rewound") == 1


def test_what_another_process_added_after_the_restore_stays() -> None:
    site = Site()
    put_back(site, 5, 4, "first")
    Appender(site.seal)  # the command line's, which knows of nothing before
    other = Appender(site.seal)
    site.do(lambda connection: other(connection, [site.draft("system.restored", "restored")]))
    site.add(site.draft(text="afterwards"))
    assert site.problems() == []
    assert site.find(order="oldest") == [1, 2, 3, 4, 5, 6, 10, 11]


def test_each_restore_is_bridged_once() -> None:
    site = Site()
    put_back(site, 5, 4, "first")
    site.add(site.draft(text="afterwards"))
    kept = site.run(select(head)).mappings().one()
    end = kept["sequence"]
    site.fill(2)
    site.run(delete(table).where(table.c.sequence > end))
    site.run(update(head).values(**kept))
    site.run(update(meta).where(meta.c.key == appender.RESTORED).values(value="second"))
    site.add(site.draft(text="once more"))
    assert site.problems() == []
    assert site.kinds().count("evidence.rewound") == 2


def test_what_is_gone_without_a_restore_is_still_tampering() -> None:
    site = Site()
    put_back(site, 5, 4, None)
    site.add(site.draft(text="afterwards"))
    assert "evidence.broken" in site.kinds()
    assert site.problems()


def test_a_restore_that_holds_all_that_there_was_needs_no_bridge() -> None:
    site = Site()
    site.fill(5)
    site.run(insert(meta).values(key=appender.RESTORED, value="first"))
    site.fill(2)
    assert site.problems() == []
    assert site.run(select(func.count()).select_from(tombstones)).scalar_one() == 0
