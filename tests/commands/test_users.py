"""`gatekeeper user` and `gatekeeper key`: what they change beside a running site, say, and put on the record."""

import getpass
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from gatekeeper.access.accounts import Accounts
from gatekeeper.access.passwords import Cost, Inline, Passwords
from gatekeeper.access.records import Ended, Grant
from gatekeeper.access.sealing import Seal
from gatekeeper.access.tokens import digest, parse_key
from gatekeeper.commands import main, office, users
from gatekeeper.commands.site import here
from gatekeeper.errors import InvalidArgument, StorageUnavailable
from gatekeeper.evidence import signing
from gatekeeper.evidence.blocking import BlockingJournal
from gatekeeper.evidence.event import Event, event_of
from gatekeeper.storage import connect, events, links
from gatekeeper.uris import Permission
from tests.access.people import result
from tests.commands.line import Done, good, run

PASSWORD = "sesame open the door"
LOW = Cost(memory=8, passes=1, lanes=1, cra_iterations=10)
CONFIGURATION = """
listen = "tcp:8123"
[[doors]]
id = "front"
url = "ws://192.0.2.9/ws"
[[cameras]]
id = "yard"
url = "http://192.0.2.8/stream"
"""


class Site:
    """A site that was started before, and runs: its accounts hear of changes by looking."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        data = folder / "gatekeeper-data"
        data.mkdir()
        (folder / "gatekeeper.toml").write_text(CONFIGURATION)
        self.seal = Seal.open(data)
        signing.load(data / "keys", lambda: 0.0)
        self.database = connect(f"sqlite:///{data / 'gatekeeper.sqlite'}")
        self.now = 0.0
        self.ended: list[Ended] = []
        self.accounts = Accounts(office.AtOnce(self.database), record=lambda *_, **__: None, wall=lambda: self.now)
        self.accounts.observe(self.ended.append)
        self.look()

    def look(self) -> Accounts:
        result(self.accounts.poll())
        return self.accounts

    def recorded(self) -> list[Event]:
        return [event_of(row) for row in self.database.read(lambda it: events.between(it, 1, 1000))]

    def accepts(self, name: str, password: str) -> bool:
        account = self.look().account(name)
        assert account is not None
        assert account.credentials is not None
        return result(Passwords(self.seal, Inline(), LOW).verify(account.credentials.password_hash, password))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(office, "Passwords", partial(Passwords, cost=LOW))
    if users not in main.MODULES:
        monkeypatch.setattr(main, "MODULES", (*main.MODULES, users))
    it = Site(tmp_path)
    assert add("admin", "owner").code == 0
    yield it
    it.database.close()


def add(name: str, role: str, *more: str, password: str = PASSWORD) -> Done:
    return run("user", "add", name, "--role", role, *more, stdin=password + "\n")


# --- accounts ---


def test_somebody_is_added_while_the_site_runs(site: Site) -> None:
    done = add("ana", "operator", "--on", "door:front", "--on", "camera:*")
    assert (done.code, done.out, done.err) == (0, "added ana as operator with camera:* door:front\n", "")
    account = site.look().account("ana")
    assert account is not None
    assert (account.role, account.grants) == ("operator", frozenset({Grant("door", "front"), Grant("camera", "*")}))
    assert site.accepts("ana", PASSWORD)
    assert not site.accepts("ana", PASSWORD + "s")


def test_who_gets_nothing_to_see_is_told_how_to_give_it(site: Site) -> None:
    assert "no camera or door is granted to ana yet: gatekeeper user grant ana " in add("ana", "viewer").err
    assert add("lock", "device").err == ""


def test_an_account_without_a_password_needs_no_input(site: Site) -> None:
    assert run("user", "add", "lock", "--role", "device", "--no-password").code == 0
    account = site.look().account("lock")
    assert account is not None
    assert account.credentials is None


def test_a_new_password_ends_the_log_ins(site: Site) -> None:
    add("ana", "viewer")
    site.look()
    said = good("user", "passwd", "ana", stdin="another long secret\n")
    assert said == "changed the password of ana; its log-ins have ended, its API keys have not\n"
    assert site.accepts("ana", "another long secret")
    assert site.ended == [Ended("ana", why="the password was changed")]


def test_a_role_and_grants_change_while_the_site_runs(site: Site) -> None:
    add("ana", "viewer")
    assert good("user", "role", "ana", "operator") == "made ana operator\n"
    assert good("user", "grant", "ana", "door:front", "camera:yard") == "ana has camera:yard door:front\n"
    who = site.look().principal("ana", caller=here())
    assert who is not None
    assert who.may(Permission.DOOR_OPEN, "front")
    assert good("user", "revoke", "ana", "door:front") == "ana has camera:yard\n"
    who = site.look().principal("ana", caller=here())
    assert who is not None
    assert not who.may(Permission.DOOR_OPEN)
    assert site.ended == [Ended("ana", why="a grant was revoked")]


def test_somebody_is_shut_out_and_let_in_again(site: Site) -> None:
    add("ana", "viewer")
    site.look()
    assert good("user", "disable", "ana") == "disabled ana\n"
    assert site.look().principal("ana", caller=here()) is None
    assert good("user", "enable", "ana") == "enabled ana\n"
    assert site.look().principal("ana", caller=here()) is not None
    assert site.ended == [Ended("ana", why="the account was disabled")]


def test_an_account_is_removed_only_when_it_was_meant(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    add("ana", "viewer")
    assert run("user", "revoke", "ana").why == "give --yes to remove an account, or run this at a terminal"
    answers = iter(["", "n", "yes"])
    monkeypatch.setattr("builtins.input", lambda question: question and next(answers))
    monkeypatch.setattr(sys, "stdin", Terminal())
    for _ in range(2):
        with pytest.raises(InvalidArgument, match="nothing was changed"):
            users.confirm("remove ana?", given=False)
    users.confirm("remove ana?", given=False)
    assert site.look().account("ana") is not None
    assert good("user", "revoke", "ana", "--yes") == "removed ana\n"
    assert site.look().account("ana") is None


class Terminal:
    """Standard input with somebody in front of it."""

    def isatty(self) -> bool:
        return True


def test_the_accounts_are_listed(site: Site) -> None:
    add("ana", "operator", "--on", "door:front")
    run("user", "add", "lock", "--role", "device", "--no-password")
    good("user", "disable", "lock")
    run("key", "new", "ana", "--label", "script")
    assert good("user", "list").splitlines() == [
        "name   role               on          password  keys  log-ins  last used",
        "admin  owner              everything  yes       0     0        -",
        "ana    operator           door:front  yes       1     0        -",
        "lock   device (disabled)  -           no        0     0        -",
    ]
    listed = msgspec.json.decode(good("user", "list", "--json"))
    assert [(user["name"], user["role"], user["keys"]) for user in listed] == [
        ("admin", "owner", 0),
        ("ana", "operator", 1),
        ("lock", "device", 0),
    ]


# --- what is refused ---


@pytest.mark.parametrize(
    ("arguments", "stdin", "why"),
    [
        (("user", "add", "ana", "--role", "king"), PASSWORD, 'role: found "king"; Allowed: owner, operator, viewer,'),
        (("user", "add", "Ana", "--role", "viewer"), PASSWORD, 'name: found "Ana"; allowed: lower-case letters'),
        (("user", "add", "local", "--role", "viewer"), PASSWORD, 'name: "local" is reserved: the record means this'),
        (("user", "add", "admin", "--role", "viewer"), "", 'there is an account "admin" already'),
        (("user", "add", "ana", "--role", "viewer"), "short", "password: too short; at least 10 characters"),
        (("user", "add", "ana", "--role", "viewer"), "", "no password: give it as a line of standard input, or run"),
        (("user", "add", "ana", "--role", "viewer", "--on", "front"), PASSWORD, 'found "front"; allowed: KIND:ID, as'),
        (
            ("user", "add", "ana", "--role", "viewer", "--on", "dor:a"),
            PASSWORD,
            'kind: found "dor"; did you mean "door"',
        ),
        (("user", "role", "admin", "viewer"), "", '"admin" is the last owner: make somebody else an owner first'),
        (("user", "disable", "admin"), "", '"admin" is the last owner'),
        (("user", "revoke", "admin", "--yes"), "", '"admin" is the last owner'),
        (("user", "passwd", "admn"), PASSWORD, 'there is no account "admn"; did you mean "admin"?'),
        (("user", "link", "zoe"), "", 'there is no account "zoe"'),
        (("user", "grant", "ana", "door:front"), "", 'there is no account "ana"'),
        (("user", "revoke", "ana"), "", 'there is no account "ana"'),
        (("key", "new", "ana", "--label", "x"), "", 'there is no account "ana"'),
        (("key", "new", "admin", "--label", "x", "--may", "door.opn"), "", 'permissions: found "door.opn"; did you'),
        (("key", "new", "admin", "--label", "x", "--days", "-1"), "", "expires: found "),
        (("key", "list", "ana"), "", 'there is no account "ana"'),
        (("key", "revoke", "k9"), "", 'there is no API key "k9"'),
    ],
)
def test_what_is_refused_is_one_line_and_changes_nothing(
    arguments: tuple[str, ...], stdin: str, why: str, site: Site
) -> None:
    before = site.look().all()
    assert run(*arguments, stdin=stdin).why.startswith(why)
    assert site.look().all() == before


def test_a_slip_in_a_things_name_is_pointed_out(site: Site) -> None:
    done = add("ana", "viewer", "--on", "door:fornt", "--on", "camera:*", "--on", "gate:north")
    assert done.err == 'the configuration has no door "fornt"; did you mean "front"? Allowed: front\n'
    assert 'no camera "yrd"; did you mean "yard"?' in run("user", "grant", "ana", "camera:yrd").err
    assert "ana doesn't have door:front" in run("user", "revoke", "ana", "door:front").err


def test_without_a_site_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if users not in main.MODULES:
        monkeypatch.setattr(main, "MODULES", (*main.MODULES, users))
    assert "there is no site at" in run("user", "list").why
    assert list(tmp_path.iterdir()) == []


# --- passwords at a terminal ---


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    left = iter(lines)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(left))


def test_a_password_is_typed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, PASSWORD, PASSWORD)
    assert users.ask_password("ana") == PASSWORD
    typed(monkeypatch, PASSWORD, PASSWORD + "x")
    with pytest.raises(InvalidArgument, match="the two passwords differ: nothing was changed"):
        users.ask_password("ana")


def test_a_bad_password_is_not_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "short")
    with pytest.raises(InvalidArgument, match="too short"):
        users.ask_password("ana")


# --- links ---


def test_a_link_is_good_once_for_whoever_has_it(site: Site) -> None:
    add("ana", "viewer")
    done = run("user", "link", "ana")
    link = done.out.strip()
    address, _, code = link.partition("/login?code=")
    assert address == "http://localhost:8123"
    assert done.err == "good once, for a day; who opens it chooses the password\n"
    found = site.database.write(lambda it: links.use(it, digest(code), 0.0))
    assert found is not None
    assert (found.account, found.role) == ("ana", "viewer")
    assert site.database.write(lambda it: links.use(it, digest(code), 0.0)) is None
    event = site.recorded()[-1]
    assert (event.kind, event.subject) == ("access.link_made", "ana")
    assert code not in repr(site.recorded())


def test_a_disabled_account_gets_no_link(site: Site) -> None:
    add("ana", "viewer")
    good("user", "disable", "ana")
    assert run("user", "link", "ana").why == "ana is disabled: gatekeeper user enable ana"


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ('"tcp:8000"', "http://localhost:8000"),
        ('"tcp:8000:interface=192.0.2.1"', "http://192.0.2.1:8000"),
        ('["tcp:8000:interface=127.0.0.1", "ssl:8443"]', "https://localhost:8443"),
        ('"tcp:8000:interface=\\\\:\\\\:1"', "http://[::1]:8000"),
        ('"tcp:0"', ""),
        ('"unix:/run/gatekeeper.sock"', ""),
    ],
)
def test_a_link_begins_with_the_configured_address(listen: str, expected: str, site: Site) -> None:
    (site.folder / "gatekeeper.toml").write_text(f"listen = {listen}\n")
    assert run("user", "link", "admin").out.startswith(f"{expected}/login?code=")


# --- keys ---


def test_a_key_is_shown_alone_and_once(site: Site) -> None:
    add("ana", "operator", "--on", "door:front")
    done = run("key", "new", "ana", "--label", "door bell", "--may", "door.open", "--on", "door:front", "--days", "2")
    parsed = parse_key(done.out.strip())
    assert parsed is not None
    number, secret = parsed
    assert done.err.startswith(f"made {number} for ana; it is shown this once, and good until ")
    key = site.look().key(number)
    assert key is not None
    assert key.hash == digest(secret)
    assert key.permissions == frozenset({"door.open"})
    assert key.things == frozenset({Grant("door", "front")})
    assert secret not in repr(site.recorded())
    listed = good("key", "list", "ana").splitlines()
    assert listed[0].split() == ["id", "account", "label", "may", "on", "last", "used", "until"]
    assert listed[1].split()[:6] == [number, "ana", "door", "bell", "door.open", "door:front"]


def test_a_key_is_revoked_by_its_id_or_by_the_whole_of_it(site: Site) -> None:
    made = [run("key", "new", "admin", "--label", f"n{number}").out.strip() for number in range(3)]
    numbers = [key.split("_")[1] for key in made]
    site.look()
    for text in (made[0], numbers[1], f"gk_{numbers[2]}"):
        assert run("key", "revoke", text).err == "revoked\n"
    site.look()
    assert [ended.key for ended in site.ended] == numbers
    assert [key["active"] for key in msgspec.json.decode(good("key", "list", "--json"))] == [False] * 3
    assert good("key", "list").count("is over") == 3


# --- the record ---


def test_everything_is_on_the_sites_record_and_says_who_it_was(site: Site) -> None:
    add("ana", "viewer")
    run("user", "revoke", "admin", "--yes")
    made, refused = site.recorded()[1:]
    assert (made.kind, made.subject, made.outcome) == ("access.user_added", "ana", "ok")
    assert made.text == "the command line added ana as viewer"
    assert made.caller is not None
    assert (made.caller.client, made.caller.address, made.caller.name) == ("command line", "local", None)
    assert (refused.kind, refused.subject, refused.outcome) == ("access.change_refused", "admin", "conflict")
    assert PASSWORD not in repr(site.recorded())


def test_what_could_not_be_recorded_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise StorageUnavailable("the database: disk full")

    monkeypatch.setattr(BlockingJournal, "record", fails)
    done = run("user", "role", "admin", "owner")
    assert (done.code, done.out) == (0, "made admin owner\n")
    assert done.err == "not on the record: the command line made admin owner: the database: disk full\n"
