"""The admin token, the one-time link and the browser's cookies. Only hashes are kept, in one file of the data folder.

Tokens are 256 random bits, so a plain SHA-256 of them can't be searched; that is not so for passwords, which don't
exist yet. A link's code lives in memory only: it ends with its first use, after a day, or with the process.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from gatekeeper.errors import AccessDenied, ConfigurationError, NotAuthenticated

FILE = "access.json"
COOKIE_LIFE = 30 * 86400.0
"""Seconds that a browser stays logged in."""

LINK_LIFE = 86400.0
"""Seconds that a one-time link waits for its use."""

MAXIMUM_COOKIES = 100
"""Browsers logged in at once; the oldest is logged out by the next: the file must not grow for ever."""

MINIMUM_TOKEN = 20
"""Characters of a configured admin token: a short one could be guessed."""


Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="64 hexadecimal digits")]


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: hexadecimal SHA-256 hashes; cookies with the Unix seconds at which they end."""

    admin_token: Hash
    cookies: dict[Hash, float] = {}


class Tokens:
    """What proves that somebody is the administrator.

    :param folder: the data folder; it is made if missing, readable by its owner only.
    :param fixed: the admin token from the configuration, or None for one that is made at the first start.
    :param wall: Unix seconds now.
    :raises ConfigurationError: if the folder or the file can't be used, or `fixed` is too short.
    """

    def __init__(self, folder: Path, fixed: str | None, wall: Callable[[], float]) -> None:
        if fixed is not None and len(fixed) < MINIMUM_TOKEN:
            raise ConfigurationError(f"access.admin_token: too short; at least {MINIMUM_TOKEN} characters")
        self._file = folder / FILE
        self._wall = wall
        self._fixed = fixed is not None
        self._links: dict[str, float] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept) if self._file.exists() else None
            token = _hash(fixed or secrets.token_urlsafe(32)) if fixed or kept is None else kept.admin_token
            self._kept = _Kept(token, kept.cookies if kept is not None else {})
            self._keep(self._kept)
        except OSError as error:
            raise ConfigurationError(f"data: can't use {self._file}: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:  # msgspec's and UnicodeDecodeError are ValueErrors
            raise ConfigurationError(f"data: {self._file} is not what this version writes: {error}") from error

    # --- the token ---

    def check_token(self, token: str) -> bool:
        """Return whether this is the admin token; the time that it takes tells nothing."""
        return hmac.compare_digest(_hash(token), self._kept.admin_token)

    def new_token(self) -> str:
        """Replace the admin token and return the new one, which is shown once: only its hash is kept.

        :raises AccessDenied: if the configuration sets the token.
        """
        if self._fixed:
            raise AccessDenied("the admin token is set by the configuration; change it there")
        token = secrets.token_urlsafe(32)
        self._keep(_Kept(_hash(token), self._kept.cookies))
        return token

    # --- the one-time link ---

    def new_link(self) -> str:
        """Return a code that logs in one browser, once."""
        code = secrets.token_urlsafe(24)
        self._links[_hash(code)] = self._wall() + LINK_LIFE
        return code

    def redeem(self, code: str) -> str:
        """Turn a link's code into a cookie.

        :raises NotAuthenticated: if the code is unknown, used or too old.
        """
        link = _hash(code)
        if self._links.get(link, 0.0) <= self._wall():
            self._links.pop(link, None)
            raise NotAuthenticated("this link was used already or is too old; restart the server for a new one")
        cookie = self.new_cookie()
        del self._links[link]
        return cookie

    # --- cookies ---

    def new_cookie(self) -> str:
        """Return a new cookie's value; who gets it has been checked."""
        now = self._wall()
        cookie = secrets.token_urlsafe(32)
        living = {name: ends for name, ends in self._kept.cookies.items() if ends > now}
        for name in sorted(living, key=living.__getitem__)[: max(0, len(living) - MAXIMUM_COOKIES + 1)]:
            del living[name]
        self._keep(_Kept(self._kept.admin_token, {**living, _hash(cookie): now + COOKIE_LIFE}))
        return cookie

    def check_cookie(self, cookie: str) -> bool:
        """Return whether this cookie logs in now."""
        return self._kept.cookies.get(_hash(cookie), 0.0) > self._wall()

    def end_cookie(self, cookie: str) -> None:
        """Log a browser out."""
        ended = _hash(cookie)
        if ended in self._kept.cookies:
            living = {name: ends for name, ends in self._kept.cookies.items() if name != ended}
            self._kept = _Kept(self._kept.admin_token, living)  # ended here, even if that can't be written
            self._keep(self._kept)

    def _keep(self, kept: _Kept) -> None:
        """Write the file whole or not at all, then hold to it: a crash or a full disk leaves what was before."""
        new = self._file.with_suffix(".new")
        new.unlink(missing_ok=True)  # left by a crash: its mode would stay
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(kept))
        new.replace(self._file)
        self._kept = kept


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
