"""What somebody may do to a WAMP name, or to all that a pattern matches. Decides only; `TABLE` is all there is to know.

    gatekeeper.…    what stands in `uris`: called and subscribed to by its permission; published and registered by
                    gatekeeper alone
    wamp.…          the router's own: an owner's to call and subscribe to
    everything else the scripts' to use

A pattern is allowed only if every name that it can match is. A template's `<camera>` that the pattern leaves open
stands for all cameras, those of tomorrow too.
"""

from collections.abc import Iterator

from gatekeeper import uris
from gatekeeper.access.principal import Principal
from gatekeeper.uris import Name, Permission
from gatekeeper.wamp.auth import Action

RESERVED = "gatekeeper."
PROTOCOL = "wamp."

ROUTERS = Permission.ACCESS_ADMIN
"""Who is connected, what is registered, killing sessions."""

BETWEEN_SITES = (uris.AT_SITE.template, uris.TOPIC_SITE)
"""What sites say to each other on a realm that they share; here a pattern may only not stand in for them."""

TABLE: dict[Action, tuple[Name, ...]] = {"call": uris.PROCEDURES, "subscribe": uris.TOPICS}
"""The names of gatekeeper's own that each action may meet; none for the others."""

_OPEN = ""  # a component of which a pattern, or a template, says nothing


def may(principal: Principal, action: Action, uri: str, match: str) -> bool:
    """Return whether somebody may do this to a name, or to every name that a pattern matches."""
    if match == "exact":
        return _may_exactly(principal, action, uri)
    if match not in ("prefix", "wildcard") or action not in ("subscribe", "register"):
        return False
    return _may_all(principal, action, uri, match)


def _may_exactly(principal: Principal, action: Action, uri: str) -> bool:
    if uri.startswith(PROTOCOL):
        return action in ("call", "subscribe") and principal.may(ROUTERS)
    if not uri.startswith(RESERVED):
        return principal.may(Permission.SCRIPT)
    for name in TABLE.get(action, ()):
        found = name.match(uri)
        if found is not None:
            return _may_meet(principal, name, found.groupdict())
    return False


def _may_all(principal: Principal, action: Action, pattern: str, match: str) -> bool:
    answers = [
        _may_meet(principal, name, ids)
        for name in TABLE.get(action, ())
        for ids in _overlap(pattern, match, name.template)
    ]
    answers += [principal.may(ROUTERS) for name in BETWEEN_SITES for _ in _overlap(pattern, match, name)]
    if _reaches(pattern, match, RESERVED):
        answers += [] if action == "subscribe" else [False]
    if _reaches(pattern, match, PROTOCOL):
        answers.append(action == "subscribe" and principal.may(ROUTERS))
    if _is_beyond(pattern, match):
        answers.append(principal.may(Permission.SCRIPT))
    return bool(answers) and all(answers)


def _may_meet(principal: Principal, name: Name, ids: dict[str, str]) -> bool:
    """Return whether somebody may meet a name; `ids` lack those that are left open."""
    if name is uris.TOPIC_EVENT:
        return _sees_every_event(principal)
    if name is uris.TOPIC_MEASUREMENT_SAMPLES:
        return principal.may_all(name.permission)
    kind = name.permission.kind
    if kind is None or f"<{kind}>" not in name.template:
        return principal.may(name.permission)  # on any thing: the endpoint checks which
    return principal.may(name.permission, ids[kind]) if kind in ids else principal.may_all(name.permission)


def _sees_every_event(principal: Principal) -> bool:
    """Return whether somebody may hear all events, those of access too: an owner, unless by a key for less."""
    wanted = (
        Permission.EVENT_VIEW,
        Permission.ACCESS_ADMIN,
        Permission.CAMERA_VIEW,
        Permission.DOOR_VIEW,
        Permission.MEASUREMENT_VIEW,
    )
    return all(principal.may_all(permission) for permission in wanted)


# --- what a pattern can match ----------------------------------------------------------------------------------------


def _overlap(pattern: str, match: str, template: str) -> Iterator[dict[str, str]]:
    """Give the ids that a pattern fixes, if it can match any name of a template; nothing if it can't."""
    parts = template.split(".")
    asked = pattern.split(".")
    if match == "wildcard" and len(asked) != len(parts):
        if parts[-1] != "<procedure>" or len(asked) < len(parts):  # which stands for several components
            return
        asked = asked[: len(parts)]
    if match == "prefix":
        if len(asked) > len(parts) and parts[-1] != "<procedure>":
            return
        asked = asked[: len(parts)]
    ids: dict[str, str] = {}
    for place, (part, wanted) in enumerate(zip(parts, asked, strict=False)):
        is_begun = match == "prefix" and place == len(asked) - 1
        if part.startswith("<"):
            if wanted and not is_begun:
                ids[part.strip("<>")] = wanted
        elif not (part.startswith(wanted) if is_begun else wanted in (_OPEN, part)):
            return
    yield ids


def _reaches(pattern: str, match: str, beginning: str) -> bool:
    """Return whether a pattern can match any name that begins so."""
    if match == "prefix":
        return pattern.startswith(beginning) or beginning.startswith(pattern)
    first, dot, _ = pattern.partition(".")
    return bool(dot) and first in (_OPEN, beginning.rstrip("."))


def _is_beyond(pattern: str, match: str) -> bool:
    """Return whether a pattern can match a name that is neither gatekeeper's nor the protocol's."""
    if match == "prefix":
        return not pattern.startswith((RESERVED, PROTOCOL))
    first, dot, _ = pattern.partition(".")
    return not dot or first == _OPEN or f"{first}." not in (RESERVED, PROTOCOL)
