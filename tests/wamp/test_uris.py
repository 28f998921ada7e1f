import pytest

from gatekeeper.wamp.uris import MAX_URI_LENGTH, UriRule, is_reserved


@pytest.mark.parametrize("uri", ["a", "a.b", "com.example.door_1", "com.exämple.Door-1", "a.b/c?d"])
def test_a_loose_uri(uri: str) -> None:
    assert UriRule.LOOSE.accepts(uri)


@pytest.mark.parametrize(
    "uri", ["", ".", ".a", "a.", "a..b", "a b", "a.b\n", "a#b", "a\tb", "a" * (MAX_URI_LENGTH + 1)]
)
def test_no_uri_by_any_rule(uri: str) -> None:
    assert not UriRule.LOOSE.accepts(uri)
    assert not UriRule.STRICT.accepts(uri)


@pytest.mark.parametrize(("uri", "is_strict"), [("a.b_1", True), ("a.B", False), ("a.b-c", False), ("ä", False)])
def test_a_strict_uri_is_of_lower_case_letters_digits_and_underscores(uri: str, is_strict: bool) -> None:
    assert UriRule.STRICT.accepts(uri) is is_strict


def test_only_the_first_component_reserves_a_name() -> None:
    assert is_reserved("wamp")
    assert is_reserved("wamp.session.get")
    assert not is_reserved("wampum.a")
    assert not is_reserved("a.wamp.b")
