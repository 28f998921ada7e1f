"""Who may do what, all of it: people, names, actions and ways of matching; people and routes.

What is expected stands here once more, by hand, person by person: it is not made from the tables that the code reads.
A name or route that is new is refused a place in silence: it must be added here, with who may.
"""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper import uris
from gatekeeper.access import rules
from gatekeeper.access.guard import Somebody
from gatekeeper.access.principal import Principal
from gatekeeper.access.records import Grant
from gatekeeper.errors import AccessDenied, NotAuthenticated
from gatekeeper.uris import Permission
from gatekeeper.wamp.auth import Action, Identity
from gatekeeper.wamp.local import TRUSTED, LocalSession
from gatekeeper.wamp.patterns import matches
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.uris import UriRule
from tests.access.house import HERE, PASSWORD, ROOT, House, run
from tests.access.people import result
from tests.wamp.helpers import ROLES, Client

ALL = (Grant("camera", "*"), Grant("door", "*"))
SOME = (Grant("camera", "yard"), Grant("door", "front"))

PEOPLE: dict[str, tuple[str, tuple[Grant, ...]]] = {
    "owner": ("owner", ()),
    "operator": ("operator", ()),
    "operator-front": ("operator", (Grant("door", "front"),)),
    "operator-all": ("operator", ALL),
    "operator-other": ("operator", (Grant("gate", "*"), Grant("session", "*"))),
    "viewer": ("viewer", ()),
    "viewer-some": ("viewer", SOME),
    "viewer-all": ("viewer", ALL),
    "device": ("device", ALL),
    "operator-team": ("operator", (Grant("team", "3"),)),
    "operator-teams": ("operator", (Grant("team", "*"),)),
    "viewer-team": ("viewer", (Grant("team", "3"),)),
    "viewer-teams": ("viewer", (Grant("team", "*"),)),
    "device-team": ("device", (Grant("team", "3"),)),
}
"""Accounts: role and grants; the cameras are yard and hall, the doors front and back, the teams 3 and 5."""

KEYS: dict[str, dict[str, Any]] = {
    "key-cameras": {"permissions": ["camera.view"]},
    "key-yard": {
        "permissions": ["camera.view", "door.view", "door.open", "event.view"],
        "things": [{"kind": "camera", "thing": "yard"}],
    },
    "key-script": {"permissions": ["script"]},
    "key-events": {"permissions": ["event.view", "camera.view", "door.view"]},
}
"""API keys of the owner, each for less."""

EVERYBODY = [*PEOPLE, *KEYS, "token", "shut-out", "stranger"]


def people(text: str) -> set[str]:
    """Return the people whom a text names; `token` is the configuration's, which may what the owner may."""
    named = set(text.split())
    assert named <= set(EVERYBODY), named
    return named | ({"token"} if "owner" in named else set())


STAFF = "owner operator operator-front operator-all operator-other operator-team operator-teams"
VIEWERS = "viewer viewer-some viewer-all viewer-team viewer-teams"
SEE_YARD = "owner operator-all viewer-some viewer-all key-cameras key-yard key-events"
SEE_CAMERAS = "owner operator-all viewer-all key-cameras key-events"
SEE_FRONT = "owner operator-front operator-all viewer-some viewer-all key-events"
SEE_DOORS = "owner operator-all viewer-all key-events"
SEE_EVENTS = "owner"
SEE_TEAM = "owner operator-team operator-teams viewer-team viewer-teams"
SEE_TEAMS = "owner operator-teams viewer-teams"
CONTROL_TEAM = "owner operator-team operator-teams"  # what concerns all teams is asked again, where it is done

CALLS = {
    "gatekeeper.system.status": f"{STAFF} {VIEWERS}",
    "gatekeeper.system.reload": "owner",
    "gatekeeper.system.time": f"{STAFF} {VIEWERS}",
    "gatekeeper.camera.list": SEE_YARD,
    "gatekeeper.camera.status": SEE_YARD,
    "gatekeeper.camera.settings": SEE_YARD,
    "gatekeeper.camera.set": "owner operator-all",
    "gatekeeper.camera.telemetry": SEE_YARD,
    "gatekeeper.camera.watch": SEE_YARD,
    "gatekeeper.camera.credit": SEE_YARD,
    "gatekeeper.camera.strangers": "owner",
    "gatekeeper.camera.try": "owner",
    "gatekeeper.camera.add": "owner",
    "gatekeeper.camera.change": "owner",
    "gatekeeper.camera.remove": "owner",
    "gatekeeper.camera.keep": "owner operator-all",
    "gatekeeper.picture.list": SEE_YARD,
    "gatekeeper.picture.days": SEE_YARD,
    "gatekeeper.picture.delete": "owner",
    "gatekeeper.door.list": SEE_FRONT,
    "gatekeeper.door.status": SEE_FRONT,
    "gatekeeper.door.open": "owner operator-front operator-all",
    "gatekeeper.door.lock": "owner operator-front operator-all",
    "gatekeeper.event.recent": f"{STAFF} {VIEWERS} key-yard key-events",
    "gatekeeper.event.list": f"{STAFF} {VIEWERS} key-yard key-events",
    "gatekeeper.event.get": f"{STAFF} {VIEWERS} key-yard key-events",
    "gatekeeper.event.follow": f"{STAFF} {VIEWERS} key-yard key-events",
    "gatekeeper.event.verify": f"{STAFF} {VIEWERS} key-yard key-events",
    "gatekeeper.event.hold": STAFF,
    "gatekeeper.event.release": STAFF,
    "gatekeeper.event.erase": "owner",
    "gatekeeper.measurement.status": SEE_TEAM,
    "gatekeeper.measurement.send": "owner operator-team operator-teams device-team",
    "gatekeeper.measurement.start": CONTROL_TEAM,
    "gatekeeper.measurement.stop": CONTROL_TEAM,
    "gatekeeper.measurement.tap": CONTROL_TEAM,
    "gatekeeper.measurement.category": CONTROL_TEAM,
    "gatekeeper.measurement.collapse": CONTROL_TEAM,
    "gatekeeper.measurement.sessions": SEE_TEAM,
    "gatekeeper.measurement.session": SEE_TEAM,
    "gatekeeper.measurement.statistics": SEE_TEAM,
    "gatekeeper.measurement.chart": SEE_TEAM,
    "gatekeeper.access.users": "owner",
    "gatekeeper.access.add": "owner",
    "gatekeeper.access.change": "owner",
    "gatekeeper.access.revoke": "owner",
    "gatekeeper.access.grant": "owner",
    "gatekeeper.access.revoke_grant": "owner",
    "gatekeeper.access.keys": f"{STAFF} {VIEWERS} device device-team",
    "gatekeeper.access.new_key": f"{STAFF} {VIEWERS} device device-team",
    "gatekeeper.access.revoke_key": f"{STAFF} {VIEWERS} device device-team",
    "wamp.session.list": "owner",
    "wamp.session.kill": "owner",
    "wamp.registration.list": "owner",
    "wamp.subscription.get_events": "owner",
    "wamp.session.add_testament": "owner",
    "com.example.bell": "owner key-script",
    "bell": "owner key-script",
    "gatekeeper": "owner key-script",
    "gatekeeperx.door.open": "owner key-script",
    "Gatekeeper.door.open": "owner key-script",
    "my.gatekeeper.door": "owner key-script",
}

TOPICS = {
    "gatekeeper.camera.yard.frame": SEE_YARD,
    "gatekeeper.camera.yard.feed.small.frame": SEE_YARD,
    "gatekeeper.camera.hall.feed.small.frame": SEE_CAMERAS,
    "gatekeeper.camera.yard.state": SEE_YARD,
    "gatekeeper.camera.yard.telemetry": SEE_YARD,
    "gatekeeper.camera.hall.frame": SEE_CAMERAS,
    "gatekeeper.camera.hall.state": SEE_CAMERAS,
    "gatekeeper.camera.hall.telemetry": SEE_CAMERAS,
    "gatekeeper.camera.tomorrow.state": SEE_CAMERAS,
    "gatekeeper.door.front.state": SEE_FRONT,
    "gatekeeper.door.back.state": SEE_DOORS,
    "gatekeeper.system.changed": f"{STAFF} {VIEWERS} device device-team",
    "gatekeeper.event": SEE_EVENTS,
    "gatekeeper.measurement.state": SEE_TEAM,
    "gatekeeper.measurement.samples": SEE_TEAMS,
    "gatekeeper.measurement.team.3.sample": SEE_TEAM,
    "gatekeeper.measurement.team.3.statistics": SEE_TEAM,
    "gatekeeper.measurement.team.5.sample": SEE_TEAMS,
    "wamp.session.on_join": "owner",
    "wamp.registration.on_create": "owner",
    "com.example.bell": "owner key-script",
    "gatekeeper": "owner key-script",
}

UNKNOWN = [
    "gatekeeper.", "gatekeeper.x", "gatekeeper.door", "gatekeeper.door.open.x", "gatekeeper.door.Open",
    "gatekeeper.door.open ", "gatekeeper.door..state", "gatekeeper.door.front.state.x", "gatekeeper.door.<door>.state",
    "gatekeeper.camera.yard.frames", "gatekeeper.error.busy", "gatekeeper.event.", "gatekeeper.site",
    "gatekeeper.site.a.door.open", "gatekeeper.door.*.state", "gatekeeper.camera.*.frame",
]  # fmt: skip

SUBSCRIBED_PATTERNS: dict[tuple[str, str], str] = {
    ("prefix", ""): "owner",
    ("prefix", "g"): "owner",
    ("prefix", "gatekeeper"): "owner",
    ("prefix", "gatekeeper."): "owner",
    ("prefix", "gatekeeper.c"): SEE_CAMERAS,
    ("prefix", "gatekeeper.camera"): SEE_CAMERAS,
    ("prefix", "gatekeeper.camera."): SEE_CAMERAS,
    ("prefix", "gatekeeper.camera.yar"): SEE_CAMERAS,
    ("prefix", "gatekeeper.camera.yard"): SEE_CAMERAS,  # and yard2
    ("prefix", "gatekeeper.camera.yard."): SEE_YARD,
    ("prefix", "gatekeeper.camera.yard.f"): SEE_YARD,
    ("prefix", "gatekeeper.camera.yard.frame"): SEE_YARD,
    ("prefix", "gatekeeper.camera.yard.frames"): "",
    ("prefix", "gatekeeper.camera.yard.frame."): "",
    ("prefix", "gatekeeper.door."): SEE_DOORS,
    ("prefix", "gatekeeper.door.front."): SEE_FRONT,
    ("prefix", "gatekeeper.door.back."): SEE_DOORS,
    ("prefix", "gatekeeper.e"): SEE_EVENTS,
    ("prefix", "gatekeeper.event"): SEE_EVENTS,
    ("prefix", "gatekeeper.event."): "",
    ("prefix", "gatekeeper.m"): SEE_TEAMS,
    ("prefix", "gatekeeper.measurement.team."): SEE_TEAMS,
    ("prefix", "gatekeeper.measurement.team.3"): SEE_TEAMS,  # and 30
    ("prefix", "gatekeeper.measurement.team.3."): SEE_TEAM,
    ("prefix", "gatekeeper.measurement.team.5."): SEE_TEAMS,
    ("wildcard", "gatekeeper.measurement.team..sample"): SEE_TEAMS,
    ("wildcard", "gatekeeper.measurement.team.3."): SEE_TEAM,
    ("wildcard", "gatekeeper.measurement."): SEE_TEAMS,
    ("prefix", "gatekeeper.s"): "owner",
    ("prefix", "gatekeeper.site."): "owner",
    ("prefix", "gatekeeper.x"): "",
    ("prefix", "w"): "owner",
    ("prefix", "wamp"): "owner",
    ("prefix", "wamp."): "owner",
    ("prefix", "wamp.session."): "owner",
    ("prefix", "com"): "owner key-script",
    ("prefix", "com."): "owner key-script",
    ("wildcard", "gatekeeper.camera..frame"): SEE_CAMERAS,
    ("wildcard", "gatekeeper.camera.yard."): SEE_YARD,
    ("wildcard", "gatekeeper.camera.yard.frame"): SEE_YARD,
    ("wildcard", "gatekeeper.camera.hall."): SEE_CAMERAS,
    ("wildcard", "gatekeeper.camera.."): SEE_CAMERAS,
    ("wildcard", "gatekeeper.camera..frames"): "",
    ("wildcard", "gatekeeper.camera."): "",
    ("wildcard", "gatekeeper.door..state"): SEE_DOORS,
    ("wildcard", "gatekeeper.door.front."): SEE_FRONT,
    ("wildcard", "gatekeeper..front.state"): "owner",  # gatekeeper.site.front.state, too
    ("wildcard", "gatekeeper..."): "owner",
    ("wildcard", "gatekeeper."): "owner",
    ("wildcard", "gatekeeper.event"): SEE_EVENTS,
    ("wildcard", "gatekeeper.x."): "",
    ("wildcard", ".event"): "owner",
    ("wildcard", "."): "owner",
    ("wildcard", "..."): "owner",
    ("wildcard", "....."): "owner",
    ("wildcard", "..yard.frame"): "owner",
    ("wildcard", "wamp.."): "owner",
    ("wildcard", ".session.on_join"): "owner",
    ("wildcard", ""): "owner key-script",  # names of one component
    ("wildcard", "com..bell"): "owner key-script",
    ("wildcard", "com."): "owner key-script",
}

REGISTERED_PATTERNS: dict[tuple[str, str], str] = {
    ("prefix", "com."): "owner key-script",
    ("prefix", "gatekeeperx"): "owner key-script",
    ("wildcard", "com..bell"): "owner key-script",
    ("wildcard", "com."): "owner key-script",
    ("wildcard", ""): "owner key-script",
    **dict.fromkeys(
        [
            ("prefix", ""), ("prefix", "g"), ("prefix", "gatekeeper"), ("prefix", "gatekeeper."),
            ("prefix", "gatekeeper.door."), ("prefix", "gatekeeper.door.open"), ("prefix", "gatekeeper.x"),
            ("prefix", "w"), ("prefix", "wamp"), ("prefix", "wamp."), ("wildcard", "."), ("wildcard", ".."),
            ("wildcard", ".door.open"), ("wildcard", "gatekeeper.."), ("wildcard", "gatekeeper.door."),
            ("wildcard", "..open"), ("wildcard", "gatekeeper.x"), ("wildcard", "wamp.."), ("wildcard", ".session.list"),
        ],
        "",
    ),
}  # fmt: skip

ON_FRONT = "owner operator-front operator-all"
ROUTES: dict[str, tuple[str, str]] = {
    "GET /api/access/me": (f"{STAFF} {VIEWERS} device device-team",) * 2,
    "POST /api/access/password": (f"{STAFF} {VIEWERS} device device-team",) * 2,
    "GET /api/access/logins": (f"{STAFF} {VIEWERS} device device-team",) * 2,
    "POST /api/access/logins/end": (f"{STAFF} {VIEWERS} device device-team",) * 2,
    "GET /api/access/keys": (f"{STAFF} {VIEWERS} device device-team",) * 2,
    "POST /api/access/keys": (f"{STAFF} {VIEWERS} device device-team",) * 2,
    "DELETE /api/access/keys/<key>": (f"{STAFF} {VIEWERS} device device-team",) * 2,
    "GET /api/access/users": ("owner",) * 2,
    "POST /api/access/users": ("owner",) * 2,
    "PATCH /api/access/users/<user>": ("owner",) * 2,
    "DELETE /api/access/users/<user>": ("owner",) * 2,
    "PUT /api/access/users/<user>/grants/<kind>/<thing>": ("owner",) * 2,
    "DELETE /api/access/users/<user>/grants/<kind>/<thing>": ("owner",) * 2,
    "GET /api/system/status": (f"{STAFF} {VIEWERS}",) * 2,
    "POST /api/system/reload": ("owner",) * 2,
    "GET /cameras": (SEE_YARD,) * 2,
    "GET /cameras/<camera>": (SEE_YARD, SEE_CAMERAS),
    "GET /cameras/<camera>/snapshot.jpg": (SEE_YARD, SEE_CAMERAS),
    "GET /cameras/<camera>/stream.mjpg": (SEE_YARD, SEE_CAMERAS),
    "GET /cameras/<camera>/settings": (SEE_YARD, SEE_CAMERAS),
    "GET /cameras/<camera>/telemetry": (SEE_YARD, SEE_CAMERAS),
    "POST /cameras/<camera>/settings": ("owner operator-all",) * 2,
    "GET /api/cameras/strangers": ("owner",) * 2,
    "POST /api/cameras/try": ("owner",) * 2,
    "POST /api/cameras": ("owner",) * 2,
    "PATCH /api/cameras/<camera>": ("owner",) * 2,
    "DELETE /api/cameras/<camera>": ("owner",) * 2,
    "GET /cameras/<camera>/feeds/<feed>/stream.mjpg": (SEE_YARD, SEE_CAMERAS),
    "GET /cameras/<camera>/feeds/<feed>/snapshot.jpg": (SEE_YARD, SEE_CAMERAS),
    "POST /cameras/<camera>/pictures": ("owner operator-all",) * 2,
    "GET /pictures": (SEE_YARD,) * 2,
    "GET /pictures/days": (SEE_YARD,) * 2,
    "GET /pictures/<picture>.jpg": (SEE_YARD,) * 2,
    "GET /pictures/<picture>/thumbnail.jpg": (SEE_YARD,) * 2,
    "DELETE /pictures/<picture>.jpg": ("owner",) * 2,
    "GET /cameras/<camera>/timelapse/<day>.mp4": (SEE_YARD, SEE_CAMERAS),
    "GET /cameras/<camera>/timelapse/<day>": (SEE_YARD, SEE_CAMERAS),
    "GET /video_feed": (SEE_YARD,) * 2,
    "GET /mjpeg": (SEE_YARD,) * 2,
    "GET /api/stats": (SEE_YARD,) * 2,
    "GET /api/health": (SEE_YARD,) * 2,
    "GET /api/resolutions": (SEE_YARD,) * 2,
    "GET /api/commands": (SEE_YARD,) * 2,
    "POST /api/command/<cmd>": ("owner operator-all",) * 2,
    "POST /api/command/<cmd>/<val>": ("owner operator-all",) * 2,
    "GET /api/images/latest": (SEE_YARD,) * 2,
    "POST /api/images/save": ("owner operator-all",) * 2,
    "GET /doors": (SEE_FRONT,) * 2,
    "GET /doors/<door>": (SEE_FRONT, SEE_DOORS),
    "POST /doors/<door>/open": (ON_FRONT, "owner operator-all"),
    "POST /doors/<door>/lock": (ON_FRONT, "owner operator-all"),
    "GET /events": (f"{STAFF} {VIEWERS} key-yard key-events",) * 2,
    "GET /events/<event>": (f"{STAFF} {VIEWERS} key-yard key-events",) * 2,
    "GET /events/<event>/frames/<number>.jpg": (f"{STAFF} {VIEWERS} key-yard key-events",) * 2,
    "DELETE /events/<event>/frames/<number>.jpg": ("owner",) * 2,
    "GET /events/<event>/export.zip": (STAFF,) * 2,
    "GET /events/<event>/verification": (f"{STAFF} {VIEWERS} key-yard key-events",) * 2,
    "PUT /events/<event>/hold": (STAFF,) * 2,
    "DELETE /events/<event>/hold": (STAFF,) * 2,
    "GET /measurements": (SEE_TEAM,) * 2,
    "POST /measurements/start": (CONTROL_TEAM,) * 2,
    "POST /measurements/stop": (CONTROL_TEAM,) * 2,
    "POST /measurements/tap": (CONTROL_TEAM,) * 2,
    "POST /measurements/category": (CONTROL_TEAM,) * 2,
    "GET /measurements/sessions": (SEE_TEAM,) * 2,
    "GET /measurements/sessions/<session>": (SEE_TEAM,) * 2,
    "GET /measurements/sessions/<session>/teams/<team>/chart": (SEE_TEAM, SEE_TEAMS),
    "PUT /measurements/sessions/<session>/teams/<team>/collapse": (CONTROL_TEAM, "owner operator-teams"),
    "DELETE /measurements/sessions/<session>/teams/<team>/collapse": (CONTROL_TEAM, "owner operator-teams"),
    "GET /measurements/samples.<extension>": (SEE_TEAM,) * 2,
}
"""Who may on yard, front and team 3, and on hall, back and team 5."""

PLACES = ({"camera": "yard", "door": "front", "team": "3"}, {"camera": "hall", "door": "back", "team": "5"})

OPEN_ROUTES = {
    "GET /healthz", "GET /", "GET /assets/<path:name>", "GET /login", "POST /login", "POST /logout",
    "POST /api/access/setup", "POST /api/access/token", "GET /openapi.json", "GET /api",
    "POST /measurements/samples", "POST /api/receive_camera_data.php",  # which ask for the team themselves
}  # fmt: skip


class Town:
    """Everybody, as WAMP sessions would be."""

    def __init__(self) -> None:
        self.house = house = House()
        for name, (role, grants) in PEOPLE.items():
            house.add(name, role, PASSWORD, *grants)
        house.add("shut-out", "owner")
        house.add("last", "owner")
        self.who: dict[str, Principal] = {}
        for name in (*PEOPLE, "shut-out"):
            found = house.accounts.principal(name, caller=HERE.caller(name, "password"))
            assert found is not None
            self.who[name] = found
        for name, scope in KEYS.items():
            proved = house.guard.prove(house.key("owner", **scope), HERE)
            assert proved is not None
            self.who[name] = proved
        token = house.guard.prove("correct-horse-battery-staple", HERE)
        assert token is not None
        self.who["token"] = token
        result(house.accounts.set_disabled("shut-out", True, caller=ROOT))

    def identity(self, name: str) -> Identity:
        if name == "stranger":
            return Identity("owner", "owner", "ticket")  # a role by itself opens nothing
        found = self.who[name]
        return Somebody(found.name, found.role, "ticket", principal=found)

    def allowed(self, action: Action, uri: str, match: str) -> set[str]:
        """Return who may."""
        return {name for name in EVERYBODY if self.house.guard.allow(self.identity(name), action, uri, match).allowed}


TOWN = Town()


# --- WAMP ---


def test_the_tables_here_hold_every_name_and_route_that_there_is() -> None:
    assert {name.template for name in uris.PROCEDURES} <= set(CALLS)
    assert {name for name in CALLS if name.startswith("gatekeeper.")} == {name.template for name in uris.PROCEDURES}
    for topic in uris.TOPICS:
        assert topic.format(camera="yard", door="front", team="3", feed="small") in TOPICS
    assert {f"{route.method} {route.path}" for route in uris.ROUTES} == set(ROUTES) | OPEN_ROUTES


@pytest.mark.parametrize("uri", CALLS)
def test_who_calls_a_procedure(uri: str) -> None:
    assert TOWN.allowed("call", uri, "exact") == people(CALLS[uri])


@pytest.mark.parametrize("uri", TOPICS)
def test_who_subscribes_to_a_topic(uri: str) -> None:
    assert TOWN.allowed("subscribe", uri, "exact") == people(TOPICS[uri])


@pytest.mark.parametrize("uri", [*CALLS, *TOPICS, *UNKNOWN])
def test_who_publishes_on_a_name_and_registers_it(uri: str) -> None:
    """Nobody but gatekeeper itself on its own: no script forges a door's state, or answers a call for a door."""
    scripts = people("owner key-script") if not uri.startswith(("gatekeeper.", "wamp.")) else set()
    for action in ("publish", "register"):
        assert TOWN.allowed(action, uri, "exact") == scripts


@pytest.mark.parametrize("uri", UNKNOWN)
def test_what_is_in_no_table_is_nobodys(uri: str) -> None:
    for action in get_args(Action):
        assert TOWN.allowed(action, uri, "exact") == set()


@pytest.mark.parametrize("uri", [*CALLS, *TOPICS])
def test_a_procedure_is_not_subscribed_to_and_a_topic_not_called(uri: str) -> None:
    if uri.startswith("gatekeeper.") and uri not in TOPICS:
        assert TOWN.allowed("subscribe", uri, "exact") == set()
    if uri.startswith("gatekeeper.") and uri not in CALLS:
        assert TOWN.allowed("call", uri, "exact") == set()


@pytest.mark.parametrize(("match", "pattern"), SUBSCRIBED_PATTERNS)
def test_who_subscribes_to_a_pattern(match: str, pattern: str) -> None:
    assert TOWN.allowed("subscribe", pattern, match) == people(SUBSCRIBED_PATTERNS[match, pattern])


@pytest.mark.parametrize(("match", "pattern"), REGISTERED_PATTERNS)
def test_who_registers_a_pattern(match: str, pattern: str) -> None:
    assert TOWN.allowed("register", pattern, match) == people(REGISTERED_PATTERNS[match, pattern])


@pytest.mark.parametrize("match", ["prefix", "wildcard", "", "EXACT", "regex"])
def test_calls_and_events_have_no_pattern_and_there_are_no_other_ways_of_matching(match: str) -> None:
    for action in get_args(Action):
        for uri in (*CALLS, *TOPICS, "", "com."):
            if action in ("call", "publish") or match not in ("prefix", "wildcard"):
                assert TOWN.allowed(action, uri, match) == set()


# --- patterns against what they match, name by name ---

IDS = ("yard", "hall", "front", "back", "3", "5", "tomorrow")
UNIVERSE = [
    *(topic.format(camera=thing, door=thing, team=thing, feed="small") for topic in uris.TOPICS for thing in IDS),
    uris.TOPIC_SITE, "gatekeeper.site.a.camera.list", "gatekeeper.site.yard.frame",
    "com.example.bell", "bell", "a.b", "a.b.c.d", "a.b.c.d.e", "gatekeeper", "gatekeeperx.y", "xgatekeeper.event",
    "wampx", "wamp.session.on_join", "wamp.registration.on_create", "wamp.a", "wamp.a.b.c", "wamp.a.b.c.d",
]  # fmt: skip
PARTS = st.sampled_from(
    [
        "",
        "gatekeeper",
        "camera",
        "door",
        "event",
        "site",
        "yard",
        "front",
        "frame",
        "state",
        "measurement",
        "team",
        "3",
        "wamp",
        "com",
        "a",
        "x",
    ]
)
WILDCARDS = st.lists(PARTS, min_size=1, max_size=6).map(".".join)
PREFIXES = st.one_of(
    WILDCARDS.filter(lambda uri: UriRule.LOOSE.accepts(uri, "prefix")),
    st.sampled_from(UNIVERSE).flatmap(lambda uri: st.integers(0, len(uri)).map(lambda end: uri[:end])),
)


def needed(uri: str, who: Principal) -> bool:
    """Return whether somebody may hear a name of the universe: what sites say to each other is an owner's."""
    if uri.startswith("gatekeeper.site"):
        return who.may(Permission.ACCESS_ADMIN)
    return rules.may(who, "subscribe", uri, "exact")


def patterns() -> Iterator[Any]:
    yield st.tuples(st.just("wildcard"), WILDCARDS)
    yield st.tuples(st.just("prefix"), PREFIXES)


@settings(max_examples=300, deadline=None)
@given(st.one_of(*patterns()), st.sampled_from(sorted(TOWN.who)))
def test_a_pattern_is_allowed_only_if_every_name_that_it_matches_is(pattern: tuple[Any, str], name: str) -> None:
    who, (match, uri) = TOWN.who[name], pattern
    matched = [known for known in UNIVERSE if matches(match, uri, known)]
    refused = [known for known in matched if not needed(known, who)]
    if refused:
        assert not rules.may(who, "subscribe", uri, match), refused
    if any(known.startswith(("gatekeeper.", "wamp.")) for known in matched):
        assert not rules.may(who, "register", uri, match)


@settings(max_examples=300, deadline=None)
@given(st.one_of(*patterns()))
def test_an_owner_may_subscribe_to_every_pattern_that_can_match_anything(pattern: tuple[Any, str]) -> None:
    match, uri = pattern
    if any(matches(match, uri, known) for known in UNIVERSE):
        assert rules.may(TOWN.who["owner"], "subscribe", uri, match)


# --- through the router ---


def session(router: Router, name: str) -> Client:
    client = Client(router, address=HERE.address)
    client.say(1, "realm", {**ROLES, "authmethods": ["ticket"], "authid": name})
    [welcome] = client.say(5, PASSWORD, {})
    assert welcome[0] == 2
    return client


def test_a_subscriber_hears_of_nothing_that_was_not_granted_and_nobody_forges_it() -> None:
    router = Router("realm", TOWN.house.wamp, TOWN.house.guard)
    server = LocalSession(router, Identity("gatekeeper", TRUSTED, "local"))
    some, owner = session(router, "viewer-some"), session(router, "owner")
    asked = [
        ("gatekeeper.door.front.state", "exact"), ("gatekeeper.door.back.state", "exact"),
        ("gatekeeper.door.", "prefix"), ("gatekeeper.door..state", "wildcard"), ("", "prefix"), ("...", "wildcard"),
        ("gatekeeper.door.front.", "prefix"),
    ]  # fmt: skip
    answers = [some.say(32, number, {"match": match}, uri)[0] for number, (uri, match) in enumerate(asked, 1)]
    assert [answer[0] for answer in answers] == [33, 8, 8, 8, 8, 8, 33]
    assert {answer[4] for answer in answers if answer[0] == 8} == {"wamp.error.not_authorized"}
    for door in ("front", "back"):
        server.publish(f"gatekeeper.door.{door}.state", {"door": door})
    assert [event[4][0]["door"] for event in some.take()] == ["front", "front"]
    for client in (some, owner):
        for topic in ("gatekeeper.door.front.state", "gatekeeper.event", "wamp.session.on_join"):
            [answer] = client.say(16, 99, {"acknowledge": True}, topic, [{"forged": True}])
            assert answer[0] == 8
        for match, uri in (("exact", "gatekeeper.door.open"), ("prefix", "gatekeeper."), ("wildcard", "..")):
            assert client.say(64, 98, {"match": match}, uri)[0][0] == 8
        assert client.say(48, 97, {}, "wamp.session.add_testament", ["gatekeeper.door.front.state", [1], {}])[0][0] == 8
    assert some.take() == []


# --- HTTP ---


@pytest.mark.parametrize("route", uris.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_who_may_use_a_route(route: uris.Route) -> None:
    named = f"{route.method} {route.path}"
    more = {"user": "ana", "key": "k", "kind": "door", "thing": "*", "event": "e", "number": "1", "session": "1"}
    for place, things in enumerate(PLACES):
        ids = {key: value for key, value in (things | more).items() if f"<{key}>" in route.path}
        allowed = set()
        for name in [*TOWN.who, None]:
            principal = TOWN.house.guard.renewed(TOWN.who[name]) if name is not None else None
            try:
                TOWN.house.guard.authorise(principal, route, ids)
            except AccessDenied:
                assert principal is not None
            except NotAuthenticated:
                assert principal is None
            else:
                allowed.add(name or "stranger")
        expected = set(EVERYBODY) if named in OPEN_ROUTES else people(ROUTES[named][place])
        assert allowed == expected


def test_whoever_came_by_a_link_is_let_do_nothing_by_wamp() -> None:
    given_by_link = run(TOWN.house.logins.by_link(TOWN.house.links.new("owner", "owner"), HERE))
    found = TOWN.house.wamp.hello(
        "realm",
        ["cookie"],
        None,
        {},
        Client(Router("realm"), headers={"cookie": f"gatekeeper={given_by_link.cookie}"}).session.peer,
    )
    assert type(found).__name__ == "Deny"
