"""`gatekeeper key …`: API keys for scripts and devices."""

import argparse
import sys
import time

import msgspec

from gatekeeper.access.tokens import parse_key
from gatekeeper.commands.office import office
from gatekeeper.commands.words import THING, moment, named, note, table, thing

ABOUT = """\
Keys for scripts and devices: sent as `Authorization: Bearer gk_…`, or as a WAMP ticket. A key stands for its account,
and may no more than that may at the time; --may and --on narrow it further.
"""

DAY = 86400.0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `key` with its commands."""
    group = commands.add_parser("key", help="API keys for scripts and devices", description=ABOUT)
    below = group.add_subparsers(title="commands", metavar="COMMAND", required=True)

    new = below.add_parser("new", help="make a key", description="Make a key, and print it: this once.")
    new.add_argument("account", metavar="ACCOUNT")
    new.add_argument("--label", required=True, help="what it is for")
    new.add_argument("--may", action="append", metavar="PERMISSION", help="only this, as in door.open; repeatable")
    new.add_argument("--on", action="append", metavar="THING", help=f"only on this: {THING}; repeatable")
    new.add_argument("--days", type=float, metavar="DAYS", help="good for so many days; for ever without")
    new.set_defaults(run=new_)

    listed = below.add_parser("list", help="list the keys", description="List the keys, of one account or of all.")
    listed.add_argument("account", metavar="ACCOUNT", nargs="?")
    listed.add_argument("--json", action="store_true", help="as JSON, for scripts")
    listed.set_defaults(run=list_)

    revoke = below.add_parser("revoke", help="revoke a key", description="Make a key prove nothing any more.")
    revoke.add_argument("key", metavar="ID", help="the part after gk_, as `key list` shows it")
    revoke.set_defaults(run=revoke_)


def new_(arguments: argparse.Namespace) -> None:
    """Make a key; only the key itself goes to standard output."""
    things = None if arguments.on is None else [thing(text) for text in arguments.on]
    days = arguments.days
    with office(arguments) as it:
        it.existing(arguments.account)
        made = it.do(
            it.access.new_key,
            account=arguments.account,
            label=arguments.label,
            permissions=arguments.may,
            things=None if things is None else [{"kind": one.kind, "thing": one.thing} for one in things],
            expires=None if days is None else time.time() + days * DAY,
        )
        sys.stdout.write(f"{made.key}\n")
        until = moment(made.expires, "revoked")
        note(f"made {made.id} for {made.account}; it is shown this once, and good until {until}")
        it.doubt(things or [])


def list_(arguments: argparse.Namespace) -> None:
    """List the keys of one account or of all."""
    with office(arguments) as it:
        names = [arguments.account] if arguments.account is not None else [one.name for one in it.accounts.all()]
        keys = [key for name in names for key in it.access.keys(it.who, {"account": name})]
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(keys).decode() + "\n")
        return
    rows = [
        (
            key.id,
            key.account,
            key.label,
            "all that it may" if key.permissions is None else " ".join(key.permissions) or "-",
            named(key.things, "all that it has"),
            moment(key.last_used),
            moment(key.expires, "revoked") if key.active else "is over",
        )
        for key in keys
    ]
    sys.stdout.write(table(("id", "account", "label", "may", "on", "last used", "until"), rows))


def revoke_(arguments: argparse.Namespace) -> None:
    """Revoke a key."""
    whole = parse_key(arguments.key)  # somebody pastes all of it
    with office(arguments) as it:
        it.do(it.access.revoke_key, key=whole[0] if whole is not None else arguments.key.removeprefix("gk_"))
    note("revoked")
