"""Secrets that stand for a log-in or an account, and what is kept of each. No passwords: those are in `passwords`.

    cookie          43 random characters                      SHA-256 with its log-in
    refresh token   gr_<log-in>_<secret>_<mark>               SHA-256 with its log-in; good once
    API key         gk_<id>_<secret>                          SHA-256 with its id
    JWT             HS256; iss sub sid iat exp jti, and kid   nothing: it is good while it lasts and its log-in lives

The random ones have 256 bits, so that a plain SHA-256 of them can't be searched. A refresh token's mark tells one that
was given out from one that was made up: the first, shown late, was stolen or copied; the second is only noise.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jwt
import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from gatekeeper.access.sealing import Seal
from gatekeeper.storage import token_keys
from gatekeeper.storage.token_keys import TokenKey

ISSUER = "gatekeeper"
ALGORITHM = "HS256"
"""The only one: whatever a token's own header says, no other is tried."""

KEY_LIFE = 7 * 86400.0
"""Seconds that a key signs: one that leaks is worth a week at most."""

TRY_AGAIN = 60.0
"""Seconds until a key that could not be stored is tried again: a database that is down isn't asked at each log-in."""

LONGEST_TOKEN = 2048
"""Characters: ours have some 400; what is longer isn't looked at."""

_KEY_BYTES = 32

_REFRESH = re.compile(r"gr_([0-9A-Za-z]{1,64})_([0-9A-Za-z-]{43})_([0-9a-f]{32})")
_API_KEY = re.compile(r"gk_([0-9A-Za-z]{1,64})_(.{1,200})", re.DOTALL)


class Claims(msgspec.Struct, frozen=True):
    """What a JWT says.

    :ivar name: the account.
    :ivar login: the id of the log-in that it hangs on.
    :ivar expires: Unix seconds.
    """

    name: str
    login: str
    expires: float


@dataclass(frozen=True, slots=True)
class _Key:
    """A key that signs, or signed.

    :ivar stored: whether a restart finds it again.
    :ivar until: Unix seconds until which what it signed is good.
    """

    id: str
    secret: bytes
    created: float
    stored: bool = False
    until: float = float("inf")


class Tokens:
    """Signs and reads tokens.

    :param seal: what the signing keys are encrypted with, and what marks refresh tokens.
    :param life: seconds that a JWT is good for.
    :param write: `Database.write`; until the first key is stored, and while none can be, one in memory signs.
    :param now: Unix seconds.
    """

    log = Logger()

    def __init__(self, seal: Seal, life: float, write: Callable[..., "Deferred[Any]"], now: float) -> None:
        self._seal = seal
        self._life = life
        self._write = write
        self._mark = seal.derive("refresh tokens")
        self._signs_with = _new_key(now)
        self._keys = {self._signs_with.id: self._signs_with}
        self._replacing = False
        self._next_try = 0.0

    # --- the keys ----------------------------------------------------------------------------------------------------

    def load(self, kept: Iterable[TokenKey]) -> None:
        """Take the keys that the database holds; those that the key file doesn't open are as if they weren't there."""
        for row in kept:
            secret = self._seal.unseal(_purpose(row.id), row.secret)
            if secret is not None:
                until = float("inf") if row.retired is None else row.retired + self._life
                self._keys[row.id] = key = _Key(row.id, secret, row.created, True, until)
                if row.retired is None:
                    self._signs_with = key

    def rotate(self, now: float) -> "Deferred[None]":
        """Replace the signing key if it is in memory only, or too old; call at the start, and now and then.

        Tokens of the key before are good until they run out. While no key can be stored, the old one goes on.
        """
        old = self._signs_with
        if (old.stored and now < old.created + KEY_LIFE) or self._replacing or now < self._next_try:
            return succeed(None)
        self._replacing = True
        self._next_try = now + TRY_AGAIN
        new = replace(_new_key(now), stored=True)
        row = TokenKey(new.id, self._seal.seal(_purpose(new.id), new.secret), now)

        def stored(_: Any) -> None:
            others = (replace(key, until=min(key.until, now + self._life)) for key in self._keys.values())
            self._keys = {key.id: key for key in others if key.until > now} | {new.id: new}
            self._signs_with = new

        def failed(failure: Any) -> None:
            self.log.warn("a key to sign tokens with could not be stored: {why}", why=failure.getErrorMessage())

        def over(_: Any) -> None:
            self._replacing = False

        storing = self._write(lambda connection: token_keys.replace(connection, row, now - self._life))
        return storing.addCallbacks(stored, failed).addBoth(over)

    # --- JWT ---------------------------------------------------------------------------------------------------------

    def issue(self, name: str, login: str, now: float) -> str:
        """Return a token of a log-in."""
        claims = {
            "iss": ISSUER,
            "sub": name,
            "sid": login,
            "iat": int(now),
            "exp": int(now + self._life),
            "jti": secrets.token_urlsafe(12),
        }
        key = self._signs_with
        return jwt.encode(claims, key.secret, algorithm=ALGORITHM, headers={"kid": key.id})

    def read(self, token: str, now: float) -> Claims | None:
        """Return what a token says, if one of our keys signed it and it hasn't run out; else None."""
        key, said = self._signed(token)
        return _claims(said, now) if key is not None and now < key.until else None

    def is_ours(self, token: str) -> bool:
        """Return whether one of our keys signed it, at whatever time."""
        return self._signed(token)[0] is not None

    def _signed(self, token: str) -> tuple[_Key | None, Mapping[str, Any]]:
        if len(token) > LONGEST_TOKEN or token.count(".") != 2:
            return None, {}
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            return key, jwt.decode(token, key.secret, algorithms=[ALGORITHM], issuer=ISSUER, options=_OPTIONS)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, RecursionError):
            return None, {}

    # --- refresh tokens ----------------------------------------------------------------------------------------------

    def new_refresh(self, login: str) -> str:
        """Return a refresh token of a log-in."""
        secret = secrets.token_urlsafe(32).replace("_", "-")  # `_` parts the fields
        return f"gr_{login}_{secret}_{self._marked(login, secret)}"

    def read_refresh(self, token: str) -> str | None:
        """Return the id of the log-in whose token this is or was; None if it was made up."""
        found = _REFRESH.fullmatch(token)
        if found is None or not hmac.compare_digest(self._marked(found[1], found[2]), found[3]):
            return None
        return found[1]

    # --- within ------------------------------------------------------------------------------------------------------

    def _marked(self, login: str, secret: str) -> str:
        return hmac.digest(self._mark, f"{login}_{secret}".encode(), hashlib.sha256).hex()[:32]


_OPTIONS: Any = {
    "require": ["iss", "sub", "sid", "iat", "exp", "jti"],
    "verify_exp": False,  # by our own clock, which tests can turn
    "verify_iat": False,
}


def _claims(found: Mapping[str, Any], now: float) -> Claims | None:
    name, login, expires = found["sub"], found["sid"], found["exp"]
    if not isinstance(name, str) or not isinstance(login, str) or not isinstance(expires, int) or expires <= now:
        return None
    return Claims(name, login, float(expires))


def _new_key(now: float) -> _Key:
    return _Key(secrets.token_hex(8), secrets.token_bytes(_KEY_BYTES), now)


def _purpose(kid: str) -> str:
    return f"token key {kid}"


def new_secret() -> str:
    """Return 256 random bits as 43 characters."""
    return urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def digest(secret: str) -> bytes:
    """Return what is kept of a random secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def parse_key(text: str) -> tuple[str, str] | None:
    """Return an API key's id and its secret, or None if this isn't one."""
    found = _API_KEY.fullmatch(text)
    return (found[1], found[2]) if found is not None else None
