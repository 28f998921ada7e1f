r"""HTTP digest authentication, the client's half. Sans-I/O; the challenge is parsed by werkzeug.

    <- WWW-Authenticate: Digest realm="..", nonce="..", qop="auth", algorithm=SHA-256, opaque=".."
    -> Authorization: Digest username="..", realm="..", nonce="..", uri="/stream", response="..", qop=auth,
                             nc=00000001, cnonce="..", algorithm=SHA-256, opaque=".."

    response = H(H(user:realm:password) : nonce : nc : cnonce : qop : H(method:uri))        RFC 7616, 3.4.1
    response = H(H(user:realm:password) : nonce : H(method:uri))                            RFC 2069: no qop

With the `-sess` algorithms H(user:realm:password) becomes H(H(user:realm:password):nonce:cnonce).
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import WWWAuthenticate

_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256"}
_SCHEMES: Final = re.compile(r",\s*(?=[A-Za-z][A-Za-z0-9-]*\s+[A-Za-z0-9-]+\s*=)")


def challenges(headers: Iterable[str]) -> list[WWWAuthenticate]:
    """Return the challenges of an answer's WWW-Authenticate headers; one header may carry several."""
    parts = (part for header in headers for part in _SCHEMES.split(header))
    return [challenge for challenge in map(WWWAuthenticate.from_header, parts) if challenge is not None]


@dataclass(slots=True)
class Digest:
    """A challenge that can be answered, as often as needed.

    :ivar uses: how often it was answered: the nonce count.
    """

    realm: str
    nonce: str
    algorithm: str | None
    session: bool
    quality: bool
    opaque: str | None
    uses: int = 0

    @classmethod
    def of(cls, challenge: WWWAuthenticate) -> "Digest | None":
        """Return the challenge if it is a digest whose algorithm and qop are known here, else None."""
        algorithm = challenge.get("algorithm")
        name = (algorithm or "MD5").upper()
        qualities = [quality.strip().lower() for quality in (challenge.get("qop") or "").split(",") if quality.strip()]
        nonce = challenge.get("nonce")
        if challenge.type != "digest" or nonce is None or name.removesuffix("-SESS") not in _HASHES:
            return None
        if qualities and "auth" not in qualities:
            return None
        session = name.endswith("-SESS")
        return cls(challenge.get("realm") or "", nonce, algorithm, session, bool(qualities), challenge.get("opaque"))

    def authorization(self, username: str, password: str, method: str, uri: str, cnonce: str) -> str:
        """Return the Authorization header's value for one request; `uri` is what the request line carries."""
        self.uses += 1
        count = f"{self.uses:08x}"
        response = self._response(f"{username}:{self.realm}:{password}", f"{method}:{uri}", count, cnonce)
        fields = [("username", username), ("realm", self.realm), ("nonce", self.nonce), ("uri", uri)]
        quoted = [f'{name}="{_escaped(value)}"' for name, value in [*fields, ("response", response)]]
        if self.algorithm is not None:
            quoted.append(f"algorithm={self.algorithm}")
        if self.opaque is not None:
            quoted.append(f'opaque="{_escaped(self.opaque)}"')
        if self.quality:
            quoted += ["qop=auth", f"nc={count}"]
        if self.quality or self.session:
            quoted.append(f'cnonce="{_escaped(cnonce)}"')
        return "Digest " + ", ".join(quoted)

    def _response(self, secret: str, request: str, count: str, cnonce: str) -> str:
        first = self._hash(secret)
        if self.session:
            first = self._hash(f"{first}:{self.nonce}:{cnonce}")
        middle = f"{self.nonce}:{count}:{cnonce}:auth" if self.quality else self.nonce
        return self._hash(f"{first}:{middle}:{self._hash(request)}")

    def _hash(self, text: str) -> str:
        name = (self.algorithm or "MD5").upper().removesuffix("-SESS")
        return hashlib.new(_HASHES[name], text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
