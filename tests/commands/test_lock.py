"""`gatekeeper lock pair`: the key, where it is told to go, and that what it tells can be used."""

import re
from pathlib import Path

import pytest

from gatekeeper import config
from tests.commands.line import good, run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(text: str, url: str = "ws://10.0.0.3/ws") -> tuple[str, config.Site]:
    """Return the key that was told for the device, and the site of the configuration that was told with it."""
    [key] = re.findall(r"^  gk set key ([0-9a-f]{64})$", text, re.MULTILINE)
    assert f'#define GK_LOCK_KEY "{key}"' in text
    lines = re.findall(r"^  (\[\[doors\]\]|\w+ = .*)$", text, re.MULTILINE)
    return key, config.parse("\n".join(lines).replace("<the address of the lock>", "10.0.0.3"))


def test_what_it_tells_can_be_used(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = good("lock", "pair", "back-door")
    key, site = told(text)
    assert f"  GATEKEEPER_BACK_DOOR_KEY={key}\n" in text
    monkeypatch.setenv("GATEKEEPER_BACK_DOOR_KEY", key)
    assert site.doors[0].id == "back-door"
    assert config.read_key(site.doors[0], "doors[0]", here) == bytes.fromhex(key)
    assert list(here.iterdir()) == [], "nothing is written without being asked"


def test_every_key_is_another() -> None:
    assert told(good("lock", "pair"))[0] != told(good("lock", "pair"))[0]


def test_a_file_is_for_its_owner_alone(here: Path) -> None:
    (here / "keys").mkdir()
    key, site = told(good("lock", "pair", "front", "--to", "keys/front.key"))
    assert (here / "keys/front.key").stat().st_mode & 0o777 == 0o600
    assert site.doors[0].key == config.Secret(file="keys/front.key")
    assert config.read_key(site.doors[0], "doors[0]", here) == bytes.fromhex(key)


def test_a_file_is_named_as_the_configuration_sees_it(here: Path) -> None:
    (here / "site").mkdir()
    (here / "site/gatekeeper.toml").write_text('[[doors]]\nid = "front"\nurl = "ws://10.9.9.9/ws"\n')
    text = good("lock", "pair", "--to", "site/front.key", "--config", "site/gatekeeper.toml")
    assert told(text)[1].doors[0].key == config.Secret(file="front.key")
    assert 'url = "ws://10.9.9.9/ws"' in text
    text = good("lock", "pair", "--to", "front.key", "--config", "site/gatekeeper.toml")
    assert told(text)[1].doors[0].key == config.Secret(file=str(here.resolve() / "front.key"))


def test_a_key_that_is_there_stays(here: Path) -> None:
    (here / "front.key").write_text("of another door")
    assert "File exists" in run("lock", "pair", "--to", "front.key").why
    assert (here / "front.key").read_text() == "of another door"


def test_what_is_no_id_is_refused() -> None:
    assert run("lock", "pair", "Front Door").why.startswith('found "Front Door"; a door\'s id is ')
