"""Cameras that connect to us, as the configuration says it: what tells them, which ports, and what makes no sense."""

from pathlib import Path

import pytest

from gatekeeper import config
from gatekeeper.errors import ConfigurationError

S3 = '[[cameras]]\nid = "s3"\n'
PUSH = S3 + 'push = {path = "/s3"}\n'


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        config.parse(text, "site")
    return str(caught.value).removeprefix("site: ")


def test_without_a_push_camera_nothing_listens_for_one() -> None:
    assert config.parse("").push_places == (None, None)


def test_with_one_both_ports_of_the_seed_are_open() -> None:
    stream, control = config.parse(PUSH).push_places
    assert stream is not None
    assert control is not None
    assert (stream.port, control.port) == (6972, 6971)


def test_ports_can_be_moved_closed_and_opened_for_adoption() -> None:
    stream, control = config.parse('[push]\nlisten = "tcp:7000"\n').push_places
    assert stream is not None
    assert (stream.port, control) == (7000, None)
    assert config.parse(f'[push]\ncontrol = ""\n{PUSH}').push_places[1] is None


def test_its_stall_time_fits_the_real_firmwares_default_pace() -> None:
    push = config.parse(PUSH).cameras[0].push
    assert push is not None
    assert (push.stall_timeout, push.command_timeout) == (6.0, 2.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (S3 + 'url = "http://x/"\npush = {path = "/s3"}', "cameras[0]: found url and push; a camera has one of them"),
        (S3 + "push = {}", "cameras[0].push: give at least one of path, token, device, address"),
        (S3 + 'push = {path = "s3"}', "cameras[0].push.path: found"),
        (S3 + 'push = {address = "camera"}', 'cameras[0].push.address: found "camera"; allowed is an IP address'),
        (S3 + 'push = {address = "::0001"}', 'cameras[0].push.address: found "::0001"; allowed is "::1"'),
        (S3 + 'push = {pat = "/s3"}', 'cameras[0].push.pat: no such key; did you mean "path"?'),
        (PUSH + "stall_timeout = 3", "cameras[0].stall_timeout: is not for a camera that connects to us; "
                                     "cameras[0].push.stall_timeout is"),
        (PUSH + "retry_maximum = 3", "cameras[0].retry_maximum: is not for a camera that connects to us"),
        (PUSH + PUSH.replace('"s3"', '"s4"'), "cameras[1].push: is told as cameras[0] is; something must differ"),
        ('[push]\nlisten = "ssl:6972"', 'push.listen: found "ssl:6972"; allowed is tcp:, cameras know no other'),
        ('[push]\nlisten = "6972"', 'push.listen: found "6972"; allowed is a Twisted endpoint'),
        ('[push]\nlisten = "tcp:8000"', "push.listen: port 8000 is already that of listen"),
        ('[push]\nlisten = "tcp:1"\ncontrol = "tcp:1"', "push.control: port 1 is already that of push.listen"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_by_its_key(text: str, sentence: str) -> None:
    assert refusal(text).startswith(sentence)


def test_a_token_is_read_at_the_start_like_every_secret(tmp_path: Path) -> None:
    site = config.parse(S3 + 'push = {token = {file = "token"}}')
    with pytest.raises(ConfigurationError, match=r"^cameras\[0\]\.push\.token: can't read"):
        config.read_secrets(site, tmp_path)
    (tmp_path / "token").write_text("x")
    config.read_secrets(site, tmp_path)


def test_a_token_in_the_clear_is_never_shown() -> None:
    sentence = refusal(S3 + 'push = {token = "open sesame"}')
    assert sentence.startswith("cameras[0].push.token: found text")
    assert "sesame" not in sentence
