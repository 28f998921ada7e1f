"""The record over HTTP: found, shown, held, checked, and taken away as a file."""

import tempfile
from typing import Any, NamedTuple

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from gatekeeper.access.roles import Role
from gatekeeper.errors import NoSuchEvent, Overloaded, StorageUnavailable
from gatekeeper.evidence.event import Event, Query
from gatekeeper.evidence.pages import EventPage
from gatekeeper.http.events import EventRoutes
from tests.http.small import OLGA, Small, viewer
from tests.sites import Log, Wire

ID = "01HZX3V9Q8M2N4P6R7S8T9VWXY"
JPEG = b"\xff\xd8 any bytes\r\n\r\n\x00\xff\xd9"
EVENT = Event(
    sequence=7, id=ID, time=1_700_000_000.5, kind="door.opened", subject="front", actor="olga", outcome="ok",
    text="olga opened the door", pictures=1, bundle="complete",
)  # fmt: skip


class Record:
    """Answers as it is told, and remembers who asked for what."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> Any:
            self.asked.append((name, *arguments))
            answer = self.answers[name]
            if isinstance(answer, Deferred):
                return answer
            return fail(answer) if isinstance(answer, Exception) else succeed(answer)

        return ask


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def small(record: Any) -> Small:
    small = Small()
    return Small(EventRoutes(record, small.net))


def ask(small: Small, method: str, path: str, headers: dict[str, str] | None = None) -> Any:
    return small.ask(method, path.format(id=ID), headers)


# --- finding and showing ---


def test_events_are_asked_for_by_what_stands_in_the_query(small: Small, record: Record) -> None:
    record.answers["list"] = EventPage([EVENT], 7)
    answer = ask(small, "GET", "/events?kind=door.&after=3&since=1.5&order=oldest&limit=2")
    assert (answer.status, answer.json["next"]) == (200, 7)
    assert [event["id"] for event in answer.json["events"]] == [ID]
    assert answer.fields["cache-control"] == "no-store"
    assert record.asked == [("list", OLGA, Query(kind="door.", after=3, since=1.5, order="oldest", limit=2))]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "after=-1", "order=up", "since=nan", "kin=x", "kind=a&kind=b", "kind=%ff"],
)
def test_a_wrong_query_is_400_and_asks_nothing(small: Small, record: Record, query: str) -> None:
    answer = ask(small, "GET", f"/events?{query}")
    assert (answer.status, answer.code) == (400, "invalid_argument")
    assert record.asked == []


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/events/{id}", "get"),
        ("DELETE", "/events/{id}/hold", "release"),
    ],
)
def test_an_event_is_told_and_released(small: Small, record: Record, method: str, path: str, name: str) -> None:
    record.answers[name] = EVENT
    answer = ask(small, method, path)
    assert (answer.status, answer.json["id"], answer.json["text"]) == (200, ID, "olga opened the door")
    assert record.asked == [(name, OLGA, ID)]


def test_an_event_is_held_for_a_reason_or_for_none(small: Small, record: Record) -> None:
    record.answers["hold"] = EVENT
    headers = {"Content-Type": "application/json"}
    assert ask(small, "PUT", "/events/{id}/hold").json["id"] == ID
    body = b'{"reason": "the police asked"}'
    assert small.ask("PUT", f"/events/{ID}/hold", headers, body).status == 200
    assert record.asked == [("hold", OLGA, ID, None), ("hold", OLGA, ID, "the police asked")]
    for wrong in (b'{"reason": 5}', b'{"why": "x"}', b"[]", b"{"):
        assert small.ask("PUT", f"/events/{ID}/hold", headers, wrong).code == "invalid_argument"
    assert len(record.asked) == 2


def test_a_verification_is_told(small: Small, record: Record) -> None:
    record.answers["verify"] = {"sound": True}
    assert ask(small, "GET", "/events/{id}/verification").json == {"sound": True}
    assert record.asked == [("verify", OLGA, ID)]


class Asked(NamedTuple):
    """A request, what it asks of the record, and what that needs."""

    method: str
    path: str
    name: str
    permission: str = "event.view"


ALL = [
    Asked("GET", "/events", "list"),
    Asked("GET", "/events/{id}", "get"),
    Asked("GET", "/events/{id}/frames/1.jpg", "frame"),
    Asked("GET", "/events/{id}/verification", "verify"),
    Asked("GET", "/events/{id}/export.zip", "export", "event.export"),
    Asked("PUT", "/events/{id}/hold", "hold", "event.hold"),
    Asked("DELETE", "/events/{id}/hold", "release", "event.hold"),
]


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.name)
@pytest.mark.parametrize(
    "error", [NoSuchEvent("it isn't kept"), StorageUnavailable("the disk is full"), Overloaded("later")]
)
def test_what_goes_wrong_is_told_as_it_is(small: Small, record: Record, asked: Asked, error: Any) -> None:
    record.answers[asked.name] = error
    answer = ask(small, asked.method, asked.path)
    assert (answer.status, answer.code, answer.json["error"]["message"]) == (error.status, error.code, str(error))
    assert "content-disposition" not in answer.fields
    assert answer.fields["cache-control"] == "no-store"


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.name)
def test_who_may_not_is_refused_before_anything_is_asked(small: Small, record: Record, asked: Asked) -> None:
    assert ask(small.as_(None), asked.method, asked.path).code == "not_authenticated"
    assert ask(small.as_(viewer("door:front", role=Role.DEVICE)), asked.method, asked.path).code == "denied"
    if asked.permission != "event.view":
        assert ask(small.as_(viewer("door:front")), asked.method, asked.path).code == "denied"
    assert record.asked == []


# --- pictures ---


class Picture:
    jpeg = JPEG
    camera = "yard"
    received = 1_700_000_000.25


def test_a_picture_is_the_cameras_own_bytes_and_kept_by_who_saw_it(small: Small, record: Record) -> None:
    record.answers["frame"] = Picture()
    answer = ask(small, "GET", "/events/{id}/frames/12.jpg")
    assert (answer.status, answer.body) == (200, JPEG)
    assert answer.fields["content-type"] == "image/jpeg"
    assert answer.fields["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.fields["x-timestamp"] == "1700000000.250000"
    assert answer.fields["x-camera"] == "yard"
    assert record.asked == [("frame", OLGA, ID, 12)]


@pytest.mark.parametrize("number", ["0", "-1", "01", "x", "1.5", "%D9%A1", "12345678901", "1e3", "+1", " 1"])
def test_what_is_no_number_leads_nowhere(small: Small, record: Record, number: str) -> None:
    answer = ask(small, "GET", f"/events/{{id}}/frames/{number.replace(' ', '%20')}.jpg")
    assert (answer.status, answer.code) == (404, "not_found")
    assert record.asked == []


# --- the file ---


def opened(content: bytes) -> Any:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - what is tested closes it
    file.write(content)
    return file


def test_an_export_is_a_file_to_be_saved(small: Small, record: Record) -> None:
    file = record.answers["export"] = opened(b"PK" + bytes(200_000))
    answer = ask(small, "GET", "/events/{id}/export.zip")
    assert (answer.status, answer.body) == (200, b"PK" + bytes(200_000))
    assert answer.fields["content-type"] == "application/zip"
    assert answer.fields["content-disposition"] == f'attachment; filename="{ID}.zip"'
    assert answer.fields["cache-control"] == "no-store"
    assert file.closed
    assert record.asked == [("export", OLGA, ID)]


def test_a_look_at_an_export_makes_none(small: Small, record: Record) -> None:
    record.answers["get"] = EVENT
    answer = ask(small, "HEAD", "/events/{id}/export.zip")
    assert (answer.status, answer.fields["content-type"]) == (200, "application/zip")
    record.answers["get"] = NoSuchEvent("there is none")
    assert ask(small, "HEAD", "/events/{id}/export.zip").status == 404
    assert record.asked == [("get", OLGA, ID)] * 2


def test_who_goes_while_an_export_is_made_leaves_nothing(small: Small, record: Record) -> None:
    making: Deferred[Any] = Deferred()
    record.answers["export"] = making
    with Log() as log:
        wire = small.send("GET", f"/events/{ID}/export.zip")
        wire.protocol.connectionLost(Failure(ConnectionDone()))
        file = opened(b"PK")
        making.callback(file)
    assert file.closed
    assert wire.value() == b""
    assert not log.count("failed")
    assert not log.count("log_failure")


def test_an_export_that_fails_after_its_reader_went_is_no_error(small: Small, record: Record) -> None:
    making: Deferred[Any] = Deferred()
    record.answers["export"] = making
    with Log() as log:
        wire = small.send("GET", f"/events/{ID}/export.zip")
        wire.protocol.connectionLost(Failure(ConnectionDone()))
        making.errback(StorageUnavailable("the disk is full"))
    assert not log.count("log_failure")


def test_an_export_whose_reader_goes_in_the_middle_ends_there(
    small: Small, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_pause(wire: Any, data: bytes) -> None:
        StringTransport.write(wire, data)
        if wire.producer is not None:
            wire.producer.pauseProducing()

    monkeypatch.setattr(Wire, "write", write_and_pause, raising=False)
    file = record.answers["export"] = opened(bytes(1_000_000))
    with Log() as log:
        wire = small.send("GET", f"/events/{ID}/export.zip")
        assert 0 < file.tell() < 200_000
        wire.protocol.connectionLost(Failure(ConnectionDone()))
    assert file.closed
    assert not log.count("log_failure")
    assert not log.count("failed")
