import pytest

from gatekeeper.wamp.methods.saslprep import saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("", ""),
    ],
)
def test_the_examples_of_rfc_4013(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u0627\u0031", "a\ud800", "\ue000", "\u0627a\u0628", "\u200e"])
def test_what_is_prohibited(text: str) -> None:
    with pytest.raises(ValueError, match="prohibits"):
        saslprep(text)


def test_right_to_left_text_is_whole() -> None:
    assert saslprep("\u0627\u0031\u0628") == "\u0627\u0031\u0628"
