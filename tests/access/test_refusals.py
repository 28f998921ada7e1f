"""What the record is told of those who were not let in."""

from typing import Any

import pytest

from gatekeeper.access.refusals import MAXIMUM_ADDRESSES, QUIET, Refusals
from gatekeeper.caller import Caller
from gatekeeper.errors import NotAuthenticated

WRONG = NotAuthenticated("no such key")


class Record:
    """A record, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[tuple[str, str, dict[str, Any]]] = []
        self.refusals = Refusals(lambda kind, text, **more: self.told.append((kind, text, more)), lambda: self.now)

    def noise(self, address: str) -> None:
        self.refusals.tell_some(WRONG, "a request", Caller(address=address))


@pytest.fixture
def record() -> Record:
    return Record()


def test_each_wrong_password_is_told_with_the_account_that_it_was_for(record: Record) -> None:
    for _ in range(2):
        record.refusals.tell(WRONG, "a log-in", Caller(address="192.0.2.7"), "ana")
    assert record.told == 2 * [
        (
            "access.refused",
            "a log-in as ana from 192.0.2.7 was refused: no such key",
            {
                "subject": "ana",
                "caller": Caller(address="192.0.2.7"),
                "outcome": "not_authenticated",
                "reason": "no such key",
            },
        )
    ]


def test_of_a_flood_one_a_minute_is_told_and_the_others_are_counted(record: Record) -> None:
    for _ in range(1000):
        record.noise("192.0.2.7")
    record.noise("192.0.2.8")
    assert len(record.told) == 2
    record.now = QUIET
    record.noise("192.0.2.7")
    assert record.told[-1][1] == (
        "a request (after 999 more that were not recorded) from 192.0.2.7 was refused: no such key"
    )
    record.now = 2 * QUIET
    record.noise("192.0.2.7")
    assert record.told[-1][1] == "a request from 192.0.2.7 was refused: no such key"


def test_one_home_of_ipv6_is_one(record: Record) -> None:
    for number in range(100):
        record.noise(f"2001:db8::{number}")
    assert len(record.told) == 1


def test_no_more_addresses_are_kept_than_the_maximum(record: Record) -> None:
    for number in range(MAXIMUM_ADDRESSES * 2):
        record.noise(f"10.0.{number // 250}.{number % 250}")
    assert len(record.refusals._heard) == MAXIMUM_ADDRESSES
