"""Which camera a connection is: what is decided before it registers never changes when it does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.cameras.push.identity import Facts, Known, identify, registered

GARDEN = Known("garden", path="/garden")
KITCHEN = Known("kitchen", device="k")
BATH = Known("bath", path="/garden", device="b")


@pytest.mark.parametrize(
    ("known", "path", "before", "device", "after"),
    [
        ([GARDEN, KITCHEN], "/garden", "garden", "k", "garden"),
        ([GARDEN, KITCHEN], "/", None, "k", "kitchen"),
        ([GARDEN, KITCHEN], "/", None, None, None),
        ([GARDEN, BATH], "/garden", None, "b", "bath"),
        ([GARDEN, BATH], "/garden", None, "x", "garden"),
        ([GARDEN, BATH], "/garden", None, None, "garden"),
    ],
)
def test_the_one_that_asks_more_is_meant(
    known: list[Known], path: str, before: str | None, device: str | None, after: str | None
) -> None:
    facts = Facts("10.0.0.5", path)
    assert identify(known, facts) == before
    assert identify(known, registered(facts, device)) == after


TEXTS = st.none() | st.sampled_from(["/", "/a", "b"])
KNOWN = st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), max_size=5, unique=True)


@given(KNOWN, st.sampled_from(["/", "/a"]), TEXTS, TEXTS, st.sampled_from(["b", "c"]))
def test_registering_changes_nothing_that_was_decided(
    asked: list[tuple[str | None, ...]], path: str, token: str | None, device: str | None, address: str
) -> None:
    known = [Known(str(number), *parts) for number, parts in enumerate(asked) if any(parts)]
    facts = Facts(address, path, token)
    before = identify(known, facts)
    assert before is None or identify(known, registered(facts, device)) == before


def test_a_wrong_token_is_nobody() -> None:
    known = [Known("garden", token="open sesame")]
    assert identify(known, Facts("10.0.0.5", "/", "open sesame")) == "garden"
    assert identify(known, Facts("10.0.0.5", "/", "öpen")) is None
    assert identify(known, Facts("10.0.0.5", "/")) is None
