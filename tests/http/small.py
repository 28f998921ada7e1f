"""Some routes and streams in memory, asked by whoever the test says; no site, no database."""

from collections import Counter
from collections.abc import Mapping
from typing import cast

from twisted.internet.testing import MemoryReactorClock
from twisted.web.resource import IResource, Resource

from gatekeeper.access.guard import Guard
from gatekeeper.access.principal import Principal, check
from gatekeeper.access.records import Grant
from gatekeeper.access.roles import Role
from gatekeeper.caller import Caller
from gatekeeper.cameras.push.panel import Panel
from gatekeeper.http.app import Group, HttpApi
from gatekeeper.http.requests import HttpSite
from gatekeeper.http.root import Root
from gatekeeper.uris import Route
from tests.sites import Memory

OLGA = Principal("olga", Role.OWNER, caller=Caller(name="olga", address="192.168.137.2", client="http"))


def viewer(*things: str, role: Role = Role.VIEWER) -> Principal:
    """Return somebody with grants on `camera:yard`, `door:front`, ….."""
    grants = frozenset(Grant(*thing.split(":")) for thing in things)
    return Principal("vera", role, grants, caller=Caller(name="vera", client="http"))


class Known:
    """Stands where the guard does: everybody is `who`, with what that may."""

    def __init__(self, who: Principal | None) -> None:
        self.who = who

    def identify(self, headers: Mapping[str, str], address: str, *, secure: bool = False) -> Principal | None:
        return self.who

    def authorise(self, principal: Principal | None, route: Route, ids: Mapping[str, str]) -> None:
        kind = route.permission.kind
        check(principal, route.permission, ids.get(kind) if kind is not None else None)


class Small(Memory):
    """Routes, and whoever calls them by HTTP."""

    def __init__(
        self, *groups: Group, streams: Mapping[str, IResource] | None = None, who: Principal | None = OLGA
    ) -> None:
        self.net = MemoryReactorClock()
        self.known = Known(who)
        self.bearer: dict[str, str] = {}
        guard = cast("Guard", self.known)
        self.api = HttpApi(guard, groups)
        panel = Panel({}, Counter(), self.net.seconds, "1")
        self.root = Root(guard, Resource(), streams or {}, self.api.resource(), panel)
        self.net.listenTCP(8000, HttpSite(self.root, self.net))

    def as_(self, who: Principal | None) -> "Small":
        """Be somebody from now on."""
        self.known.who = who
        return self
