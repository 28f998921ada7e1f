"""All of access put together, over a database in memory: a clock to turn, and all that the record was told."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from gatekeeper.access.accounts import Accounts
from gatekeeper.access.api import Access
from gatekeeper.access.attempts import Attempts
from gatekeeper.access.configured import Configured
from gatekeeper.access.guard import Channel, Guard
from gatekeeper.access.links import Links
from gatekeeper.access.login import LogIns
from gatekeeper.access.passwords import Cost, Inline, Passwords, Runner
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Ended, Grant
from gatekeeper.access.refusals import Refusals
from gatekeeper.access.sealing import Seal
from gatekeeper.access.throttle import Throttle
from gatekeeper.access.tokens import Tokens
from gatekeeper.access.wamp import WampLogIns
from gatekeeper.caller import Caller
from gatekeeper.storage import token_keys
from tests.access.people import result
from tests.databases import InlineDatabase

T = TypeVar("T")

LOW = Cost(memory=8, passes=1, lanes=1, cra_iterations=10)
TOKEN = "correct-horse-battery-staple"
PASSWORD = "sesame open the door"
NOW = 1_800_000_000.0
LIFE = 30 * 86400.0
TOKEN_LIFE = 900.0

HERE = Channel("127.0.0.1")
LAN = Channel("192.168.137.2")
TLS = Channel("192.168.137.2", secure=True)
ROOT = Caller(name="root", client="command line")


def run(coroutine: "Coroutine[Any, Any, T]") -> T:
    """Return what a coroutine answers, at once."""
    return result(Deferred.fromCoroutine(coroutine))


class House:
    """A site's access.

    :ivar told: what the record was told: kind, subject, outcome.
    """

    def __init__(
        self,
        database: InlineDatabase | None = None,
        *,
        token: str | None = TOKEN,
        plain: bool = False,
        runner: Runner | None = None,
        cost: Cost = LOW,
        key: bytes = b"k" * 32,
    ) -> None:
        self.now = NOW
        self.database = database or InlineDatabase()
        self.told: list[tuple[str, str | None, str]] = []
        self.texts: list[str] = []
        self.callers: list[Caller] = []
        self.ended: list[Ended] = []
        wall = lambda: self.now  # noqa: E731
        self.seal = Seal(key)
        self.accounts = Accounts(self.database, record=self._record, wall=wall)
        self.accounts.observe(self.ended.append)
        result(self.accounts.poll())
        self.tokens = Tokens(self.seal, TOKEN_LIFE, self.database.write, self.now)
        self.tokens.load(result(self.database.read(token_keys.load)))
        self.passwords = Passwords(self.seal, runner or Inline(), cost)
        self.configured = Configured(token, self.seal) if token is not None else None
        self.refusals = Refusals(self._record, wall)
        self.guard = Guard(
            self.accounts,
            self.tokens,
            self.refusals,
            configured=self.configured,
            allow_plain_login=plain,
            login_life=LIFE,
            wall=wall,
        )
        self.throttle = Throttle()
        self.attempts = Attempts(
            accounts=self.accounts,
            passwords=self.passwords,
            throttle=self.throttle,
            refusals=self.refusals,
            guard=self.guard,
            clock=wall,
        )
        self.links = Links(self.database, wall)
        self.logins = LogIns(
            accounts=self.accounts,
            attempts=self.attempts,
            passwords=self.passwords,
            tokens=self.tokens,
            guard=self.guard,
            links=self.links,
            configured=self.configured,
            record=self._record,
            life=LIFE,
            wall=wall,
        )
        self.logins.observe(self.ended.append)
        self.wamp = WampLogIns(
            accounts=self.accounts,
            guard=self.guard,
            logins=self.logins,
            attempts=self.attempts,
            passwords=self.passwords,
            seal=self.seal,
        )
        self.access = Access(self.accounts, self.passwords, wall=wall)

    def _record(
        self,
        kind: str,
        text: str,
        *,
        subject: str | None = None,
        caller: Caller | None = None,
        outcome: str = "ok",
        reason: str | None = None,
        details: Any = None,
        cause: str | None = None,
    ) -> None:
        assert caller is not None
        self.told.append((kind, subject, outcome))
        self.texts.append(text)
        self.callers.append(caller)

    def add(self, name: str, role: str = "operator", password: str | None = PASSWORD, *grants: Grant) -> None:
        """Add an account, and forget that it was told."""
        kept = None if password is None else result(self.passwords.make(name, password))
        result(self.accounts.add(name, role, kept, grants, caller=ROOT))
        self.forget()

    def forget(self) -> None:
        """Forget what was told."""
        self.told.clear()
        self.texts.clear()
        self.callers.clear()
        self.ended.clear()

    def key(self, name: str, **scope: Any) -> str:
        """Return a new API key of an account."""
        who = Principal(name, "owner", caller=ROOT)
        made = result(self.access.new_key(who, {"label": "test", "account": name, **scope}))
        self.forget()
        return made.key

    def cookie(self, name: str, password: str = PASSWORD) -> str:
        """Log a browser in; return its cookie."""
        return run(self.logins.by_password(name, password, HERE)).cookie

    def identify(self, address: str = "127.0.0.1", *, secure: bool = False, **headers: str) -> Principal | None:
        """Return who sent a request with these headers."""
        return self.guard.identify(headers, address, secure=secure)

    def who(self, cookie: str) -> Principal | None:
        """Return whose cookie this is."""
        return self.identify(cookie=f"gatekeeper={cookie}")
