"""A site composed of a configuration: what the tables promise is served, and nothing else."""

import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet.error import CannotListenError

from gatekeeper import caller, config, uris
from gatekeeper.access.guard import Somebody
from gatekeeper.errors import ConfigurationError
from gatekeeper.site import Site
from gatekeeper.wamp.errors import WampError
from gatekeeper.wamp.local import LocalSession
from tests.sites import SETTINGS, Log, Memory, Plug

DOORLESS = '[access]\nadmin_token = {file = "token"}\n'


NOBODY = {"name": "nobody"}
ARGUMENTS: dict[uris.Name, dict[str, Any]] = {
    uris.CALL_CAMERA_STATUS: {"camera": "yard"},
    uris.CALL_CAMERA_SETTINGS: {"camera": "yard"},
    uris.CALL_CAMERA_TRY: {"url": "http://192.168.137.22/stream"},
    uris.CALL_CAMERA_ADD: {"id": "attic", "url": "http://192.168.137.50:8081/"},
    uris.CALL_CAMERA_CHANGE: {"camera": "hall", "name": "Hall"},
    uris.CALL_CAMERA_REMOVE: {"camera": "hall"},
    uris.CALL_CAMERA_SET: {"camera": "yard", "quality": 12},
    uris.CALL_CAMERA_TELEMETRY: {"camera": "yard", "since": 5},
    uris.CALL_CAMERA_WATCH: {"camera": "yard", "tile": 1},
    uris.CALL_CAMERA_CREDIT: {"painted": [[1, 1]]},
    uris.CALL_EVENT_GET: {"event": "none"},
    uris.CALL_CAMERA_KEEP: {"camera": "yard"},
    uris.CALL_PICTURE_DELETE: {"picture": "none"},
    uris.CALL_EVENT_VERIFY: {"event": "none"},
    uris.CALL_EVENT_HOLD: {"event": "none"},
    uris.CALL_EVENT_RELEASE: {"event": "none"},
    uris.CALL_EVENT_ERASE: {"event": "none", "number": 1},
    uris.CALL_MEASUREMENT_SEND: {"samples": []},
    uris.CALL_MEASUREMENT_START: {"frequency": 1.5},
    uris.CALL_MEASUREMENT_TAP: {"open": True},
    uris.CALL_MEASUREMENT_CATEGORY: {"category": "beton"},
    uris.CALL_MEASUREMENT_COLLAPSE: {"session": 1, "team": 1, "second": 3.5},
    uris.CALL_MEASUREMENT_SESSION: {"session": 1},
    uris.CALL_MEASUREMENT_CHART: {"session": 1, "team": 1},
    uris.CALL_ACCESS_ADD: {"name": "ben", "role": "viewer"},
    uris.CALL_ACCESS_CHANGE: {**NOBODY, "role": "viewer"},
    uris.CALL_ACCESS_REVOKE: NOBODY,
    uris.CALL_ACCESS_GRANT: {**NOBODY, "kind": "door", "thing": "front"},
    uris.CALL_ACCESS_REVOKE_GRANT: {**NOBODY, "kind": "door", "thing": "front"},
    uris.CALL_ACCESS_NEW_KEY: {"label": "script"},
    uris.CALL_ACCESS_REVOKE_KEY: {"key": "none"},
}
REFUSED = {
    **dict.fromkeys((uris.CALL_DOOR_OPEN, uris.CALL_DOOR_LOCK), "not_connected"),
    **dict.fromkeys(
        (
            uris.CALL_EVENT_GET,
            uris.CALL_EVENT_VERIFY,
            uris.CALL_EVENT_HOLD,
            uris.CALL_EVENT_RELEASE,
            uris.CALL_EVENT_ERASE,
        ),
        "no_such_event",
    ),
    **dict.fromkeys(
        (uris.CALL_ACCESS_CHANGE, uris.CALL_ACCESS_REVOKE, uris.CALL_ACCESS_GRANT, uris.CALL_ACCESS_REVOKE_GRANT),
        "no_such_user",
    ),
    uris.CALL_CAMERA_KEEP: "no_picture",
    uris.CALL_PICTURE_DELETE: "no_such_picture",
    uris.CALL_MEASUREMENT_SEND: "invalid_argument",  # nothing is sent
    uris.CALL_MEASUREMENT_STOP: "conflict",  # nothing runs
    **dict.fromkeys(
        (uris.CALL_MEASUREMENT_COLLAPSE, uris.CALL_MEASUREMENT_SESSION, uris.CALL_MEASUREMENT_CHART),
        "no_such_session",
    ),
    uris.CALL_CAMERA_SET: "invalid_argument",  # this one does not connect to us
    uris.CALL_ACCESS_NEW_KEY: "no_such_user",  # the configuration's token has no account of its own yet
    uris.CALL_ACCESS_REVOKE_KEY: "no_such_key",
    **dict.fromkeys((uris.CALL_EVENT_FOLLOW, uris.CALL_CAMERA_WATCH), "invalid_argument"),  # for progressive results
    uris.CALL_CAMERA_CREDIT: "invalid_argument",  # nothing is watched
}
"""What the procedures answer to these arguments where there is nothing to do it with."""


class Caller:
    """A session of the site's router, and what it heard."""

    def __init__(self, gate: Memory) -> None:
        self.session = gate.session()
        self.heard: list[Any] = []

    def call(self, procedure: str, *args: Any, **kwargs: Any) -> Any:
        """Return the result, or the URI of the error."""
        answers: list[Any] = []
        self.session.call(procedure, *args, **kwargs).addBoth(answers.append)
        [answer] = answers
        error = getattr(answer, "value", None)
        return error.uri if isinstance(error, WampError) else answer

    def subscribe(self, topic: str) -> None:
        self.session.subscribe(self.heard.append, topic)


@pytest.fixture
def gate(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


# --- the tables ---


def test_every_procedure_of_the_table_is_offered_and_no_other(gate: Memory) -> None:
    session = gate.site._session
    assert isinstance(session, LocalSession)
    offered = {registration.procedure for registration in session.registrations.values()}
    assert offered == {name.template for name in uris.PROCEDURES}
    assert gate.site._router.metrics().registrations_now == len(uris.PROCEDURES)


@pytest.mark.parametrize("name", uris.PROCEDURES, ids=lambda name: name.template)
def test_every_procedure_answers(gate: Memory, name: uris.Name) -> None:
    answer = Caller(gate).call(name.template, **ARGUMENTS.get(name, {}))
    refusal = REFUSED.get(name)
    assert answer == f"gatekeeper.error.{refusal}" if refusal else isinstance(answer, dict | list | tuple | None)
    msgspec.json.encode(answer)


@pytest.mark.parametrize("route", uris.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_of_the_table_is_answered(gate: Memory, route: uris.Route) -> None:
    path = route.format(
        camera="yard", door="front", name="none.js", event="none", number="1", user="nobody", key="none", kind="door",
        thing="front", picture="none", day="2026-11-28", feed="none", cmd="reboot", val="1",
        session="1", team="1", extension="csv",
    )  # fmt: skip
    received = gate.send(route.method, path, gate.bearer).value()
    status = int(received.split()[1])
    assert status not in (405, 500)
    assert status != 404 or route is uris.ASSETS or b"no_such_" in received


def test_no_route_beside_the_table_is_answered(gate: Memory) -> None:
    [api] = [gate.site._http.resource._api._app]
    rules = {(method, rule.rule) for rule in api.url_map.iter_rules() for method in rule.methods - {"HEAD"}}
    streams = {("GET", route.path) for route in (uris.STREAM, uris.FEED_STREAM, uris.VIDEO_FEED, uris.MJPEG)}
    assert rules | streams == {(route.method, route.path) for route in uris.ROUTES}
    assert not rules & streams


# --- calls ---


def test_who_may_not_view_a_camera_learns_no_setting_and_no_sample_of_it(gate: Memory) -> None:
    owner = Caller(gate)
    owner.call("gatekeeper.access.add", name="vera", role="viewer", grants=[{"kind": "camera", "thing": "hall"}])
    vera = gate.site.entrance.accounts.principal("vera", caller=caller.Caller(name="vera", client="wamp"))
    assert vera is not None
    theirs = Caller(gate)
    theirs.session = LocalSession(gate.site._router, Somebody("vera", vera.role, "ticket", principal=vera))
    for procedure in ("gatekeeper.camera.settings", "gatekeeper.camera.telemetry"):
        assert theirs.call(procedure, camera="hall")["camera"] == "hall"
        for hidden in ("yard", "nowhere"):
            assert theirs.call(procedure, camera=hidden) == "gatekeeper.error.denied"
    assert owner.call("gatekeeper.camera.settings", camera="yard")["reason"].startswith("camera yard takes no settings")
    assert owner.call("gatekeeper.camera.telemetry", camera="yard", since="soon") == "gatekeeper.error.invalid_argument"


def test_a_call_with_arguments_that_do_not_fit_is_the_callers_mistake(gate: Memory) -> None:
    caller = Caller(gate)
    with Log() as log:
        for procedure, args, kwargs in (
            ("gatekeeper.system.status", (1,), {}),
            ("gatekeeper.camera.status", (), {}),
            ("gatekeeper.camera.status", (5,), {}),
            ("gatekeeper.camera.list", (), {"who": "root"}),
            ("gatekeeper.door.status", ([1],), {}),
            ("gatekeeper.door.open", ("front", 5), {}),
            ("gatekeeper.door.open", (), {"who": "root"}),
            ("gatekeeper.door.open", (), {"duration": float("nan")}),
        ):
            assert caller.call(procedure, *args, **kwargs) == "gatekeeper.error.invalid_argument", procedure
    assert not log.count("log_failure")


def test_who_calls_is_who_the_router_says(gate: Memory) -> None:
    gate.site._devices.startService()
    lock = Plug(gate.net).greet()
    answers: list[Any] = []
    Caller(gate).session.call("gatekeeper.door.open", "front", reason="parcel", details={"authid": "root"}).addBoth(
        answers.append
    )
    lock.says("OK:Door opened", "ACK:OPEN_DOOR")
    assert answers[0]["state"] == "unlocked"
    assert [event.actor for event in gate.site.journal.recent() if event.kind == "door.opened"] == ["admin"]


def test_errors_keep_their_names_over_wamp(gate: Memory) -> None:
    caller = Caller(gate)
    assert caller.call("gatekeeper.door.status", "none") == "gatekeeper.error.no_such_door"
    assert caller.call("gatekeeper.camera.status", "none") == "gatekeeper.error.no_such_camera"


# --- topics ---


def test_what_happens_is_published_where_the_table_says(gate: Memory) -> None:
    doors, cameras, events = Caller(gate), Caller(gate), Caller(gate)
    doors.subscribe("gatekeeper.door.front.state")
    cameras.subscribe("gatekeeper.camera.yard.state")
    events.subscribe("gatekeeper.event")
    gate.site._devices.startService()
    lock = Plug(gate.net).greet()
    gate.site.viewing.feeds["yard"].put(b"jpeg", 1, 1, 0.0, 1_800_000_000.0)
    lock.lose()
    assert [state["state"] for state in doors.heard][-2:] == ["locked", "unknown"]
    assert cameras.heard[-1]["state"] == "live"
    assert {"door.link_up", "door.link_lost", "camera.live"} <= {event["kind"] for event in events.heard}
    assert Caller(gate).call("gatekeeper.event.recent")[-1]["kind"] == events.heard[-1]["kind"]


def test_of_frames_only_the_newest_matters_and_of_facts_all() -> None:
    from gatekeeper.site import _policy

    ids = {"camera": "yard", "door": "front", "feed": "small", "team": "3"}
    policies = {name.template: _policy(name.format(**ids)) for name in uris.TOPICS}
    frames = [uris.TOPIC_CAMERA_FRAME.template, uris.TOPIC_FEED_FRAME.template]
    assert [topic for topic, policy in policies.items() if policy == "newest"] == frames


# --- starting and stopping ---


def test_a_port_that_is_taken_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Memory(tmp_path)

    def taken(*_: Any, **__: Any) -> None:
        raise CannotListenError("", 8000, OSError(98, "Address already in use"))

    monkeypatch.setattr(gate.net, "listenTCP", taken)
    with pytest.raises(ConfigurationError, match=r"^listen: can't listen on tcp:8000: .*Address already in use"):
        gate.site.privilegedStartService()


def test_an_endpoint_with_wrong_options_is_told_in_one_sentence(tmp_path: Path) -> None:
    site = config.override(config.Site(), data=None, listen="unix:/run/x.sock:colour=red")
    with pytest.raises(ConfigurationError, match=r"^listen: can't listen on unix:"):
        Site(site, tmp_path, Memory(tmp_path).net).privilegedStartService()


def test_a_site_starts_says_where_it_is_and_stops_whole(tmp_path: Path) -> None:
    gate = Memory(tmp_path, DOORLESS)
    with Log() as log:
        gate.site.startService()
        done: list[Any] = []
        gate.site.stopService().addBoth(done.append)
    assert done == [None]
    assert log.count("/login?code=") == 1
    assert gate.site.journal.recent()[0].kind == "system.started"
    assert gate.net.getDelayedCalls() == []


def test_no_address_is_logged_with_its_query(tmp_path: Path) -> None:
    without_doors = SETTINGS.partition("[[doors]]")[0].replace('doors = ["front"]\n', "")
    gate = Memory(tmp_path, without_doors)
    with Log() as log:
        gate.site.startService()
        gate.site.stopService().addErrback(lambda _: None)
        gate.net.advance(10)
    assert log.count("camera yard: http://192.168.137.20/stream") == 1
    assert not any("camera yard" in line.partition(" {")[0] and "secret" in line for line in log.lines)


def test_a_data_folder_without_a_home_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^data: found .*no such home directory$"):
        Memory(tmp_path, 'data = "~nobody-of-this-name/x"')


def test_no_socket_is_opened_by_any_of_this(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def forbid(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket.socket, "connect", forbid)
    monkeypatch.setattr(socket.socket, "bind", forbid)
    gate = Memory(tmp_path)
    gate.site._devices.startService()
    Plug(gate.net).greet()
    assert gate.ask("GET", "/doors", gate.bearer).status == 200
