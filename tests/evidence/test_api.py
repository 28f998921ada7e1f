"""What both wires call: whoever may not see an event can't learn that it is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.python.failure import Failure

from gatekeeper.errors import NoSuchEvent, Overloaded
from gatekeeper.evidence import chain
from gatekeeper.evidence.api import Events, Verification
from gatekeeper.evidence.case import kept_in
from gatekeeper.evidence.event import Event, Query
from gatekeeper.evidence.pages import everything
from gatekeeper.evidence.verify import verify
from gatekeeper.storage.tables import events as table
from tests.evidence.cases import Opened
from tests.evidence.chains import NOW
from tests.evidence.stores import ANA, result


class Here:
    """Threads and a reactor in one, without either."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def callInThreadWithCallback(self, told: Callable[[bool, Any], None], work: Callable[[], Any]) -> None:
        try:
            done = work()
        except Exception:  # noqa: BLE001 - as the pool does
            told(False, Failure())
        else:
            told(True, done)

    def callFromThread(self, function: Callable[..., Any], *arguments: Any) -> None:
        function(*arguments)


def api(site: Opened) -> Events:
    made = Events(
        journal=site.journal,
        database=site.store,
        signer=site.signer,
        reactor=Here(),
        wall=lambda: NOW + 60,
        frames=kept_in(site.folder),
        folder=site.exports,
        threads=Here(),
    )
    made.start()
    return made


def nothing(event: Event) -> bool:
    return False


def fronts(event: Event) -> bool:
    return event.subject in ("front", None)


def test_events_are_listed_got_and_followed(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    events = api(site)
    page = result(events.list(Query(kind="door."), everything))
    assert [event.kind for event in page.events] == ["door.refused", "door.opened"]
    event = result(events.get(site.event, everything))
    assert (event.pictures, event.bundle, event.caller) == (3, "complete", ANA)
    assert [one.kind for one in events.recent(fronts)] == ["door.opened", "evidence.stored"]
    got: list[Event] = []
    events.follow(0, got.append, fronts).stop()
    assert [one.kind for one in got] == ["door.opened", "evidence.stored"]


def test_every_answer_can_be_sent(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    events = api(site)
    for answer in (
        result(events.list(Query(), everything)),
        result(events.get(site.event, everything)),
        result(events.verify(site.event, everything)),
    ):
        assert msgspec.json.decode(msgspec.json.encode(answer), type=type(answer)) == answer


def test_whoever_may_not_see_an_event_gets_nothing_of_it(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    events = api(site)
    for ask in (
        lambda event: events.get(event, nothing),
        lambda event: events.frame(event, 1, nothing),
        lambda event: events.hold(event, ANA, nothing),
        lambda event: events.release(event, ANA, nothing),
        lambda event: events.verify(event, nothing),
        lambda event: events.export(event, ANA, nothing),
    ):
        words = set()
        for event in (site.event, "01K00000000000000000000000"):
            with pytest.raises(NoSuchEvent) as refused:
                result(ask(event))
            words.add(str(refused.value))
        assert len(words) == 1
    assert not list(tmp_path.glob("exports/*"))
    assert not result(events.get(site.event, everything)).held


def test_a_picture_is_found_while_it_is_there(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    events = api(site)
    frame = result(events.frame(site.event, 2, everything))
    assert (frame.camera, frame.number, frame.path.read_bytes()) == ("yard", 2, site.jpegs[1])
    with pytest.raises(NoSuchEvent):
        result(events.frame(site.event, 9, everything))
    site.erase(2)
    with pytest.raises(NoSuchEvent):
        result(events.frame(site.event, 2, everything))


def test_a_hold_is_set_and_recorded_once(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    events = api(site)
    assert result(events.hold(site.event, ANA, everything, "police asked")).held
    assert result(events.hold(site.event, ANA, everything)).held
    assert not result(events.release(site.event, ANA, everything)).held
    told = [event for event in site.heard if event.kind in ("evidence.held", "evidence.released")]
    assert [(event.kind, event.text, event.reason) for event in told] == [
        ("evidence.held", "ana put door.opened on hold", "police asked"),
        ("evidence.released", "ana took door.opened off hold", None),
    ]
    assert told[0].details["event"] == site.event
    assert told[0].caller == ANA


def check_as_a_browser_would(answer: Verification) -> list[chain.Problem]:
    records = [
        chain.Record(
            one.sequence,
            bytes.fromhex(one.previous),
            bytes.fromhex(one.hash),
            None if one.body is None else one.body.encode(),
        )
        for one in answer.records
    ]

    def signed(one: Any) -> chain.Signed:
        return chain.Signed(one.statement.encode(), bytes.fromhex(one.signature))

    return list(
        chain.check(
            records,
            site=answer.site,
            keys={name: bytes.fromhex(key) for name, key in answer.keys.items()},
            head=signed(answer.end),
            statements=map(signed, answer.statements),
            begin=None if answer.begin is None else signed(answer.begin),
        )
    )


def test_a_verification_can_be_done_again_by_whoever_asked(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    answer = result(api(site).verify(site.event, everything))
    assert (answer.sound, answer.whole, answer.sequence, answer.checked) == (True, True, 7, 13)
    assert (answer.first, answer.last, answer.begun, answer.ended) == (2, 14, NOW, NOW)
    assert check_as_a_browser_would(answer) == []


def test_a_verification_for_somebody_who_sees_a_part_shows_no_more(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    answer = result(api(site).verify(site.event, fronts))
    assert (answer.sound, answer.whole, answer.checked) == (True, False, 13)
    assert [record.sequence for record in answer.records] == [7]
    assert b"M-AB" not in msgspec.json.encode(answer)


def test_a_verification_names_what_is_wrong(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    site.store.blocking(
        lambda connection: connection.execute(table.update().where(table.c.sequence == 6).values(body=b"{}"))
    )
    answer = result(api(site).verify(site.event, everything))
    assert not answer.sound
    assert [(problem.sequence, problem.fault) for problem in answer.problems] == [(6, "altered")]
    assert check_as_a_browser_would(answer)


def test_an_export_is_written_recorded_and_sound(tmp_path: Path) -> None:
    site = Opened(tmp_path)
    exported = result(api(site).export(site.event, ANA, everything))
    verdict = verify(exported.path, site.signer.id)
    assert (verdict.problems, verdict.pictures, verdict.by) == ([], 3, "ana")
    assert (site.heard[-1].kind, site.heard[-1].caller) == ("evidence.exported", ANA)
    assert site.heard[-1].details == {"event": site.event, "pictures": 3, "bytes": exported.size, "whole": True}


def test_too_many_exports_are_refused_and_the_next_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Opened(tmp_path)
    events = api(site)
    site.store.by_hand = True
    asked = [events.export(site.event, ANA, everything) for _ in range(4)]
    with pytest.raises(Overloaded):
        result(events.export(site.event, ANA, everything))
    site.store.by_hand = False
    while site.store.waiting:
        site.store.answer()
    assert [result(one).pictures for one in asked] == [3] * 4
    assert result(events.export(site.event, ANA, everything)).pictures == 3
