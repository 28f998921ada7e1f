"""Users, grants and API keys for callers, whatever wire they come by: arguments in, structs out, errors raised.

Who may manage users manages all of them; everybody else has only the API keys of the own account. An API key makes and
revokes no keys, unless it may manage users: one that leaks must not outlive its revocation in a copy of itself.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred

from gatekeeper import decoding
from gatekeeper.access.accounts import Accounts
from gatekeeper.access.names import check_grant, check_name, check_role
from gatekeeper.access.principal import Principal, check
from gatekeeper.access.records import Account, ApiKey, Credentials, Grant
from gatekeeper.access.roles import permissions_of
from gatekeeper.access.tokens import digest, new_secret
from gatekeeper.errors import AccessDenied, InvalidArgument, NoSuchKey, NoSuchUser
from gatekeeper.uris import Permission

Text = Annotated[str, Meta(max_length=100)]
Label = Annotated[str, Meta(min_length=1, max_length=80)]

KEY_ID_BYTES = 8
"""Random bytes of a key's id, which is no secret: two of a site must only not be the same."""


# --- what goes out ---------------------------------------------------------------------------------------------------


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account.

    :ivar created: Unix seconds; `last_used` likewise, of its newest log-in or key; None without one.
    :ivar grants: on what its role's permissions hold; an owner needs none.
    :ivar keys: API keys that prove something now; `logins` log-ins that last.
    """

    name: str
    role: str
    disabled: bool
    has_password: bool
    created: float
    last_used: float | None
    grants: list[Grant]
    keys: int
    logins: int


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key; the secret is nowhere.

    :ivar permissions: the most that it may; None: what its account may. `things` likewise what it reaches.
    :ivar created: Unix seconds, like `expires` (None: never) and `last_used` (None: not yet, else to the minute).
    :ivar active: whether it proves anything now.
    """

    id: str
    account: str
    label: str
    permissions: list[str] | None
    things: list[Grant] | None
    created: float
    expires: float | None
    last_used: float | None
    active: bool


class NewKey(Key, frozen=True, kw_only=True):
    """An API key that was just made, and, this once, the whole of it: `key`."""

    key: str

    def __repr__(self) -> str:
        return f"NewKey({self.id})"


# --- what comes in ---------------------------------------------------------------------------------------------------


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of a call: one that isn't known is an error."""


class Thing(Arguments, frozen=True):
    """A camera, door, gate or session by its id, or all of them as `*`."""

    kind: Text
    thing: Text


class AddArguments(Arguments, frozen=True):
    """What `add` takes; without a password, the account logs in by a one-time link only."""

    name: Text
    role: Text
    password: str | None = None
    grants: list[Thing] = []


class ChangeArguments(Arguments, frozen=True):
    """What `change` takes: exactly one of `role`, `password` and `disabled`, so that all of it is done or nothing."""

    name: Text
    role: Text | None = None
    password: str | None = None
    disabled: bool | None = None


class UserArguments(Arguments, frozen=True):
    """What `revoke` takes."""

    name: Text


class GrantArguments(Arguments, frozen=True):
    """What `grant` and `revoke_grant` take."""

    name: Text
    kind: Text
    thing: Text


class KeysArguments(Arguments, frozen=True):
    """What `keys` takes: whose, if not one's own."""

    account: Text | None = None


class NewKeyArguments(Arguments, frozen=True):
    """What `new_key` takes; `permissions` and `things` narrow it, `expires` is in Unix seconds."""

    label: Label
    permissions: list[Text] | None = None
    things: list[Thing] | None = None
    expires: float | None = None
    account: Text | None = None


class KeyArguments(Arguments, frozen=True):
    """What `revoke_key` takes: the key's id, without its secret."""

    key: Text


class Maker(Protocol):
    """What is needed of `passwords.Passwords`."""

    def make(self, name: str, password: str) -> "Deferred[Credentials]":
        """Return what a password is checked against, or fail with InvalidArgument if it isn't a good one."""


class Access:
    """What callers may ask about users and keys.

    :param wall: Unix seconds now.
    """

    def __init__(self, accounts: Accounts, passwords: Maker, *, wall: Callable[[], float]) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._wall = wall

    # --- users ---

    def users(self, who: Principal) -> list[User]:
        """Return every account, by name."""
        check(who, Permission.ACCESS_ADMIN)
        return [describe(account, self._wall()) for account in self._accounts.all()]

    def add(self, who: Principal, arguments: Mapping[str, Any]) -> "Deferred[User]":
        """Add an account.

        Fails with InvalidArgument for a name, role or password that isn't taken, and with Conflict if the name is.
        """
        wanted = self._managing(who, arguments, AddArguments)
        name, role = check_name(wanted.name), check_role(wanted.role)
        grants = [check_grant(one.kind, one.thing) for one in wanted.grants]
        if wanted.password is None:
            return self._described(self._accounts.add(name, role, None, grants, caller=who.caller))
        made = self._passwords.make(name, wanted.password)
        return self._described(
            made.addCallback(lambda kept: self._accounts.add(name, role, kept, grants, caller=who.caller))
        )

    def change(self, who: Principal, arguments: Mapping[str, Any]) -> "Deferred[User]":
        """Change the role, set a new password, or shut an account out or let it in again.

        A new password ends all its log-ins but the one that asks. Fails with Conflict if the last owner would be lost.
        """
        wanted = self._managing(who, arguments, ChangeArguments)
        given = [key for key in ("role", "password", "disabled") if getattr(wanted, key) is not None]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            raise InvalidArgument(f"found {found}; allowed: exactly one of role, password and disabled")
        name = self._existing(wanted.name).name
        if wanted.role is not None:
            return self._described(self._accounts.set_role(name, check_role(wanted.role), caller=who.caller))
        if wanted.disabled is not None:
            return self._described(self._accounts.set_disabled(name, wanted.disabled, caller=who.caller))
        keep = who.login if name == who.name else None
        made = self._passwords.make(name, wanted.password or "")
        return self._described(
            made.addCallback(lambda kept: self._accounts.set_credentials(name, kept, caller=who.caller, keep=keep))
        )

    def revoke(self, who: Principal, arguments: Mapping[str, Any]) -> "Deferred[None]":
        """Remove an account with its grants, keys and log-ins; fails with Conflict if it is the last owner's."""
        wanted = self._managing(who, arguments, UserArguments)
        return self._accounts.remove(self._existing(wanted.name).name, caller=who.caller)

    def grant(self, who: Principal, arguments: Mapping[str, Any]) -> "Deferred[User]":
        """Give an account leave for a thing, or for all of a kind."""
        wanted = self._managing(who, arguments, GrantArguments)
        name, grant = self._existing(wanted.name).name, check_grant(wanted.kind, wanted.thing)
        return self._described(self._accounts.grant(name, grant, caller=who.caller))

    def revoke_grant(self, who: Principal, arguments: Mapping[str, Any]) -> "Deferred[User]":
        """Take that leave back, wherever it was used at the moment."""
        wanted = self._managing(who, arguments, GrantArguments)
        name, grant = self._existing(wanted.name).name, check_grant(wanted.kind, wanted.thing)
        return self._described(self._accounts.revoke_grant(name, grant, caller=who.caller))

    # --- API keys ---

    def keys(self, who: Principal, arguments: Mapping[str, Any]) -> list[Key]:
        """Return the API keys of one's own account, or of another's for who manages users; the oldest first."""
        check(who, Permission.SELF)
        wanted = _convert(arguments, KeysArguments)
        name = who.name if wanted.account is None else wanted.account
        if name != who.name:
            check(who, Permission.ACCESS_ADMIN)
            self._existing(name)
        account = self._accounts.account(name)
        return [describe_key(key, self._wall()) for key in account.keys] if account is not None else []

    def new_key(self, who: Principal, arguments: Mapping[str, Any]) -> "Deferred[NewKey]":
        """Make an API key, which is shown this once.

        It may what its scope and its account's role and grants both allow, whatever those are at the time. Fails with
        InvalidArgument if the scope holds what the role doesn't, and with Conflict if the account has too many.
        """
        wanted = _convert(arguments, NewKeyArguments)
        self._check_keys(who, wanted.account)
        account = self._existing(wanted.account or who.name)
        if not wanted.label.isprintable():  # nor could every database keep it
            raise InvalidArgument(
                f"label: found {decoding.show(wanted.label)}; allowed: text without control characters"
            )
        now, secret = self._wall(), new_secret()
        if wanted.expires is not None and not now < wanted.expires < float("inf"):
            raise InvalidArgument(f"expires: found {wanted.expires:.15g}; allowed: Unix seconds in the future")
        key = ApiKey(
            id=secrets.token_hex(KEY_ID_BYTES),
            account=account.name,
            label=wanted.label,
            hash=digest(secret),
            permissions=scope(account.role, wanted.permissions),
            things=None
            if wanted.things is None
            else frozenset(check_grant(thing.kind, thing.thing) for thing in wanted.things),
            created=now,
            expires=wanted.expires,
        )
        shown = NewKey(**msgspec.structs.asdict(describe_key(key, now)), key=f"gk_{key.id}_{secret}")
        return self._accounts.new_key(key, caller=who.caller).addCallback(lambda _key: shown)

    def revoke_key(self, who: Principal, arguments: Mapping[str, Any]) -> "Deferred[None]":
        """Make an API key prove nothing any more.

        :raises NoSuchKey: if there is none of this id, or it is another's.
        """
        wanted = _convert(arguments, KeyArguments)
        check(who, Permission.SELF)
        is_admin = who.may(Permission.ACCESS_ADMIN)
        held = self._accounts.all() if is_admin else [self._existing(who.name)]
        account = next((one for one in held if any(key.id == wanted.key for key in one.keys)), None)
        if account is None:
            raise NoSuchKey(f"there is no API key {decoding.show(wanted.key)}")
        if who.key != wanted.key:  # one may end itself
            self._check_keys(who, account.name)
        return self._accounts.revoke_key(wanted.key, caller=who.caller)

    # --- within ---

    def _managing(self, who: Principal, arguments: Mapping[str, Any], to: "type[T]") -> "T":
        check(who, Permission.ACCESS_ADMIN)
        return _convert(arguments, to)

    def _check_keys(self, who: Principal, account: str | None) -> None:
        """Pass if this somebody may make and revoke keys of an account; None is the own one."""
        check(who, Permission.SELF)
        if account not in (None, who.name):
            check(who, Permission.ACCESS_ADMIN)
        if who.key is not None and not who.may(Permission.ACCESS_ADMIN):
            raise AccessDenied("an API key makes and revokes no keys: log in for that")

    def _existing(self, name: str) -> Account:
        account = self._accounts.account(name)
        if account is None:
            raise NoSuchUser(f"there is no account {decoding.show(name)}")
        return account

    def _described(self, changed: "Deferred[Account]") -> "Deferred[User]":
        return changed.addCallback(lambda account: describe(account, self._wall()))


def scope(role: str, wanted: list[str] | None) -> frozenset[str] | None:
    """Return the permissions of a key to be.

    :raises InvalidArgument: if one doesn't exist, or isn't the role's.
    """
    if wanted is None:
        return None
    allowed = sorted(permissions_of(role) - {Permission.NONE})
    for name in wanted:
        if name not in list(Permission):
            raise InvalidArgument(f"permissions: found {decoding.show(name)}; {decoding.choices(name, allowed)}")
        if name not in allowed:
            raise InvalidArgument(f"permissions: a key of a {role} can't have {name}; allowed: {', '.join(allowed)}")
    return frozenset(wanted)


def describe(account: Account, now: float) -> User:
    """Return what callers see of an account."""
    used = [key.last_used for key in account.keys if key.last_used is not None]
    used += [login.last_used for login in account.logins]
    return User(
        name=account.name,
        role=account.role,
        disabled=account.disabled,
        has_password=account.credentials is not None,
        created=account.created,
        last_used=max(used, default=None),
        grants=sorted(account.grants),
        keys=sum(key.is_active(now) for key in account.keys),
        logins=sum(login.is_active(now) for login in account.logins),
    )


def describe_key(key: ApiKey, now: float) -> Key:
    """Return what callers see of an API key."""
    return Key(
        id=key.id,
        account=key.account,
        label=key.label,
        permissions=None if key.permissions is None else sorted(key.permissions),
        things=None if key.things is None else sorted(key.things),
        created=key.created,
        expires=key.expires,
        last_used=key.last_used,
        active=key.is_active(now),
    )


T = TypeVar("T", bound=msgspec.Struct)


def _convert(arguments: Mapping[str, Any], to: type[T]) -> T:
    given = dict(arguments)
    try:
        return msgspec.convert(given, to)
    except msgspec.ValidationError as error:
        hidden = lambda steps: "password" in steps  # noqa: E731 - what somebody typed there must not be shown
        raise InvalidArgument(decoding.explain(error, given, to, noun="argument", hidden=hidden)) from error
