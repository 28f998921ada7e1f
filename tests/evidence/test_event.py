"""Ids are in the order of time, and bodies are the documented bytes."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.caller import Caller
from gatekeeper.evidence.event import ALPHABET, ID_LENGTH, Drafts, Ids, body_of, clean, event_of, record_of
from gatekeeper.storage.events import Row
from tests.evidence.chains import NOW, SITE

CALLER = Caller(name="ana", address="192.0.2.7", client="http", method="cookie", session="s1")


@given(st.lists(st.floats(0, 2e9), min_size=2, max_size=30))
def test_ids_grow_whatever_the_wall_clock_does(times: list[float]) -> None:
    clock = iter(times)
    ids = Ids(lambda: next(clock))
    made = [ids() for _ in times]
    assert made == sorted(set(made))
    assert all(len(one) == ID_LENGTH and set(one) <= set(ALPHABET) for one in made)


def test_ids_of_one_millisecond_grow_even_when_chance_is_at_its_end() -> None:
    ids = Ids(lambda: NOW, lambda bits: 2**bits - 1)
    made = [ids() for _ in range(1000)]
    assert made == sorted(set(made))
    assert len({one[:10] for one in made}) == 1, "the time of all is the same"


def test_ids_of_different_times_sort_by_time() -> None:
    assert Ids(lambda: NOW)() < Ids(lambda: NOW + 0.001)() < Ids(lambda: NOW + 1)()


def test_a_body_is_the_documented_text() -> None:
    drafts = Drafts(lambda: NOW, iter([100.0, 112.5]).__next__, run="1" * 16)
    pending = drafts.draft(
        "door.opened",
        'ana "opened"',
        subject="front",
        caller=CALLER,
        cause="c",
        reason="Päckchen",
        details={"latency": 0.041},
    )
    body = body_of(SITE, 7, pending)
    assert body.decode() == (
        f'{{"sequence":7,"id":"{pending.id}","site":"{SITE}","time":1800000000.0,"run":"{"1" * 16}","elapsed":12.5,'
        '"kind":"door.opened","subject":"front","caller":{"name":"ana","address":"192.0.2.7","client":"http",'
        '"method":"cookie","key":null,"session":"s1"},"cause":"c","outcome":"ok","reason":"Päckchen",'
        '"text":"ana \\"opened\\"","details":{"latency":0.041}}'
    )
    assert json.loads(body)["caller"]["name"] == pending.actor


def row(body: bytes | None) -> Row:
    return Row(7, "i", NOW, "door.opened", "front", "ana", "ok", None, body, b"p" * 32, b"h" * 32, False, 2, "partial")


def test_a_row_without_a_readable_body_is_still_an_event() -> None:
    assert event_of(row(None)).text == "erased by retention"
    for body in (b"", b"\xff", b"[]", b"{}", b"[" * 100_000):
        event = event_of(row(body))
        assert "tampered" in event.text
        assert (event.sequence, event.kind, event.actor, event.pictures, event.bundle) == (
            7,
            "door.opened",
            "ana",
            2,
            "partial",
        )
        assert event.hash == "68" * 32


def test_a_record_carries_the_columns_to_compare() -> None:
    record = record_of(row(b"{}"))
    assert record.columns == {
        "id": "i",
        "time": NOW,
        "kind": "door.opened",
        "subject": "front",
        "actor": "ana",
        "outcome": "ok",
        "cause": None,
    }


@given(st.text())
def test_cleaned_text_is_taken_by_every_database(text: str) -> None:
    cleaned = clean(text, 20)
    assert len(cleaned) <= 20
    assert "\0" not in cleaned
    cleaned.encode()
    assert clean(cleaned, 20) == cleaned
