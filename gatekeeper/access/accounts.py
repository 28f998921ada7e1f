"""All accounts in memory, so that who somebody is costs no query: what is asked is answered at once.

What is changed goes to the database first and is true here after the commit. Other processes (the command line) change
the same database: `poll`, each second, sees that by the revision and reads again. Either way the observers are told
what ended, and stop it. A change is told to the record by the process that made it.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from gatekeeper.access.names import check_grant, check_name, check_role, is_name
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Account, ApiKey, Credentials, Ended, Grant, LogIn
from gatekeeper.access.roster import Roster
from gatekeeper.caller import Caller
from gatekeeper.errors import GatekeeperError, InvalidArgument, NotAuthenticated, StorageUnavailable
from gatekeeper.storage import accounts as stored
from gatekeeper.storage.account_rows import Changed, Stored

POLL = 1.0
"""Seconds between looks whether another process changed something: a revoked right holds no longer than that."""

COALESCE = 60.0
"""Seconds within which a further use of a log-in or a key isn't written: it would be a write per request."""

CLEAN = 3600.0
"""Seconds between clean-ups of log-ins that are over."""

KEPT = 86400.0
"""Seconds that an ended log-in stays in the database, for whoever asks why a browser was logged out yesterday."""

LONGEST_TEXT = 400
"""Characters of a sentence of the record: what is refused can hold whatever somebody sent."""

T = TypeVar("T")


class Database(Protocol):
    """What is needed of `storage.database.Database`."""

    def write(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        """Run work in a transaction; fires after the commit."""

    def read(self, work: Callable[[Connection], T]) -> "Deferred[T]":
        """Run work that changes nothing."""


class Accounts:
    """Everybody who may come in, and with what.

    Changes return Deferreds that fire after the commit; they fail with InvalidArgument, Conflict, NoSuchUser,
    NoSuchKey or StorageUnavailable, and then nothing was changed.

    :param record: `Journal.record`, told of every change and of every one that was refused.
    :param wall: Unix seconds now.
    """

    log = Logger()

    def __init__(self, database: Database, *, record: Callable[..., Any], wall: Callable[[], float]) -> None:
        self._database = database
        self._record = record
        self._wall = wall
        self._roster = Roster(wall())
        self._touching: set[str] = set()  # log-ins and keys whose use is being written
        self._polling: list[Deferred[None]] | None = None
        self._next_clean = wall() + CLEAN
        self._observers: list[Callable[[Ended], None]] = []

    # --- what is so now ---

    def all(self) -> tuple[Account, ...]:
        """Return every account, by name."""
        return self._roster.all()

    def account(self, name: str) -> Account | None:
        """Return an account, also a disabled one, or None."""
        return self._roster.account(name)

    def principal(
        self,
        name: str,
        *,
        caller: Caller,
        login: str | None = None,
        key: str | None = None,
        expires: float | None = None,
    ) -> Principal | None:
        """Return who proved to be this account by this log-in or key; None if that proves nothing any more.

        :param expires: Unix seconds at which what was shown ends, if that is before the log-in or the key does.
        """
        return self._roster.principal(name, self._wall(), caller=caller, login=login, key=key, expires=expires)

    def key(self, key: str) -> ApiKey | None:
        """Return the API key of this id if it proves anything now."""
        return self._roster.key(key, self._wall())

    def login(self, login: str) -> LogIn | None:
        """Return the log-in of this id if it is logged in now."""
        return self._roster.login(login, self._wall())

    def login_by_cookie(self, cookie_hash: bytes) -> LogIn | None:
        """Return the log-in of a cookie, by the SHA-256 of its value."""
        return self._roster.login_by_cookie(cookie_hash, self._wall())

    def login_by_refresh(self, refresh_hash: bytes) -> LogIn | None:
        """Return the log-in of a refresh token, the current one or the one before, by its SHA-256."""
        return self._roster.login_by_refresh(refresh_hash, self._wall())

    @property
    def has_owner_with_password(self) -> bool:
        """Whether somebody can log in and let others in."""
        return self._roster.has_owner_with_password

    def observe(self, observer: Callable[[Ended], None]) -> None:
        """Call `observer` with everything that ends from now on."""
        self._observers.append(observer)

    # --- accounts ---

    def add(
        self,
        name: str,
        role: str,
        credentials: Credentials | None = None,
        grants: Iterable[Grant] = (),
        *,
        caller: Caller,
    ) -> "Deferred[Account]":
        """Add an account; without credentials it logs in by a one-time link only."""
        given = frozenset(grants)

        def work(connection: Connection) -> Changed:
            checked = [check_grant(grant.kind, grant.thing) for grant in given]
            return stored.add(
                connection, check_name(name), check_role(role), credentials, given=checked, now=self._wall()
            )

        on = ", ".join(f"{grant.kind} {grant.thing}" for grant in sorted(given))
        text = f"added {name} as {role}" + (f" with {on}" if on else "")
        details = {"role": role, "grants": [[grant.kind, grant.thing] for grant in sorted(given)]}
        return self._told("access.user_added", text, name, caller, work=work, details=details)

    def set_credentials(
        self, name: str, credentials: Credentials, *, caller: Caller, keep: str | None = None
    ) -> "Deferred[Account]":
        """Set what a new password is checked against. Every log-in ends but `keep`; API keys stay."""
        work = partial(stored.set_credentials, name=name, credentials=credentials, now=self._wall(), keep=keep)
        return self._told("access.password_changed", f"changed the password of {name}", name, caller, work=work)

    def renew_credentials(self, name: str, known: str, credentials: Credentials) -> "Deferred[None]":
        """Keep the same password in a newer form, if its hash is still `known`; nothing ends, nothing is recorded."""
        work = partial(stored.renew_credentials, name=name, known=known, credentials=credentials)
        return _apart(self._change(work, renewed=True).addCallback(_nothing))

    def set_role(self, name: str, role: str, *, caller: Caller) -> "Deferred[Account]":
        """Change a role; the account's sessions end and may come back with what it allows."""

        def work(connection: Connection) -> Changed:
            return stored.set_role(connection, name, check_role(role))

        held = self.account(name)
        text, details = f"made {name} {role}", {"role": role, "was": None if held is None else held.role}
        return self._told("access.role_changed", text, name, caller, work=work, details=details)

    def set_disabled(self, name: str, disabled: bool, *, caller: Caller) -> "Deferred[Account]":
        """Shut an account out, or let it in again."""
        work = partial(stored.set_disabled, name=name, disabled=disabled, now=self._wall())
        verb = "disabled" if disabled else "enabled"
        return self._told(f"access.user_{verb}", f"{verb} {name}", name, caller, work=work)

    def remove(self, name: str, *, caller: Caller) -> "Deferred[None]":
        """Remove an account with its grants, keys and log-ins."""
        work = partial(stored.remove, name=name)
        return self._told("access.user_removed", f"removed {name}", name, caller, work=work).addCallback(_nothing)

    def grant(self, name: str, grant: Grant, *, caller: Caller) -> "Deferred[Account]":
        """Give an account leave for a thing, or for `*`."""

        def work(connection: Connection) -> Changed:
            return stored.grant(connection, name, check_grant(grant.kind, grant.thing))

        text, details = f"granted {grant.kind} {grant.thing} to {name}", {"kind": grant.kind, "thing": grant.thing}
        return self._told("access.granted", text, name, caller, work=work, details=details)

    def revoke_grant(self, name: str, grant: Grant, *, caller: Caller) -> "Deferred[Account]":
        """Take that leave back; the account's sessions end and may come back with what is left."""
        work = partial(stored.revoke_grant, name=name, taken=grant)
        text, details = f"took {grant.kind} {grant.thing} from {name}", {"kind": grant.kind, "thing": grant.thing}
        return self._told("access.grant_revoked", text, name, caller, work=work, details=details)

    # --- API keys ---

    def new_key(self, key: ApiKey, *, caller: Caller) -> "Deferred[ApiKey]":
        """Keep a new API key, of which the caller shows the secret once. Its scope was checked."""
        work = partial(stored.new_key, key=key)
        text = f'made the API key {key.id} ("{key.label}") for {key.account}'
        details = {
            "key": key.id,
            "label": key.label,
            "permissions": None if key.permissions is None else sorted(key.permissions),
            "things": None if key.things is None else [[thing.kind, thing.thing] for thing in sorted(key.things)],
            "expires": key.expires,
        }
        made = self._told("access.key_made", text, key.account, caller, work=work, details=details)
        return made.addCallback(lambda _account: key)

    def revoke_key(self, key: str, *, caller: Caller) -> "Deferred[None]":
        """Make an API key prove nothing any more; a second time changes nothing."""
        held = self._roster.held_key(key)
        name = held.account if held is not None else None
        of = f' ("{held.label}") of {name}' if held is not None else ""
        work = partial(stored.revoke_key, key=key)
        told = self._told(
            "access.key_revoked", f"revoked the API key {key}{of}", name, caller, work=work, details={"key": key}
        )
        return told.addCallback(_nothing)

    def touch_key(self, key: str) -> None:
        """Note that a key was used: written at most once a minute, and forgotten if that fails."""
        held, now = self._roster.held_key(key), self._wall()
        if held is not None and (held.last_used is None or now - held.last_used >= COALESCE):
            self._touch(key, partial(stored.touch_key, key=key, name=held.account, now=now))

    # --- log-ins ---

    def new_login(self, login: LogIn) -> "Deferred[LogIn]":
        """Keep a new log-in of whoever has been checked; the account's oldest ends if it has too many."""
        work = partial(stored.new_login, login=login)
        made = self._change(work, why="too many log-ins: this was the one that was used longest ago")
        return _apart(made.addCallback(lambda _account: login))

    def touch_login(self, login: str, expires: float) -> None:
        """Note that a log-in was used, which puts off its end: written at most once a minute."""
        held, now = self.login(login), self._wall()
        if held is not None and now - held.last_used >= min(COALESCE, (expires - now) / 2):
            work = partial(stored.touch_login, login=login, name=held.account, now=now, expires=expires)
            self._touch(login, work)

    def rotate_refresh(
        self, login: str, old: bytes, new: bytes, expires: float, *, caller: Caller
    ) -> "Deferred[LogIn]":
        """Exchange a refresh token for the next, by their SHA-256.

        Fails with NotAuthenticated if the old one isn't the current one, in the database and at that moment: it was
        used before, by a thief or by whoever it was stolen from. The log-in is then over for both, and the record says
        so.
        """
        held, now = self.login(login), self._wall()
        if held is None:
            return fail(NotAuthenticated("this log-in is over: log in again"))
        name = held.account
        work = partial(stored.rotate_refresh, login=login, name=name, old=old, new=new, now=now, expires=expires)

        def judge(account: Account | None) -> LogIn:
            logins = account.logins if account is not None else ()
            found = next((other for other in logins if other.id == login), None)
            if found is not None and found.is_active(now) and found.refresh_hash == new:
                return found
            why = "a token that was used before came again: the log-in was ended"
            self._tell("access.token_reused", f"{name}: {why}", name, caller, outcome="alarm", details={"login": login})
            raise NotAuthenticated(why)

        return _apart(self._change(work, why="a used token came again").addCallback(judge))

    def end_login(self, login: str, why: str = "logged out") -> "Deferred[None]":
        """End one log-in: here at once, even where that can't be stored now, and then the Deferred fails."""
        held = self._roster.held_login(login)
        if held is None:
            return succeed(None)
        self._notify(self._roster.refuse(login, self._wall(), why))
        work = partial(stored.end_login, login=login, name=held.account, now=self._wall())
        return _apart(self._change(work, why=why).addCallback(_nothing))

    def end_all(self, name: str, *, keep: str | None = None, why: str = "logged out everywhere") -> "Deferred[None]":
        """End every log-in of an account but `keep`."""
        work = partial(stored.end_all, name=name, now=self._wall(), keep=keep)
        return _apart(self._change(work, why=why).addCallback(_nothing))

    # --- the database and this memory ---

    def load(self, everything: Stored) -> None:
        """Take what was read from the database (`storage.accounts.load`), and tell what ended by it."""
        self._notify(self._roster.load(everything, self._wall()))

    def poll(self) -> "Deferred[None]":
        """Look whether another process changed something and whether something ran out; call it every `POLL` seconds.

        It doesn't fail: without the database, what was so last holds on.
        """
        self._notify(self._roster.expire(self._wall()))
        done: Deferred[None] = Deferred()
        if self._polling is not None:
            self._polling.append(done)
            return done
        self._polling = [done]
        clean = succeed(False)
        if self._wall() >= self._next_clean:
            self._next_clean = self._wall() + CLEAN
            clean = self._database.write(partial(stored.clean, before=self._wall() - KEPT))
        clean.addErrback(self._unavailable)
        clean.addCallback(lambda _cleaned: self._read()).addErrback(self._unavailable).addBoth(self._polled)
        return done

    def _read(self) -> "Deferred[None]":
        newest = self._roster.newest

        def took(everything: Stored | None) -> Any:
            if self._roster.newest != newest and (everything is None or everything.revision < self._roster.newest):
                return self._read()  # a change of ours was committed meanwhile: this was read before it
            return self.load(everything) if everything is not None else None

        return self._database.read(partial(stored.load_unless, known=self._roster.revision)).addCallback(took)

    def _polled(self, _result: Any) -> None:
        waiting, self._polling = self._polling or [], None
        for done in waiting:
            done.callback(None)

    def _unavailable(self, failure: Failure) -> None:
        if not failure.check(StorageUnavailable):  # that is told by the database's own health
            self.log.failure("the accounts can't be read", failure)

    def _change(
        self, work: Callable[[Connection], Changed], *, why: str | None = None, renewed: bool = False
    ) -> "Deferred[Account | None]":
        """Run work, then make it true here."""

        def committed(changed: Changed) -> Account | None:
            self._notify(self._roster.apply(changed, self._wall(), why=why, renewed=renewed))
            if not self._roster.is_complete:
                self.poll()  # another process changed something in between
            return changed.account

        return self._database.write(work).addCallback(committed)

    def _touch(self, what: str, work: Callable[[Connection], Changed]) -> None:
        if what in self._touching:
            return
        self._touching.add(what)

        def done(_result: Any) -> None:
            self._touching.discard(what)

        self._change(work).addErrback(self._unavailable).addBoth(done)

    # --- telling ---

    def _told(
        self,
        kind: str,
        text: str,
        name: str | None,
        caller: Caller,
        *,
        work: Callable[[Connection], Changed],
        details: dict[str, Any] | None = None,
    ) -> "Deferred[Any]":
        """Change something and tell the record that it was done, or that it was refused and why."""

        def done(account: Account | None) -> Account | None:
            self._tell(kind, f"{_who(caller)} {text}", name, caller, outcome="ok", details=details or {})
            return account

        def refused(failure: Failure) -> Failure:
            error = failure.value
            code = error.code if isinstance(error, GatekeeperError) else "internal"
            why = str(error) if isinstance(error, GatekeeperError) else "an internal error"
            is_sound = not isinstance(error, InvalidArgument)  # else what was asked for is anything, of any size
            sentence = (
                f"{_who(caller)} would have {text}, refused: {why}"
                if is_sound
                else f"{_who(caller)} was refused: {why}"
            )
            said = {"change": kind, **((details or {}) if is_sound else {})}
            self._tell("access.change_refused", sentence, name, caller, outcome=code, details=said)
            return failure

        return _apart(self._change(work).addCallbacks(done, refused))

    def _tell(
        self, kind: str, text: str, subject: str | None, caller: Caller, *, outcome: str, details: dict[str, Any]
    ) -> None:
        subject = subject if subject is not None and is_name(subject) else None
        text = (
            text[:LONGEST_TEXT].encode("utf-8", "replace").decode()
        )  # JSON can carry half a character, the record not
        self._record(kind, text, subject=subject, caller=caller, outcome=outcome, details=details)

    def _notify(self, over: Iterable[Ended]) -> None:
        for one in over:
            for observer in tuple(self._observers):
                try:
                    observer(one)
                except Exception:  # noqa: BLE001 - what was committed must not look as if it had failed
                    self.log.failure("who should stop what ended could not")


def _who(caller: Caller) -> str:
    """Return what a sentence of the record begins with: the command line's users have no account here."""
    return "the command line" if caller.name is None and caller.client == "command line" else str(caller)


def _apart(answer: "Deferred[T]") -> "Deferred[T]":
    """Return a Deferred that fires with another: whoever gives up waiting for it leaves that one to its end."""
    told: Deferred[T] = Deferred()
    answer.addBoth(told.callback)
    return told


def _nothing(_result: Any) -> None:
    """Forget what a change left."""
