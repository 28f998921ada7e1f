"""A whole site is checked while it goes on, its pictures too."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.evidence import inspect as inspect_module
from gatekeeper.evidence.blocking import BlockingJournal
from gatekeeper.evidence.chain import Signed
from gatekeeper.evidence.inspect import Inspection, Inspector, inspect, inspect_blocking
from gatekeeper.evidence.signing import load
from gatekeeper.storage import connect, events
from gatekeeper.storage.pruning import prune
from gatekeeper.storage.tables import events as table
from gatekeeper.storage.tables import head, meta
from tests.evidence.cases import Opened
from tests.evidence.chains import SITE
from tests.evidence.stores import result


def inspected(site: Opened, *, pictures: bool = True, page: int = 4, **more: Any) -> Inspection:
    state = site.folder.state if pictures else None
    found = result(inspect(site.store, Inspector(site.signer.keys, site.signer.id, state, page=page, **more)))
    assert isinstance(found, Inspection)
    return found


def told(found: Inspection) -> list[tuple[int, str]]:
    return [(problem.sequence, problem.fault) for problem in found.problems]


@pytest.mark.parametrize("page", [1, 2, 7, 500])
def test_a_sound_site_is_sound_in_pages_of_any_size(tmp_path: Path, page: int) -> None:
    site = Opened(tmp_path)
    found = inspected(site, page=page)
    assert found.sound, found.problems
    assert (found.records, found.pictures, found.erased, found.proved) == (14, 3, 0, 14)
    assert (found.site, found.key) == (SITE, site.signer.id)
    assert inspected(site, pictures=False).pictures == 0


def test_an_empty_site_has_no_head_and_no_problem_but_that(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    site.store.blocking(lambda connection: connection.execute(table.delete()))
    assert not inspected(site).sound


def test_a_change_is_found_in_its_place(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    site.store.blocking(lambda connection: connection.execute(table.delete().where(table.c.sequence == 4)))
    site.store.blocking(
        lambda connection: connection.execute(table.update().where(table.c.sequence == 9).values(actor="bob"))
    )
    assert told(inspected(site)) == [(4, "missing"), (9, "columns")]


def test_another_sites_database_is_foreign(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    site.store.blocking(lambda connection: connection.execute(meta.update().values(value="ee" * 16)))
    assert {fault for _, fault in told(inspected(site))} >= {"foreign"}


def test_pruned_and_erased_is_sound_and_counted(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    site.erase(1)
    site.store.blocking(lambda connection: prune(connection, site.journal.seal, 1, 5, "old"))
    found = inspected(site)
    assert found.sound, found.problems
    assert (found.records, found.pruned, found.pictures, found.erased) == (10, 5, 2, 1)


def test_a_picture_gone_or_changed_without_a_word_is_found(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    site.erase(1, signed=False)
    files = sorted(site.folder.folder.glob("??/*.jpg"))
    files[0].write_bytes(b"another")
    found = inspected(site)
    assert [fault for _, fault in told(found)] == ["picture", "picture"]
    texts = " ".join(problem.text for problem in found.problems)
    assert "missing" in texts
    assert "damaged" in texts
    assert "record 9" in texts


def test_what_is_erased_while_it_is_looked_at_is_no_alarm(tmp_path: Path) -> None:
    site = Opened(tmp_path)

    def state(sha256: bytes) -> str:
        if len(list(site.folder.folder.glob("??/*.jpg"))) == 3:
            site.erase(1)
        return site.folder.state(sha256)

    found = result(inspect(site.store, Inspector(site.signer.keys, site.signer.id, state, page=3)))
    assert found.sound, found.problems
    assert (found.pictures, found.erased) == (2, 1)


def test_what_is_recorded_and_pruned_meanwhile_is_no_alarm(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    inspector = Inspector(site.signer.keys, site.signer.id, page=4)
    first, ended = 1, False
    while not ended:
        ended = site.store.blocking(inspector.step)
        if first < 13:
            site.record("meanwhile")
            last = first + 4
            site.store.blocking(partial(prune, seal=site.journal.seal, first=first, last=last, reason="old"))
            first = last + 1
    assert inspector.result.sound, inspector.result.problems


def test_a_statement_kept_elsewhere_finds_a_database_that_was_put_back(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    before = site.store.blocking(lambda connection: list(connection.execute(table.select())))
    assert before
    old = site.store.blocking(events.head_of)
    site.record("the one to be forgotten")
    kept = Signed(*site.store.blocking(events.head_of))
    site.store.blocking(lambda connection: connection.execute(table.delete().where(table.c.sequence > len(before))))
    site.store.blocking(
        lambda connection: connection.execute(
            head.update().values(
                sequence=len(before), hash=before[-1].hash, statement=old.text, signature=old.signature
            )
        )
    )
    assert inspected(site).sound
    assert told(inspected(site, kept=(kept,))) == [(15, "truncated")]


def test_problems_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_module, "PROBLEMS", 3)
    site = Opened(tmp_path)
    site.store.blocking(lambda connection: connection.execute(table.update().values(actor="bob")))
    found = inspected(site)
    assert len(found.problems) == 3
    assert found.more == 11


def test_the_command_line_checks_a_real_database_beside_the_site(tmp_path: Path) -> None:
    signer = load(tmp_path / "keys", lambda: 1_800_000_000.0)
    with connect(f"sqlite:///{tmp_path / 'gatekeeper.sqlite'}") as database:
        journal = BlockingJournal(database, signer, lambda: 1_800_000_000.0, lambda: 0.0)
        sequences = [journal.record("access.user_added", f"user {number}").sequence for number in range(5)]
        pages: list[int] = []
        found = inspect_blocking(
            database, Inspector(signer.keys, signer.id, page=2), lambda so_far: pages.append(so_far.records)
        )
    assert sequences == [1, 2, 3, 4, 5]
    assert (found.sound, found.records, pages) == (True, 5, [2, 4])
