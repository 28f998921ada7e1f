"""Cameras added, changed and removed from a page: the file says so with its comments kept, or stays as it was."""

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.python.failure import Failure

from gatekeeper.editing import Editing
from gatekeeper.errors import Conflict
from gatekeeper.source import Source
from gatekeeper.trying import END_TIMEOUT, PATIENCE
from tests.cameras.pictures import picture
from tests.sites import SETTINGS, Log
from tests.test_viewing import Stage

FILE = SETTINGS.replace('id = "hall"', '# mind the step\nid = "hall"  # downstairs')
ATTIC = {"id": "attic", "url": "http://192.168.137.50:8081/", "name": "The attic", "doors": ["front"]}


class House(Stage):
    """A site that runs, with a page's requests."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.file.write_text(FILE)
        self.folder = folder

    def secrets(self) -> list[Path]:
        return sorted((self.folder / "gatekeeper-data" / "secrets").glob("*"))

    def patch(self, camera: str, keys: Any) -> Any:
        import json

        headers = {"Content-Type": "application/json", **self.bearer}
        return self.ask("PATCH", f"/api/cameras/{camera}", headers, json.dumps(keys).encode())

    def remove(self, camera: str) -> Any:
        return self.ask("DELETE", f"/api/cameras/{camera}", self.bearer)

    def trying(self, given: Any) -> Any:
        """Begin to try a camera; return the wire of the answer."""
        import json

        body = json.dumps(given).encode()
        return self.send("POST", "/api/cameras/try", {"Content-Type": "application/json", **self.bearer}, body)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    for seconds in (PATIENCE, END_TIMEOUT, 0):  # what is being tried ends, or the collector ends it in another test
        house.net.advance(seconds)


def test_a_camera_that_is_added_stands_in_the_file_and_on_the_board(house: House) -> None:
    answer = house.post("/api/cameras", ATTIC)
    assert (answer.status, answer.json["added"]) == (200, ["cameras.attic"]), answer.body
    assert house.file.read_text() == (
        FILE
        + '\n[[cameras]]\nid = "attic"\nurl = "http://192.168.137.50:8081/"\nname = "The attic"\ndoors = ["front"]\n'
    )
    assert house.ids() == ["yard", "hall", "attic"]
    assert house.doorways.doors.status("front").cameras == ("yard", "attic")
    assert (house.folder / "site.toml.bak").read_text() == FILE
    events = [event for event in house.site.journal.recent() if event.kind == "camera.added"]
    assert [(event.text, event.subject) for event in events] == [("admin added camera attic", "attic")]


def test_a_password_is_in_no_configuration_and_no_log(house: House) -> None:
    with Log() as log:
        house.post("/api/cameras", {**ATTIC, "username": "ana", "password": "open sesame"})
        tried = house.trying({**ATTIC, "url": "http://192.168.137.51/", "username": "ana", "password": "open sesame"})
        house.post("/api/cameras", {**ATTIC, "id": "no id!", "username": "ana", "password": "open sesame"})
    [file] = house.secrets()
    assert file.read_text() == "open sesame"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f'password = {{file = "gatekeeper-data/secrets/{file.name}"}}' in house.file.read_text()
    assert "sesame" not in house.file.read_text()
    assert not log.count("sesame")
    assert b"sesame" not in tried.value()
    assert house.viewing.viewed["attic"].wanted.password == "open sesame"
    house.patch("attic", {"password": "new words"})
    [other] = house.secrets()
    assert (other.read_text(), other != file) == ("new words", True)
    assert house.patch("attic", {"url": "http://evil.example/"}).code == "invalid_argument"
    assert house.remove("attic").status == 200
    assert house.secrets() == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({**ATTIC, "id": "yard"}, 'there is a camera "yard" already'),
        ({**ATTIC, "id": "No"}, "id: found"),
        ({"id": "attic"}, "url: missing; give it, or snapshot, video or push instead"),
        ({**ATTIC, "doors": ["back"]}, "there is no door"),
        ({**ATTIC, "url": "http://127.0.0.1:8000/cameras/yard/stream.mjpg"}, "gatekeeper's own"),
        ({**ATTIC, "spin": 5}, "spin: no such key"),
        ({**ATTIC, "username": "ana"}, "username and password belong together"),
        ({**ATTIC, "username": "ana", "password": {"file": "/etc/passwd"}}, "password: found a table"),
        ({"id": "attic", "video": "/etc/passwd"}, "video: is not taken here"),
        ({**ATTIC, "name": 5}, "name: found"),
    ],
)
def test_what_can_not_be_used_is_told_and_leaves_the_file_as_it_was(
    house: House, given: dict[str, Any], words: str
) -> None:
    answer = house.post("/api/cameras", given)
    assert answer.status in (400, 409)
    assert words in answer.json["error"]["message"]
    assert "cameras[" not in answer.json["error"]["message"]
    assert house.file.read_text() == FILE
    assert house.secrets() == []
    assert house.ids() == ["yard", "hall"]


def test_a_camera_is_changed_in_place_and_removed_with_the_comments_kept(house: House) -> None:
    assert house.patch("hall", {"url": "http://192.168.137.23/stream", "name": "Hall"}).json["changed"] == [
        "cameras.hall"
    ]
    assert '# mind the step\nid = "hall"  # downstairs\nurl = "http://192.168.137.23/stream"' in house.file.read_text()
    assert house.patch("hall", {"name": None}).status == 200
    assert 'name = "Hall"' not in house.file.read_text()
    assert house.patch("hall", {"id": "other"}).code == "invalid_argument"
    assert house.patch("none", {"name": "x"}).code == "no_such_camera"
    assert house.remove("hall").json["removed"] == ["cameras.hall"]
    assert house.ids() == ["yard"]
    assert house.remove("hall").code == "no_such_camera"


def test_a_file_that_somebody_spoiled_meanwhile_is_not_overwritten(house: House) -> None:
    house.file.write_text(FILE + "[broken")
    answer = house.post("/api/cameras", ATTIC)
    assert answer.status == 400
    assert "is not TOML now" in answer.json["error"]["message"]
    assert house.file.read_text() == FILE + "[broken"


def test_what_somebody_wrote_into_the_file_meanwhile_comes_along_if_it_can_be_used(house: House) -> None:
    house.file.write_text(FILE.replace("192.168.137.22/stream", "192.168.137.29/stream"))
    answer = house.post("/api/cameras", ATTIC)
    assert (answer.json["added"], answer.json["changed"]) == (["cameras.attic"], ["cameras.hall"])


def test_the_mode_of_the_file_stays_and_a_link_stays_a_link(house: House) -> None:
    real = house.folder / "real.toml"
    house.file.rename(real)
    real.chmod(0o640)
    house.file.symlink_to(real)
    assert house.post("/api/cameras", ATTIC).status == 200
    assert house.file.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert [one.name for one in house.folder.iterdir() if "partial" in one.name] == []


def test_a_demo_site_says_that_it_has_no_file(house: House) -> None:
    house.site.renewing.source = None
    answer = house.post("/api/cameras", ATTIC)
    assert (answer.status, answer.code) == (409, "conflict")
    assert "the demo site has no configuration file" in answer.json["error"]["message"]


def test_a_stranger_is_adopted_by_what_tells_it(house: House) -> None:
    answer = house.post("/api/cameras", {"id": "s3", "push": {"path": "/s3", "token": "open sesame"}})
    assert answer.json["added"] == ["cameras.s3"]
    [file] = house.secrets()
    assert file.suffix == ".token"
    house.patch("s3", {"push": {"path": "/other"}})
    assert [file] == house.secrets(), "a token that isn't given again stays"
    assert house.viewing.viewed["s3"].wanted.token == "open sesame"


# --- tried ---


def test_a_camera_that_refuses_is_told_in_the_words_of_any_other(house: House) -> None:
    wire = house.trying({"url": "http://192.168.137.60:8085/"})
    [client] = [client for client in house.net.tcpClients if client[1] == 8085]
    connector: Any = None
    client[2].clientConnectionFailed(connector, Failure(Refused()))
    house.net.advance(0)
    assert b"192.168.137.60:8085 refused the connection" in wire.value(), wire.value()
    assert house.ids() == ["yard", "hall"]


def test_a_camera_that_says_nothing_is_given_up_in_time(house: House) -> None:
    wire = house.trying({"url": "http://192.168.137.60:8085/", "connect_timeout": 300})
    house.net.advance(PATIENCE)
    house.net.advance(0)
    assert b"no picture within 12 s" in wire.value()


def test_two_are_tried_at_once_and_no_more(house: House) -> None:
    wires = [house.trying({"url": f"http://192.168.137.{place}/"}) for place in (61, 62, 63)]
    assert [b"409" in wire.value().partition(b"\r\n")[0] for wire in wires] == [False, False, True]


def test_a_camera_that_is_there_is_not_connected_to_a_second_time(house: House) -> None:
    dialled = len(house.net.tcpClients)
    given = {"id": "hall", "url": "http://192.168.137.22/stream"}
    assert b"camera hall has this address and is connecting" in house.trying(given).value()
    house.shoot("hall", picture())
    answer = house.post("/api/cameras/try", given).json
    assert (answer["reason"], answer["width"]) == (None, 16)
    assert len(house.net.tcpClients) == dialled


def test_what_is_no_camera_at_all_is_an_argument_that_is_wrong(house: House) -> None:
    wrong: list[tuple[dict[str, str], str]] = [
        ({}, "url: missing"),
        ({"url": "http://127.0.0.1:8000/"}, "own"),
        ({"url": "ftp://x/"}, "url: found"),
    ]
    for given, words in wrong:
        answer = house.post("/api/cameras/try", given)
        assert (answer.code, words in answer.json["error"]["message"]) == ("invalid_argument", True), answer.json


def test_who_may_not_is_refused_and_that_is_on_the_record(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert house.ask("POST", "/api/cameras", {"Content-Type": "application/json"}, b"{}").status == 401
    from gatekeeper.caller import Caller
    from gatekeeper.errors import AccessDenied

    house.site.editing.refused(Caller(name="ben"), AccessDenied("no"), "removed", "hall")
    event = house.site.journal.recent()[-1]
    assert (event.kind, event.subject, event.outcome) == ("camera.edit_failed", "hall", "denied")


# --- killed while writing ---

WRITER = """
import sys
from pathlib import Path
from gatekeeper.source import Source
source = Source(Path(sys.argv[1]), lambda site: site)
texts = ["x = 1\\n" * 20000, "y = 2\\n" * 30000]
sys.stdout.write("go\\n"); sys.stdout.flush()
while True:
    source.write(*texts)
    texts.reverse()
"""


def test_whoever_is_killed_while_writing_leaves_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    whole = ["x = 1\n" * 20000, "y = 2\n" * 30000]
    for delay in (0.0, 0.003, 0.011):
        file.write_text(whole[0])
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, env={**os.environ}
        )
        assert process.stdout is not None
        process.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(delay)
        process.kill()
        process.wait()
        process.stdout.close()
        assert file.read_text() in whole


def test_the_editing_of_a_site_is_what_calls_reach(house: House) -> None:
    assert isinstance(house.site.editing, Editing)
    answers: list[Any] = []
    house.watcher.call("gatekeeper.camera.add", **ATTIC).addBoth(answers.append)
    assert answers[0]["added"] == ["cameras.attic"]
    house.watcher.call("gatekeeper.camera.change", "attic", name="A").addBoth(answers.append)
    house.watcher.call("gatekeeper.camera.remove", "attic").addBoth(answers.append)
    assert [answer["changed"] + answer["removed"] for answer in answers[1:]] == [["cameras.attic"]] * 2


def test_a_file_that_changes_between_reading_and_writing_is_not_overwritten(tmp_path: Path) -> None:
    source = Source(tmp_path / "site.toml", lambda site: site)
    source.file.write_text("theirs")
    with pytest.raises(Conflict, match="was changed meanwhile"):
        source.write("ours", "new")
    assert [one.name for one in tmp_path.iterdir()] == ["site.toml"]
    assert source.text() == "theirs"
