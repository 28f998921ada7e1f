"""`router` in the configuration: the short form, the whole one, and what is wrong with others."""

from pathlib import Path

import pytest

from gatekeeper import config
from gatekeeper.config import Router, Secret
from gatekeeper.errors import ConfigurationError


def test_without_one_the_site_is_by_itself() -> None:
    assert config.parse("").router is None


def test_one_line_is_enough() -> None:
    assert config.parse('router = "wss://host/ws"').router == Router(url="wss://host/ws", realm="gatekeeper")


def test_a_realm_and_a_ticket() -> None:
    text = '[router]\nurl = "ws://host:8080/ws"\nrealm = "estate"\nauthid = "north"\nticket = {env = "NORTH"}\n'
    expected = Router(url="ws://host:8080/ws", realm="estate", authid="north", ticket=Secret(env="NORTH"))
    assert config.parse(text).router == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('router = "host"', "router.url: found "),
        ('router = "http://host/ws"', "router.url: found "),
        ("router = 5", "router: found a number; allowed: a table with url, "),
        ("[router]", "router.url: missing; it has no default"),
        ('[router]\nurl = "ws://h/"\nauthid = "north"', "router: authid and ticket belong together; "),
        ('[router]\nurl = "ws://h/"\nticket = {env = "NORTH"}', "router: authid and ticket belong together; "),
        (
            '[router]\nurl = "ws://h/"\nauthid = "n"\nticket = "s3cret"',
            "router.ticket: found text; allowed: a secret, ",
        ),
        ('[router]\nurl = "ws://h/"\nrelm = "estate"', "router.relm: no such key; did you mean "),
    ],
)
def test_what_is_wrong_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        config.parse(text)
    assert str(raised.value).removeprefix("gatekeeper.toml: ").startswith(sentence)
    assert "s3cret" not in str(raised.value)


def test_the_ticket_is_read_before_the_start(tmp_path: Path) -> None:
    text = '[router]\nurl = "ws://h/"\nauthid = "north"\nticket = {file = "ticket"}\n'
    site = config.parse(text)
    with pytest.raises(ConfigurationError, match=r"^router\.ticket: can't read "):
        config.read_secrets(site, tmp_path)
    (tmp_path / "ticket").write_text("secret\n", encoding="utf-8")
    config.read_secrets(site, tmp_path)
