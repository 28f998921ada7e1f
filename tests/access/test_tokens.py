"""The token, the link and the cookies: what logs in, for how long, and what stands in the file."""

import os
import stat
from pathlib import Path

import msgspec
import pytest

from gatekeeper.access.tokens import COOKIE_LIFE, FILE, LINK_LIFE, MAXIMUM_COOKIES, Tokens
from gatekeeper.errors import AccessDenied, ConfigurationError, NotAuthenticated

FIXED = "correct-horse-battery-staple"


class Wall:
    """A clock on the wall."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "site" / "data"


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every write from now on fail half-way."""

    def write(_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(msgspec.json, "encode", write)


# --- the file ---


def test_the_folder_and_the_file_are_for_their_owner_only(folder: Path, wall: Wall) -> None:
    before = os.umask(0)
    try:
        Tokens(folder, None, wall).new_cookie()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600


def test_what_a_crash_left_half_written_does_not_lend_its_mode(folder: Path, wall: Wall) -> None:
    folder.mkdir(parents=True)
    (folder / "access.new").write_text("half")
    (folder / "access.new").chmod(0o644)
    Tokens(folder, None, wall)
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == [FILE]


def test_the_file_holds_hashes_only(folder: Path, wall: Wall) -> None:
    access = Tokens(folder, FIXED, wall)
    link = access.new_link()
    secrets = [FIXED, link, access.new_cookie(), access.redeem(link), access.new_cookie()]
    made = Tokens(folder.parent / "other", None, wall)
    secrets.append(made.new_token())
    written = (folder / FILE).read_bytes() + (folder.parent / "other" / FILE).read_bytes()
    assert all(secret.encode() not in written for secret in secrets)


def test_what_was_given_out_survives_a_restart_but_for_links(folder: Path, wall: Wall) -> None:
    first = Tokens(folder, None, wall)
    token, cookie, link = first.new_token(), first.new_cookie(), first.new_link()
    second = Tokens(folder, None, wall)
    assert second.check_token(token)
    assert second.check_cookie(cookie)
    with pytest.raises(NotAuthenticated):
        second.redeem(link)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"\xff", b'{"admin_token": "\xff"}', b"{}",
        b'{"admin_token": 5}', b'{"admin_token": ""}',
        b'{"admin_token": "%s"}' % ("\u00e9" * 64).encode(),
        b'{"admin_token": "%s\\n"}' % (b"0" * 64),
        b'{"admin_token": "%s", "version": 2}' % (b"0" * 64),
        b'{"admin_token": "%s", "users": []}' % (b"0" * 64),
        b'{"admin_token": "%s", "cookies": {"x": 1}}' % (b"0" * 64),
        b'{"admin_token": "%s", "cookies": {"%s": "soon"}}' % (b"0" * 64, b"0" * 64),
        b'{"cookies": ' * 50_000,
    ],
)  # fmt: skip
def test_a_file_that_is_not_ours_is_left_as_it_is_and_told_in_one_sentence(
    content: bytes, folder: Path, wall: Wall
) -> None:
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        Tokens(folder, None, wall)
    assert str(caught.value).startswith(f"data: {folder / FILE} is not what this version writes: ")
    assert "\n" not in str(caught.value)
    assert (folder / FILE).read_bytes() == content


def test_a_data_folder_that_cannot_be_one_is_told(tmp_path: Path, wall: Wall) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"^data: can't use .*access\.json: (File exists|Not a directory)$"):
        Tokens(tmp_path / "file", None, wall)
    (tmp_path / "data" / FILE).mkdir(parents=True)
    with pytest.raises(ConfigurationError, match=r"^data: can't use .*access\.json: Is a directory$"):
        Tokens(tmp_path / "data", None, wall)


def test_a_crash_while_writing_leaves_the_old_file(folder: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Tokens(folder, FIXED, wall)
    cookie = access.new_cookie()
    before = (folder / FILE).read_bytes()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        access.new_cookie()
    monkeypatch.undo()
    assert (folder / FILE).read_bytes() == before
    assert Tokens(folder, FIXED, wall).check_cookie(cookie)


# --- the token ---


def test_only_the_token_is_the_token(folder: Path, wall: Wall) -> None:
    access = Tokens(folder, FIXED, wall)
    assert access.check_token(FIXED)
    for wrong in ("", FIXED[:-1], FIXED + " ", FIXED.upper(), "\udcff", "ä"):
        assert not access.check_token(wrong)


def test_a_new_token_replaces_the_one_before(folder: Path, wall: Wall) -> None:
    access = Tokens(folder, None, wall)
    first, second = access.new_token(), access.new_token()
    assert len(second) >= 43
    assert access.check_token(second)
    assert not access.check_token(first)


def test_the_token_of_the_configuration_rules_and_is_not_replaced(folder: Path, wall: Wall) -> None:
    made = Tokens(folder, None, wall).new_token()
    access = Tokens(folder, FIXED, wall)
    assert access.check_token(FIXED)
    assert not access.check_token(made)
    with pytest.raises(AccessDenied):
        access.new_token()
    assert access.check_token(FIXED)


@pytest.mark.parametrize("short", ["", "x", "x" * 19])
def test_a_token_that_could_be_guessed_is_refused_and_not_repeated(short: str, folder: Path, wall: Wall) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Tokens(folder, short, wall)
    assert str(caught.value) == "access.admin_token: too short; at least 20 characters"
    assert not folder.exists()


def test_twenty_characters_do(folder: Path, wall: Wall) -> None:
    assert Tokens(folder, "x" * 20, wall).check_token("x" * 20)


# --- the link ---


def test_a_link_logs_in_once(folder: Path, wall: Wall) -> None:
    access = Tokens(folder, None, wall)
    link = access.new_link()
    assert access.check_cookie(access.redeem(link))
    with pytest.raises(NotAuthenticated, match="used already"):
        access.redeem(link)


def test_a_link_ends_with_its_day(folder: Path, wall: Wall) -> None:
    access = Tokens(folder, None, wall)
    early, late = access.new_link(), access.new_link()
    wall.now += LINK_LIFE - 1
    access.redeem(early)
    wall.now += 1
    with pytest.raises(NotAuthenticated, match="too old"):
        access.redeem(late)


@pytest.mark.parametrize("code", ["", "x", "\u00ff"])
def test_a_code_that_nobody_gave_out_is_refused(code: str, folder: Path, wall: Wall) -> None:
    with pytest.raises(NotAuthenticated):
        Tokens(folder, None, wall).redeem(code)


# --- cookies ---


def test_a_cookie_ends_with_its_month(folder: Path, wall: Wall) -> None:
    access = Tokens(folder, None, wall)
    cookie = access.new_cookie()
    wall.now += COOKIE_LIFE - 1
    assert access.check_cookie(cookie)
    wall.now += 1
    assert not access.check_cookie(cookie)
    assert not access.check_cookie("")


def test_the_oldest_of_too_many_browsers_is_logged_out(folder: Path, wall: Wall) -> None:
    access = Tokens(folder, None, wall)
    cookies = []
    for _ in range(MAXIMUM_COOKIES + 3):
        wall.now += 1
        cookies.append(access.new_cookie())
    assert [access.check_cookie(cookie) for cookie in cookies] == [False] * 3 + [True] * MAXIMUM_COOKIES
    assert len(msgspec.json.decode((folder / FILE).read_bytes())["cookies"]) == MAXIMUM_COOKIES


def test_ended_cookies_leave_the_file(folder: Path, wall: Wall) -> None:
    access = Tokens(folder, None, wall)
    access.new_cookie()
    wall.now += COOKIE_LIFE
    access.new_cookie()
    assert len(msgspec.json.decode((folder / FILE).read_bytes())["cookies"]) == 1


def test_a_log_out_ends_one_browsers_cookie_for_good(folder: Path, wall: Wall) -> None:
    access = Tokens(folder, None, wall)
    one, other = access.new_cookie(), access.new_cookie()
    access.end_cookie(one)
    access.end_cookie(one)
    access.end_cookie("never given out")
    for now in (access, Tokens(folder, None, wall)):
        assert not now.check_cookie(one)
        assert now.check_cookie(other)


# --- a full disk ---


def test_on_a_full_disk_nothing_is_lost(folder: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Tokens(folder, None, wall)
    token, cookie, link = access.new_token(), access.new_cookie(), access.new_link()
    full_disk(monkeypatch)
    for change in (access.new_token, access.new_cookie, lambda: access.redeem(link)):
        with pytest.raises(OSError, match="No space left"):
            change()
    assert access.check_token(token)
    assert access.check_cookie(cookie)
    monkeypatch.undo()
    assert access.check_cookie(access.redeem(link))


def test_a_log_out_holds_even_on_a_full_disk(folder: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Tokens(folder, None, wall)
    cookie = access.new_cookie()
    full_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        access.end_cookie(cookie)
    assert not access.check_cookie(cookie)
