"""What a change of an account puts an end to. Decides only; `accounts` tells it."""

from collections.abc import Iterable, Iterator

from gatekeeper.access.records import Account, Ended


def ended(before: Account | None, after: Account | None, now: float, why: str | None = None) -> list[Ended]:
    """Return what lived before and doesn't after, the widest that says it all.

    :param why: what to say of it where the change is known; guessed from the difference otherwise.
    """
    if before is None or before.disabled:
        return []
    whole = _whole(before, after)
    if whole is not None:
        return [Ended(before.name, why=why or whole)]
    assert after is not None  # noqa: S101 - narrows the type: an account that is gone has ended whole
    alive = {login.id for login in after.logins if login.is_active(now)}
    valid = {key.id for key in after.keys if key.is_active(now)}
    gone = [
        Ended(before.name, login=login.id, why=why or "logged out")
        for login in before.logins
        if login.is_active(now) and login.id not in alive
    ]
    return gone + [
        Ended(before.name, key=key.id, why=why or "the key was revoked")
        for key in before.keys
        if key.is_active(now) and key.id not in valid
    ]


def expired(accounts: Iterable[Account], since: float, now: float) -> Iterator[Ended]:
    """Yield the log-ins and keys that ran out after `since` and not after `now`."""
    for account in accounts:
        if account.disabled:
            continue
        for login in account.logins:
            if login.is_active(since) and not login.is_active(now):
                yield Ended(account.name, login=login.id, why="the log-in was not used for too long")
        for key in account.keys:
            if key.is_active(since) and not key.is_active(now):
                yield Ended(account.name, key=key.id, why="the key has run out")


def next_expiry(accounts: Iterable[Account], now: float) -> float:
    """Return the Unix seconds at which the next log-in or key runs out; infinity if none does."""
    ends = [login.expires for account in accounts for login in account.logins if login.is_active(now)]
    ends += [
        key.expires for account in accounts for key in account.keys if key.expires is not None and key.is_active(now)
    ]
    return min(ends, default=float("inf"))


def _whole(before: Account, after: Account | None) -> str | None:
    if after is None or after.created != before.created:  # removed, and perhaps another has the name by now
        return "the account was removed"
    if after.disabled:
        return "the account was disabled"
    if after.role != before.role:
        return "the role was changed"
    if before.grants - after.grants:
        return "a grant was revoked"
    if after.credentials != before.credentials and before.credentials is not None:
        return "the password was changed"
    return None
