"""One table of errors for every wire."""

import re

import pytest

import gatekeeper.site  # noqa: F401 - so that every class of the tree is there
from gatekeeper.errors import WAMP_PREFIX, GatekeeperError, all_errors

ERRORS = all_errors()


def test_the_table_holds_every_error_once_and_parents_first() -> None:
    assert len(set(ERRORS)) == len(ERRORS)
    assert ERRORS[0] is GatekeeperError
    for error in ERRORS[1:]:
        assert all(ERRORS.index(parent) < ERRORS.index(error) for parent in error.__mro__[1:] if parent in ERRORS)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_has_a_code_of_its_own_and_not_its_parents(error: type[GatekeeperError]) -> None:
    assert "code" in vars(error)
    assert [other for other in ERRORS if other.code == error.code] == [error]
    assert re.fullmatch("[a-z]+(_[a-z]+)*", error.code)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_can_be_told_on_every_wire(error: type[GatekeeperError]) -> None:
    told = error("what happened")
    assert 400 <= told.status < 600
    assert told.uri == f"{WAMP_PREFIX}{error.code}"
    assert told.uri.startswith("gatekeeper.error.")
    assert str(told) == "what happened"


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_says_what_it_means(error: type[GatekeeperError]) -> None:
    assert error.__doc__
    assert error.__doc__.endswith((".", "\n    "))
