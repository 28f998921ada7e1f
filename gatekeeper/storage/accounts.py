"""The SQL of accounts, grants, API keys and log-ins. Each function is work for one transaction of its own.

A change first takes the next `accounts_revision`: in PostgreSQL that row's lock makes changes of accounts wait for each
other, so that what a change checks (is there another owner?) still holds when it commits. SQLite's BEGIN IMMEDIATE does
the same. Whoever keeps accounts in memory compares the revision, and reads again when another process has changed it.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select, update

from gatekeeper.errors import AccessDenied, Conflict, NoSuchKey, NoSuchUser
from gatekeeper.storage.account_rows import Account, ApiKey, Changed, Credentials, Grant, LogIn, Stored
from gatekeeper.storage.tables import accounts, api_keys, grants, links, logins, meta

OWNER = "owner"
"""The role of which somebody must always be left; `access.roles` says what it may."""

MAXIMUM_ACCOUNTS = 1000
"""A house or a company site has fewer people and devices; all of them are held in memory."""

MAXIMUM_GRANTS = 200
"""Per account: more than there are cameras and doors at one site; `*` stands for all."""

MAXIMUM_KEYS = 100
"""Per account: one per script or device that uses it."""

MAXIMUM_LOGINS = 50
"""Per account: browsers and programs logged in at once; the one that was used longest ago makes room."""

_REVISION = "accounts_revision"


# --- reading ---------------------------------------------------------------------------------------------------------


def revision(connection: Connection) -> int:
    """Return the number of the last change; 0 before the first."""
    found = connection.scalar(select(meta.c.value).where(meta.c.key == _REVISION))
    return 0 if found is None else int(found)


def load(connection: Connection) -> Stored:
    """Return all accounts.

    The revision is read first: where the reads of one transaction can differ in what they see (PostgreSQL), rows may be
    newer than it, and are then read again, never older.
    """
    return Stored(revision(connection), tuple(_accounts(connection, None)))


def load_unless(connection: Connection, known: int) -> Stored | None:
    """Return all accounts, or None if the revision is the one that is known."""
    return None if revision(connection) == known else load(connection)


def account(connection: Connection, name: str) -> Account | None:
    """Return one account, or None."""
    return next(iter(_accounts(connection, name)), None)


# --- accounts --------------------------------------------------------------------------------------------------------


def add(
    connection: Connection, name: str, role: str, credentials: Credentials | None, *, given: Iterable[Grant], now: float
) -> Changed:
    """Add an account.

    :raises Conflict: if the name is taken, or there are too many.
    """
    number = _next_revision(connection)
    if account(connection, name) is not None:
        raise Conflict(f'there is an account "{name}" already')
    if (connection.scalar(select(func.count()).select_from(accounts)) or 0) >= MAXIMUM_ACCOUNTS:
        raise Conflict(f"there are {MAXIMUM_ACCOUNTS} accounts, the most that there may be; remove one first")
    connection.execute(insert(accounts).values(name=name, role=role, created=now, disabled=False, **_kept(credentials)))
    _give(connection, name, given)
    return _changed(connection, number, name)


def set_credentials(
    connection: Connection, name: str, credentials: Credentials, now: float, keep: str | None
) -> Changed:
    """Set what the password is checked against, and end every log-in but `keep`."""
    number = _next_revision(connection)
    _existing(connection, name)
    connection.execute(update(accounts).where(accounts.c.name == name).values(**_kept(credentials)))
    _end(connection, name, now, keep)
    return _changed(connection, number, name)


def renew_credentials(connection: Connection, name: str, known: str, credentials: Credentials) -> Changed:
    """Keep the same password in a newer form, unless it was changed since: it is no longer the hash that is known."""
    number = _next_revision(connection)
    same = (accounts.c.name == name) & (accounts.c.password_hash == known)
    connection.execute(update(accounts).where(same).values(**_kept(credentials)))
    return _changed(connection, number, name)


def set_role(connection: Connection, name: str, role: str) -> Changed:
    """Change a role.

    :raises Conflict: if it is the last owner's.
    """
    number = _next_revision(connection)
    found = _existing(connection, name)
    if role != OWNER:
        _leave_an_owner(connection, found)
    connection.execute(update(accounts).where(accounts.c.name == name).values(role=role))
    return _changed(connection, number, name)


def set_disabled(connection: Connection, name: str, disabled: bool, now: float) -> Changed:
    """Let an account log in no more, or again; its log-ins and links end for good.

    :raises Conflict: if it is the last owner's.
    """
    number = _next_revision(connection)
    found = _existing(connection, name)
    if disabled:
        _leave_an_owner(connection, found)
        _end(connection, name, now, None)
        connection.execute(delete(links).where(links.c.account == name))
    connection.execute(update(accounts).where(accounts.c.name == name).values(disabled=disabled))
    return _changed(connection, number, name)


def remove(connection: Connection, name: str) -> Changed:
    """Remove an account with all that hangs on it.

    :raises Conflict: if it is the last owner's.
    """
    number = _next_revision(connection)
    _leave_an_owner(connection, _existing(connection, name))
    for table in (grants, api_keys, logins, links):  # not left to the cascade, which SQLite knows only when asked to
        connection.execute(delete(table).where(table.c.account == name))
    connection.execute(delete(accounts).where(accounts.c.name == name))
    return _changed(connection, number, name)


# --- grants ----------------------------------------------------------------------------------------------------------


def grant(connection: Connection, name: str, given: Grant) -> Changed:
    """Give leave for a thing; no change if it was given before.

    :raises Conflict: if the account has too many.
    """
    number = _next_revision(connection)
    held = _existing(connection, name).grants
    if given not in held:
        if len(held) >= MAXIMUM_GRANTS:
            raise Conflict(f'"{name}" has {MAXIMUM_GRANTS} grants, the most that there may be; grant * instead')
        _give(connection, name, [given])
    return _changed(connection, number, name)


def revoke_grant(connection: Connection, name: str, taken: Grant) -> Changed:
    """Take leave for a thing back; no change if it wasn't given."""
    number = _next_revision(connection)
    _existing(connection, name)
    this = (grants.c.account == name) & (grants.c.kind == taken.kind) & (grants.c.thing == taken.thing)
    connection.execute(delete(grants).where(this))
    return _changed(connection, number, name)


# --- API keys --------------------------------------------------------------------------------------------------------


def new_key(connection: Connection, key: ApiKey) -> Changed:
    """Keep a new key; the oldest that is revoked or has run out makes room.

    :raises Conflict: if the account has too many that are neither.
    """
    number = _next_revision(connection)
    held = _existing(connection, key.account).keys
    if len(held) >= MAXIMUM_KEYS:
        dead = next((other for other in held if not other.is_active(key.created)), None)
        if dead is None:
            raise Conflict(f'"{key.account}" has {MAXIMUM_KEYS} API keys, the most that there may be; revoke one first')
        connection.execute(delete(api_keys).where(api_keys.c.id == dead.id))
    row = msgspec.structs.asdict(key) | {
        "permissions": None if key.permissions is None else sorted(key.permissions),
        "things": None if key.things is None else [[thing.kind, thing.thing] for thing in sorted(key.things)],
    }
    connection.execute(insert(api_keys).values(**row))
    return _changed(connection, number, key.account)


def revoke_key(connection: Connection, key: str) -> Changed:
    """Make a key prove nothing any more.

    :raises NoSuchKey: if there is none of this id.
    """
    number = _next_revision(connection)
    name = connection.scalar(select(api_keys.c.account).where(api_keys.c.id == key))
    if name is None:
        raise NoSuchKey(f'there is no API key "{key[:40]}"')
    connection.execute(update(api_keys).where(api_keys.c.id == key).values(revoked=True))
    return _changed(connection, number, name)


def touch_key(connection: Connection, key: str, name: str, now: float) -> Changed:
    """Keep when a key was last used."""
    number = _next_revision(connection)
    connection.execute(update(api_keys).where(api_keys.c.id == key).values(last_used=now))
    return _changed(connection, number, name)


# --- log-ins ---------------------------------------------------------------------------------------------------------


def new_login(connection: Connection, login: LogIn) -> Changed:
    """Keep a new log-in; those of the account that ended go, and so does the oldest if it has too many.

    :raises AccessDenied: if the account was disabled in between.
    """
    number = _next_revision(connection)
    found = _existing(connection, login.account)
    if found.disabled:
        raise AccessDenied(f'the account "{login.account}" is disabled')
    living = sorted(
        (other for other in found.logins if other.is_active(login.created)), key=lambda other: other.last_used
    )
    stay = {other.id for other in living[max(0, len(living) - MAXIMUM_LOGINS + 1) :]}
    go = [other.id for other in found.logins if other.id not in stay]
    if go:
        connection.execute(delete(logins).where(logins.c.id.in_(go)))
    connection.execute(insert(logins).values(**msgspec.structs.asdict(login)))
    return _changed(connection, number, login.account)


def touch_login(connection: Connection, login: str, name: str, now: float, expires: float) -> Changed:
    """Keep that a log-in was used, which puts off its end."""
    number = _next_revision(connection)
    living = (logins.c.id == login) & logins.c.ended.is_(None) & (logins.c.expires > now)
    connection.execute(update(logins).where(living).values(last_used=now, expires=expires))
    return _changed(connection, number, name)


def rotate_refresh(
    connection: Connection, login: str, name: str, *, old: bytes, new: bytes, now: float, expires: float
) -> Changed:
    """Exchange a refresh token's hash for the next one's; showing any but the current one ends the log-in.

    It isn't an error here: the end must be kept. Whether it was exchanged is seen from the log-in.
    """
    number = _next_revision(connection)
    living = (logins.c.id == login) & logins.c.ended.is_(None) & (logins.c.expires > now)
    exchanged = connection.execute(
        update(logins)
        .where(living & (logins.c.refresh_hash == old))
        .values(refresh_hash=new, previous_refresh_hash=old, last_used=now, expires=expires)
    )
    if exchanged.rowcount == 0:
        connection.execute(update(logins).where(living).values(ended=now))
    return _changed(connection, number, name)


def end_login(connection: Connection, login: str, name: str, now: float) -> Changed:
    """End one log-in."""
    number = _next_revision(connection)
    living = (logins.c.id == login) & logins.c.ended.is_(None)
    connection.execute(update(logins).where(living).values(ended=now))
    return _changed(connection, number, name)


def end_all(connection: Connection, name: str, now: float, keep: str | None) -> Changed:
    """End every log-in of an account but `keep`."""
    number = _next_revision(connection)
    _existing(connection, name)
    _end(connection, name, now, keep)
    return _changed(connection, number, name)


def clean(connection: Connection, before: float) -> bool:
    """Delete the log-ins that ended or ran out before a Unix time; return whether there were any."""
    old = or_(logins.c.ended < before, logins.c.expires < before)
    if connection.scalar(select(logins.c.id).where(old).limit(1)) is None:
        return False
    _next_revision(connection)
    connection.execute(delete(logins).where(old))
    return True


# --- within a transaction --------------------------------------------------------------------------------------------


def _next_revision(connection: Connection) -> int:
    row = meta.c.key == _REVISION
    found = connection.scalar(select(meta.c.value).where(row).with_for_update())
    if found is None:
        connection.execute(insert(meta).values(key=_REVISION, value="1"))
        return 1
    connection.execute(update(meta).where(row).values(value=str(int(found) + 1)))
    return int(found) + 1


def _changed(connection: Connection, number: int, name: str) -> Changed:
    return Changed(number, name, account(connection, name))


def _existing(connection: Connection, name: str) -> Account:
    found = account(connection, name)
    if found is None:
        raise NoSuchUser(f'there is no account "{name[:40]}"')
    return found


def _leave_an_owner(connection: Connection, leaving: Account) -> None:
    if leaving.role != OWNER or leaving.disabled:
        return
    others = (accounts.c.role == OWNER) & accounts.c.disabled.is_(False) & (accounts.c.name != leaving.name)
    if connection.scalar(select(accounts.c.name).where(others).limit(1)) is None:
        raise Conflict(f'"{leaving.name}" is the last owner: make somebody else an owner first')


def _give(connection: Connection, name: str, given: Iterable[Grant]) -> None:
    rows = [{"account": name, "kind": one.kind, "thing": one.thing} for one in sorted(set(given))]
    if rows:
        connection.execute(insert(grants), rows)


def _end(connection: Connection, name: str, now: float, keep: str | None) -> None:
    living = (logins.c.account == name) & logins.c.ended.is_(None)
    if keep is not None:
        living &= logins.c.id != keep
    connection.execute(update(logins).where(living).values(ended=now))


# --- rows to structs -------------------------------------------------------------------------------------------------


def _accounts(connection: Connection, name: str | None) -> list[Account]:
    """Return one account or all, by name, with what hangs on each in the order in which it was made."""

    def rows(query: Select[Any], owner: Any) -> list[Row[Any]]:
        return list(connection.execute(query if name is None else query.where(owner == name)))

    given: dict[str, set[Grant]] = {}
    for row in rows(select(grants), grants.c.account):
        given.setdefault(row.account, set()).add(Grant(row.kind, row.thing))
    keys: dict[str, list[ApiKey]] = {}
    for row in rows(select(api_keys).order_by(api_keys.c.created, api_keys.c.id), api_keys.c.account):
        keys.setdefault(row.account, []).append(_key(row))
    living: dict[str, list[LogIn]] = {}
    for row in rows(select(logins).order_by(logins.c.created, logins.c.id), logins.c.account):
        living.setdefault(row.account, []).append(LogIn(**row._asdict()))
    return [
        Account(
            name=row.name,
            role=row.role,
            credentials=_credentials(row),
            created=row.created,
            disabled=row.disabled,
            grants=frozenset(given.get(row.name, ())),
            keys=tuple(keys.get(row.name, ())),
            logins=tuple(living.get(row.name, ())),
        )
        for row in rows(select(accounts).order_by(accounts.c.name), accounts.c.name)
    ]


def _key(row: Row[Any]) -> ApiKey:
    kept = row._asdict()
    kept["permissions"] = None if row.permissions is None else frozenset(row.permissions)
    kept["things"] = None if row.things is None else frozenset(Grant(kind, thing) for kind, thing in row.things)
    return ApiKey(**kept)


def _credentials(row: Row[Any]) -> Credentials | None:
    return None if row.password_hash is None else Credentials(row.password_hash, row.wampcra, row.scram)


def _kept(credentials: Credentials | None) -> dict[str, Any]:
    if credentials is None:
        return {"password_hash": None, "wampcra": None, "scram": None}
    return msgspec.structs.asdict(credentials)
