"""Attempts at a password: over this channel, so soon, and is it right?

A name that nobody has, or whose account is disabled or has no password, costs the same work, meets the same delay and
gets the same answer as a wrong password.
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gatekeeper.access.accounts import Accounts
from gatekeeper.access.guard import Channel, Guard
from gatekeeper.access.passwords import Passwords
from gatekeeper.access.records import Account, Credentials
from gatekeeper.access.refusals import Refusals
from gatekeeper.access.throttle import Attempt, Throttle, is_local
from gatekeeper.errors import GatekeeperError, InsecureChannel, NotAuthenticated, Overloaded, TooManyAttempts

WRONG = "this name and password don't belong together"
INSECURE = (
    "passwords and cookies aren't taken over plain HTTP from another machine: use https (`gatekeeper tls init`), the "
    "page on the machine itself, or allow_plain_login under [access]"
)

ROUNDS = 3
"""Times that a password is looked at whose hash is renewed or changed while it is."""


class Attempts:
    """Looks at passwords, at other proofs' behalf counts how often, and tells the record of those that were wrong.

    :param clock: seconds that never go back.
    """

    log = Logger()

    def __init__(
        self,
        *,
        accounts: Accounts,
        passwords: Passwords,
        throttle: Throttle,
        refusals: Refusals,
        guard: Guard,
        clock: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._throttle = throttle
        self._refusals = refusals
        self._guard = guard
        self._clock = clock

    async def verify(
        self, name: str, password: str, channel: Channel, what: str = "a log-in with a password"
    ) -> Account:
        """Return the account whose name and password these are; raises what `by_password` does."""
        self.check_channel(channel, what)
        attempt = self.begin(name, channel, what)
        try:
            kept = await self._fitting(name, password, here=is_local(channel.address))
        except Overloaded:
            self._throttle.undone(attempt)
            raise
        account = self._accounts.account(name)
        if kept is None or account is None:
            error = NotAuthenticated(WRONG)
            self._refusals.tell(error, what, channel.caller(), self._known(name))
            raise error
        self._throttle.succeeded(attempt)
        self._renew(account, kept, password)
        return account

    # --- also of WAMP's methods in which the password doesn't travel ---

    def begin(self, name: str, channel: Channel, what: str) -> Attempt:
        """Count an attempt, as failed until `succeeded` says otherwise.

        :raises TooManyAttempts: if it comes too soon after others.
        """
        answer = self._throttle.begin(name, channel.address, self._clock())
        if isinstance(answer, Attempt):
            return answer
        error = TooManyAttempts(f"too many wrong attempts: wait {answer.seconds} s", answer.seconds)
        if answer.is_first:
            self._refusals.throttled(error, what, channel.caller(), self._known(name))
        raise error

    def succeeded(self, attempt: Attempt) -> None:
        """Take note that an attempt was right."""
        self._throttle.succeeded(attempt)

    def failed(self, name: str, channel: Channel, what: str) -> None:
        """Record that an attempt was wrong."""
        self._refusals.tell(NotAuthenticated(WRONG), what, channel.caller(), self._known(name))

    def kept(self, name: str) -> Credentials | None:
        """Return what is kept of the password of an account that may log in; None if there is none."""
        account = self._accounts.account(name)
        return account.credentials if account is not None and not account.disabled else None

    def check_channel(self, channel: Channel, what: str) -> None:
        """Pass if passwords and cookies are taken over this channel.

        :raises InsecureChannel: if they aren't.
        """
        if not self._guard.is_private(channel):
            raise self.refused(InsecureChannel(INSECURE), what, channel)

    def refused(self, error: GatekeeperError, what: str, channel: Channel) -> GatekeeperError:
        """Record a refusal, unless there are many, and return it."""
        self._refusals.tell_some(error, what, channel.caller())
        return error

    # --- within ---

    async def _fitting(self, name: str, password: str, *, here: bool) -> Credentials | None:
        """Return what is kept of a name's password if this is it, when the answer comes; else None."""
        for _ in range(ROUNDS):
            kept = self.kept(name)
            known = kept.password_hash if kept is not None else None
            fits = await self._passwords.verify(known, password, here=here)
            if self.kept(name) == kept:
                return kept if fits else None
        return None

    def _known(self, name: str) -> str | None:
        """Return a name if somebody has it: what else was typed there may be a password."""
        return name if self._accounts.account(name) is not None else None

    def _renew(self, account: Account, kept: Credentials, password: str) -> None:
        """Keep the password in today's form, if it is kept in yesterday's; the log-in doesn't wait for it."""
        if not self._passwords.is_outdated(account.name, kept):
            return

        def renew(credentials: Credentials) -> "Deferred[None]":
            return self._accounts.renew_credentials(account.name, kept.password_hash, credentials)

        renewing = self._passwords.remake(account.name, password).addCallback(renew)
        renewing.addErrback(lambda failure: self.log.warn("not renewed: {why}", why=failure.getErrorMessage()))
