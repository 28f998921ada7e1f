"""What changed in the configuration since the last start, for the record: which parts, never their values.

Each part leaves a short keyed digest in the start's event: enough to see that it changed, nothing to read a value from.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from gatekeeper import config

LISTS = ("cameras", "doors")
_DIGITS = 12


def fingerprints(settings: config.Site, key: bytes) -> dict[str, str]:
    """Return part → digest: `cameras.yard`, `doors.front`, `listen`, …

    :param key: secret, since an address may hold a password.
    """
    found: dict[str, str] = {}
    for name, value in msgspec.to_builtins(settings).items():
        parts = {f"{name}.{entry['id']}": entry for entry in value} if name in LISTS else {name: value}
        found |= {part: _digest(key, part, entry) for part, entry in parts.items()}
    return found


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the parts that were added, removed and changed; empty if nothing was."""
    found = {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(part for part in after.keys() & before.keys() if after[part] != before[part]),
    }
    return {what: parts for what, parts in found.items() if parts}


def told(changes: Mapping[str, list[str]]) -> str:
    """Return the changes as a sentence."""
    return "the configuration was changed: " + "; ".join(
        f"{what} {', '.join(parts)}" for what, parts in changes.items()
    )


def _digest(key: bytes, part: str, value: Any) -> str:
    text = msgspec.json.encode([part, value], order="deterministic")
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:_DIGITS]
