"""A site's accounts for the command line: the same rules and the same record as in the running site, at once.

The database is shared with the running site, which sees what was changed within a second. Whoever can read the data
folder can do all this: the machine's own accounts are the guard.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, execute
from twisted.python.failure import Failure

from gatekeeper.access.accounts import Accounts
from gatekeeper.access.api import Access
from gatekeeper.access.passwords import Inline, Passwords
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import EVERYTHING, Account, Grant
from gatekeeper.access.roles import Role
from gatekeeper.access.sealing import Seal
from gatekeeper.commands.site import Opened, here, opened
from gatekeeper.commands.words import note
from gatekeeper.decoding import choices, show
from gatekeeper.errors import NoSuchUser, StorageUnavailable
from gatekeeper.storage import Blocking
from gatekeeper.storage import accounts as stored

T = TypeVar("T")


class AtOnce:
    """A blocking database, for whoever waits for Deferreds: they have fired already."""

    def __init__(self, database: Blocking) -> None:
        self._database = database

    def write(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        """Run work in a transaction that writes."""
        return execute(self._database.write, work)

    def read(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        """Run work in a transaction that reads."""
        return execute(self._database.read, work)


class Office:
    """What a command works with.

    :ivar who: whoever sits at the machine, who may everything.
    """

    def __init__(self, site: Opened, database: Blocking) -> None:
        self.site = site
        self.database = database
        self.caller = here()
        self._journal = site.journal(database)
        self.who = Principal("", Role.OWNER, caller=self.caller)
        self.accounts = Accounts(AtOnce(database), record=self.record, wall=time.time)
        self.accounts.load(database.read(stored.load))
        self._access: Access | None = None

    def record(self, kind: str, text: str, **more: Any) -> None:
        """Put it on the record; what was done stands even if that fails now."""
        try:
            self._journal.record(kind, text, **more)
        except StorageUnavailable as error:
            note(f"not on the record: {text}: {error}")

    @property
    def access(self) -> Access:
        """What the running site's callers ask, too."""
        if self._access is None:
            passwords = Passwords(Seal.open(self.site.data), Inline())
            self._access = Access(self.accounts, passwords, wall=time.time)
        return self._access

    def do(self, ask: Callable[[Principal, Mapping[str, Any]], "Deferred[T]"], **arguments: Any) -> T:
        """Ask for something with the arguments that aren't None; return the answer or raise the error."""
        return now(ask(self.who, {key: value for key, value in arguments.items() if value is not None}))

    def existing(self, name: str) -> Account:
        """Return an account.

        :raises NoSuchUser: if there is none of this name.
        """
        account = self.accounts.account(name)
        if account is None:
            near = get_close_matches(name, [one.name for one in self.accounts.all()], 1)
            raise NoSuchUser(f"there is no account {show(name)}" + (f'; did you mean "{near[0]}"?' if near else ""))
        return account

    def doubt(self, grants: Sequence[Grant]) -> None:
        """Say which of the things the configuration doesn't have: it may be a slip."""
        if self.site.file is None:
            return
        known = {
            "camera": [camera.id for camera in self.site.settings.cameras],
            "door": [door.id for door in self.site.settings.doors],
        }
        for grant in grants:
            ids = known.get(grant.kind)
            if ids is not None and grant.thing not in (*ids, EVERYTHING):
                note(f"the configuration has no {grant.kind} {show(grant.thing)}; {choices(grant.thing, ids)}")


@contextmanager
def office(arguments: argparse.Namespace) -> Iterator[Office]:
    """Open the accounts of the site that `--config` and `--data` mean.

    :raises NotFound: if there is none yet.
    :raises ConfigurationError: if the configuration, the database or a key can't be used.
    """
    site = opened(arguments)
    with site.database() as database:
        yield Office(site, database)


def now(answer: "Deferred[T]") -> T:
    """Return what a Deferred has fired with, or raise what it has failed with."""
    got: list[Any] = []
    answer.addBoth(got.append)
    [result] = got  # everything here is done at once
    if isinstance(result, Failure):
        result.raiseException()
    return result  # type: ignore[no-any-return]
