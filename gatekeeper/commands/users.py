"""`gatekeeper user …`: who may come in, with which role, on which things."""

import argparse
import getpass
import sys
import time

import msgspec

from gatekeeper import uris
from gatekeeper.access import links
from gatekeeper.access.passwords import check_policy
from gatekeeper.access.roles import Role
from gatekeeper.commands import keys
from gatekeeper.commands.office import office
from gatekeeper.commands.site import Opened
from gatekeeper.commands.words import THING, moment, named, note, table, thing
from gatekeeper.errors import AccessDenied, InvalidArgument
from gatekeeper.storage import links as stored_links

ABOUT = f"""\
Who may come in. Roles: owner (everything), operator (works doors), viewer (looks), device (sends). All but owners do
that only on the things that were granted, as KIND:ID, or KIND:* for all of a kind: camera:yard, door:*. Kinds: \
{", ".join(uris.KINDS)}. A running site takes each change within a second, and ends the sessions that it concerns.
"""

say = print

ASKED = "Passwords are asked for, or read as one line of standard input where that is no terminal."


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `user` with its commands, and `key`."""
    group = commands.add_parser("user", help="who may come in", description=ABOUT)
    below = group.add_subparsers(title="commands", metavar="COMMAND", required=True)

    add = below.add_parser("add", help="add an account", description=f"Add an account. {ASKED}")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", required=True, help=", ".join(Role))
    add.add_argument("--on", action="append", default=[], metavar="THING", help=f"grant it this: {THING}; repeatable")
    add.add_argument("--no-password", action="store_true", help="log in by `user link` or by API key only, for now")
    add.set_defaults(run=add_)

    passwd = below.add_parser("passwd", help="set a new password", description=f"Set a new password. {ASKED}")
    passwd.add_argument("name", metavar="NAME")
    passwd.set_defaults(run=passwd_)

    role = below.add_parser("role", help="change the role", description="Change the role of an account.")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", metavar="ROLE", help=", ".join(Role))
    role.set_defaults(run=role_)

    grant = below.add_parser("grant", help="give leave for things", description="Give an account leave for things.")
    grant.add_argument("name", metavar="NAME")
    grant.add_argument("things", nargs="+", metavar="THING", help=THING)
    grant.set_defaults(run=grant_)

    about = "Take leave for things back; without a thing, remove the account with its keys and log-ins."
    revoke = below.add_parser("revoke", help="take leave for things back, or remove the account", description=about)
    revoke.add_argument("name", metavar="NAME")
    revoke.add_argument("things", nargs="*", metavar="THING", help=THING)
    revoke.add_argument("--yes", action="store_true", help="remove the account without asking")
    revoke.set_defaults(run=revoke_)

    for verb, about in (("disable", "Shut an account out, and keep what it has."), ("enable", "Let it in again.")):
        switch = below.add_parser(verb, help=about.rstrip(".").lower(), description=about)
        switch.add_argument("name", metavar="NAME")
        switch.set_defaults(run=switch_, disabled=verb == "disable")

    listed = below.add_parser("list", help="list the accounts", description="List the accounts.")
    listed.add_argument("--json", action="store_true", help="as JSON, for scripts")
    listed.set_defaults(run=list_)

    about = "Make a link that logs its account in once, within a day, to choose a password."
    link = below.add_parser("link", help="make a one-time link to choose a password", description=about)
    link.add_argument("name", metavar="NAME")
    link.set_defaults(run=link_)

    keys.register(commands)


def add_(arguments: argparse.Namespace) -> None:
    """Add an account."""
    with office(arguments) as it:
        grants = [thing(text) for text in arguments.on]
        name = arguments.name
        is_asked = not arguments.no_password and it.accounts.account(name) is None  # else it is refused anyway
        password = ask_password(name) if is_asked else None
        given = [{"kind": grant.kind, "thing": grant.thing} for grant in grants]
        user = it.do(it.access.add, name=name, role=arguments.role, password=password, grants=given)
        say(f"added {user.name} as {user.role}" + (f" with {named(user.grants, '')}" if user.grants else ""))
        it.doubt(grants)
        if user.role != Role.OWNER and not user.grants and user.role != Role.DEVICE:
            note(f"no camera or door is granted to {name} yet: gatekeeper user grant {name} camera:* door:front")


def passwd_(arguments: argparse.Namespace) -> None:
    """Set a new password."""
    with office(arguments) as it:
        it.existing(arguments.name)
        it.do(it.access.change, name=arguments.name, password=ask_password(arguments.name))
        say(f"changed the password of {arguments.name}; its log-ins have ended, its API keys have not")


def role_(arguments: argparse.Namespace) -> None:
    """Change the role."""
    with office(arguments) as it:
        user = it.do(it.access.change, name=arguments.name, role=arguments.role)
        say(f"made {user.name} {user.role}")


def grant_(arguments: argparse.Namespace) -> None:
    """Give leave for things."""
    grants = [thing(text) for text in arguments.things]
    with office(arguments) as it:
        for grant in grants:
            it.do(it.access.grant, name=arguments.name, kind=grant.kind, thing=grant.thing)
        say(f"{arguments.name} has {named(sorted(it.existing(arguments.name).grants), '')}")
        it.doubt(grants)


def revoke_(arguments: argparse.Namespace) -> None:
    """Take leave for things back, or remove the account."""
    grants = [thing(text) for text in arguments.things]
    with office(arguments) as it:
        name, account = arguments.name, it.existing(arguments.name)
        if not grants:
            confirm(f"remove {name} with its grants, API keys and log-ins?", given=arguments.yes)
            it.do(it.access.revoke, name=name)
            say(f"removed {name}")
            return
        for grant in grants:
            if grant not in account.grants:
                note(f"{name} doesn't have {grant.kind}:{grant.thing}")
            it.do(it.access.revoke_grant, name=name, kind=grant.kind, thing=grant.thing)
        say(f"{name} has {named(sorted(it.existing(name).grants), '')}")


def switch_(arguments: argparse.Namespace) -> None:
    """Shut an account out, or let it in again."""
    with office(arguments) as it:
        it.do(it.access.change, name=arguments.name, disabled=arguments.disabled)
        say(f"{'disabled' if arguments.disabled else 'enabled'} {arguments.name}")


def list_(arguments: argparse.Namespace) -> None:
    """List the accounts."""
    with office(arguments) as it:
        users = it.access.users(it.who)
    if arguments.json:
        say(msgspec.json.encode(users).decode())
        return
    rows = [
        (
            user.name,
            user.role + (" (disabled)" if user.disabled else ""),
            "everything" if user.role == Role.OWNER else named(user.grants, ""),
            "yes" if user.has_password else "no",
            str(user.keys),
            str(user.logins),
            moment(user.last_used),
        )
        for user in users
    ]
    say(table(("name", "role", "on", "password", "keys", "log-ins", "last used"), rows), end="")


def link_(arguments: argparse.Namespace) -> None:
    """Make a one-time link."""
    with office(arguments) as it:
        account = it.existing(arguments.name)
        if account.disabled:
            raise AccessDenied(f"{account.name} is disabled: gatekeeper user enable {account.name}")
        code, link = links.make(account.name, account.role, time.time())
        it.database.write(lambda connection: stored_links.add(connection, link))
        text = f"the command line made a one-time link for {account.name}"
        it.record("access.link_made", text, subject=account.name, caller=it.caller)
        say(f"{base(it.site)}{uris.LOGIN_LINK.path}?code={code}")
        note("good once, for a day; who opens it chooses the password")


# --- asking ---------------------------------------------------------------------------------------


def ask_password(name: str) -> str:
    """Return a password that is taken: typed twice at a terminal, or a line of standard input.

    :raises InvalidArgument: if it isn't taken, or the second isn't the first.
    """
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise InvalidArgument("no password: give it as a line of standard input, or run this at a terminal")
        check_policy(name, password)
        return password
    password = getpass.getpass(f"new password for {name}: ")
    check_policy(name, password)
    if getpass.getpass("the same again: ") != password:
        raise InvalidArgument("the two passwords differ: nothing was changed")
    return password


def confirm(question: str, *, given: bool) -> None:
    """Pass if it was said before, or is said now.

    :raises InvalidArgument: if not.
    """
    if given:
        return
    if not sys.stdin.isatty():
        raise InvalidArgument("give --yes to remove an account, or run this at a terminal")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise InvalidArgument("nothing was changed")


def base(site: Opened) -> str:
    """Return the address of the site as the configuration has it, for a browser on this machine."""
    for place in sorted(site.settings.places, key=lambda one: one.scheme != "ssl"):
        if place.port:
            host = {"": "localhost", "0.0.0.0": "localhost", "::": "localhost"}.get(place.interface, place.interface)  # noqa: S104 - compared
            host = f"[{host}]" if ":" in host else host
            return f"{'https' if place.scheme == 'ssl' else 'http'}://{host}:{place.port}"
    return ""
