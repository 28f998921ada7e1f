"""Secrets stand in variables and files: what is wrong with one is told, the secret itself never."""

from pathlib import Path

import pytest

from gatekeeper import config
from gatekeeper.config import Secret
from gatekeeper.errors import ConfigurationError

SECRET = "correct-horse-battery-staple"
CAMERA = '[[cameras]]\nid = "yard"\nurl = "http://192.168.137.20/stream"\n'


@pytest.mark.parametrize(
    "text",
    [
        f"[access]\nadmin_token = '{SECRET}'",
        f"access = '{SECRET}'",
        f"[access]\nadmin_token = ['{SECRET}']",
        f"[access]\nadmin_token = {{env = ['{SECRET}']}}",
        f"[access]\nadmin_token = {{token = '{SECRET}'}}",
        f"[access]\ntoken = '{SECRET}'",
        CAMERA + f"password = '{SECRET}'",
        CAMERA + f"username = ['{SECRET}']",
        (CAMERA + f"password = '{SECRET}'").replace("[[cameras]]", "[cameras]"),
        f"cameras = 'http://admin:{SECRET}@192.168.137.20/'",
        f"cameras = ['http://admin:{SECRET}@192.168.137.20/']",
        f'"two\\nlines" = 1\n[access]\nadmin_token = "{SECRET}"',
    ],
)
def test_a_secret_that_stands_in_the_file_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.parse(text)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_refusal_of_a_plain_secret_says_where_secrets_stand() -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.parse(f"[access]\nadmin_token = '{SECRET}'", "site.toml")
    assert str(caught.value) == (
        "site.toml: access.admin_token: found text; "
        'allowed: a secret, which stands as {env = "NAME"} or {file = "path"}'
    )


def test_a_secret_comes_from_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATE_TOKEN", SECRET)
    assert Secret(env="GATE_TOKEN").read("access.admin_token", tmp_path) == SECRET


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_comes_from_a_file_beside_the_configuration_without_its_line_break(end: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(f"{SECRET} {end}".encode())
    assert Secret(file="token").read("access.admin_token", tmp_path) == f"{SECRET} "


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_missing_or_empty_is_named(
    value: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GATE_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("GATE_TOKEN", value)
    with pytest.raises(ConfigurationError, match=r"^a\.b: the environment variable GATE_TOKEN is not set$"):
        Secret(env="GATE_TOKEN").read("a.b", tmp_path)


def test_a_file_that_is_missing_empty_or_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "binary").write_bytes(b"\xff" + SECRET.encode())
    for name, why in (
        ("gone", "No such file or directory"),
        ("empty", "is empty"),
        ("binary", "not UTF-8 at byte 0"),
        ("a\0b", "no file's name holds a zero byte"),
        ("~nobody-of-this-name/x", "there is no such home directory"),
    ):
        with pytest.raises(ConfigurationError, match=f"^a.b: .*{why}$") as caught:
            Secret(file=name).read("a.b", tmp_path)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("secret", [Secret(), Secret(env="A", file="b")])
def test_a_secret_stands_in_exactly_one_place(secret: Secret, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^a\.b: give exactly one of "):
        secret.read("a.b", tmp_path)


def test_every_secret_of_a_site_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATE_TOKEN", SECRET)
    site = config.parse('[access]\nadmin_token = {env = "GATE_TOKEN"}\n' + CAMERA + CAMERA.replace("yard", "door"))
    config.read_secrets(site, tmp_path)
    text = '[access]\nadmin_token = {env = "GATE_TOKEN"}\n' + CAMERA + 'username = "a"\npassword = {file = "gone"}'
    with pytest.raises(ConfigurationError, match=r"^cameras\[0\]\.password: can't read "):
        config.read_secrets(config.parse(text), tmp_path)
    monkeypatch.delenv("GATE_TOKEN")
    with pytest.raises(ConfigurationError, match=r"^access\.admin_token: "):
        config.read_secrets(site, tmp_path)


DOOR = '[[doors]]\nid = "front"\nurl = "ws://10.0.0.3/ws"\nkey = {env = "GATE_KEY"}\n'


@pytest.mark.parametrize("text", ["ab" * 32, "AB" * 32, f" {'ab' * 32}\n"], ids=["lower", "upper", "blanks"])
def test_a_doors_key_is_32_bytes_in_hexadecimal(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATE_KEY", text)
    site = config.parse(DOOR)
    config.read_secrets(site, tmp_path)
    assert config.read_key(site.doors[0], "doors[0]", tmp_path) == b"\xab" * 32


@pytest.mark.parametrize("text", ["ab" * 31, "ab" * 33, "ag" * 32, "0x" + "ab" * 31, "\u0661" * 64, SECRET])
def test_what_is_no_key_is_named_and_not_shown(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATE_KEY", text)
    with pytest.raises(ConfigurationError, match=r"^doors\[0\]\.key: found no 64 hexadecimal digits") as caught:
        config.read_secrets(config.parse(DOOR), tmp_path)
    assert text not in str(caught.value)


def test_a_key_in_the_configuration_itself_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match=r"^gatekeeper\.toml: doors\[0\]\.key: ") as caught:
        config.parse(DOOR.replace('{env = "GATE_KEY"}', f'"{"ab" * 32}"'))
    assert "abab" not in str(caught.value)
