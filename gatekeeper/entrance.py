"""Who may come in, composed: accounts, passwords, tokens, and the one check that HTTP and WAMP share.

Part of the composition root, apart from `site` because none of it knows of doors and cameras.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.task import LoopingCall

from gatekeeper import config
from gatekeeper.access.accounts import Accounts
from gatekeeper.access.api import Access
from gatekeeper.access.attempts import Attempts
from gatekeeper.access.configured import ADMIN, Configured
from gatekeeper.access.guard import Guard
from gatekeeper.access.links import Links
from gatekeeper.access.login import LogIns
from gatekeeper.access.passwords import Cost, Passwords, Pool, Runner
from gatekeeper.access.records import Ended
from gatekeeper.access.refusals import Refusals
from gatekeeper.access.roles import Role
from gatekeeper.access.sealing import Seal
from gatekeeper.access.throttle import Throttle
from gatekeeper.access.tokens import Tokens
from gatekeeper.access.wamp import WampLogIns
from gatekeeper.http.access import AccessRoutes
from gatekeeper.storage import accounts as account_rows
from gatekeeper.storage import token_keys
from gatekeeper.storage.database import Database

POLL = 1.0
"""Seconds between looks whether the command line changed the accounts: somebody stands beside it and waits."""

ROTATE = 3600.0
"""Seconds between looks whether the key that signs tokens is old."""

DAY = 86400.0


class Entrance:
    """Everything that lets people in and keeps others out.

    :param folder: what the configuration's relative paths are relative to; `data` the data folder.
    :param record: `Journal.record`.
    :param runner: where passwords are hashed, threads of its own if None; `cost` what a hash costs.
    :raises ConfigurationError: if a secret or a key file can't be used.
    """

    def __init__(
        self,
        settings: config.Access,
        *,
        folder: Path,
        data: Path,
        database: Database,
        record: Callable[..., Any],
        reactor: Any,
        wall: Callable[[], float],
        runner: Runner | None = None,
        cost: Cost | None = None,
    ) -> None:
        fixed = settings.admin_token
        self._seal = Seal.open(data)
        token = fixed.read("access.admin_token", folder) if fixed is not None else None
        self._configured = Configured(token, self._seal) if token is not None else None
        self._database = database
        self._reactor = reactor
        self._wall = wall
        self._token_life, self._login_life = settings.token_life, settings.login_life * DAY
        self._pool = Pool(reactor) if runner is None else None
        passwords = Passwords(self._seal, runner or self._pool or Pool(reactor), cost)
        self.accounts = Accounts(database, record=record, wall=wall)
        self.tokens = Tokens(self._seal, settings.token_life, database.write, wall())
        refusals = Refusals(record, reactor.seconds)
        self.guard = Guard(
            self.accounts,
            self.tokens,
            refusals,
            configured=self._configured,
            allow_plain_login=settings.allow_plain_login,
            login_life=self._login_life,
            wall=wall,
        )
        self.links = Links(database, wall)
        attempts = Attempts(
            accounts=self.accounts,
            passwords=passwords,
            throttle=Throttle(),
            refusals=refusals,
            guard=self.guard,
            clock=reactor.seconds,
        )
        self.logins = LogIns(
            accounts=self.accounts,
            attempts=attempts,
            passwords=passwords,
            tokens=self.tokens,
            guard=self.guard,
            links=self.links,
            record=record,
            life=self._login_life,
            configured=self._configured,
            wall=wall,
        )
        self.wamp = WampLogIns(
            accounts=self.accounts,
            guard=self.guard,
            logins=self.logins,
            attempts=attempts,
            passwords=passwords,
            seal=self._seal,
        )
        self.fingerprint_key = self._seal.derive("configuration")
        self.api = Access(self.accounts, passwords, wall=wall)
        self._loops = (
            (LoopingCall(self.accounts.poll), POLL),
            (LoopingCall(lambda: self.tokens.rotate(wall())), ROTATE),
        )
        for loop, _ in self._loops:
            loop.clock = reactor

    def routes(self) -> AccessRoutes:
        """Return what answers over HTTP."""
        return AccessRoutes(
            guard=self.guard,
            logins=self.logins,
            accounts=self.accounts,
            access=self.api,
            login_life=self._login_life,
            token_life=self._token_life,
            wall=self._wall,
        )

    def load(self) -> None:
        """Read who there is; blocks, at the start: whoever asks first must not be refused as unknown."""
        self.accounts.load(self._database.at_start(account_rows.load))
        self.tokens.load(self._database.at_start(token_keys.load))

    def observe(self, observer: Callable[[Ended], None]) -> None:
        """Call `observer` with everything that ends: log-ins, keys, accounts."""
        self.accounts.observe(observer)
        self.logins.observe(observer)

    def start(self) -> None:
        """Hash passwords, look for changes, renew keys."""
        if self._pool is not None:
            self._pool.start()
        for loop, seconds in self._loops:
            loop.start(seconds)

    def stop(self) -> None:
        """End; what is being hashed is finished."""
        for loop, _ in self._loops:
            if loop.running:
                loop.stop()
        if self._pool is not None:
            self._pool.stop()

    def first_link(self) -> str | None:
        """Return a code for the first owner, or None if somebody has a password and can log in."""
        return None if self.accounts.has_owner_with_password else self.links.new(ADMIN, Role.OWNER)
