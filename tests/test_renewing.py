"""A running site takes a new configuration: what did not change is not touched, what can't be used changes nothing."""

from pathlib import Path
from typing import Any

import pytest

from gatekeeper.caller import Caller
from gatekeeper.errors import NotReloaded
from gatekeeper.renewing import MAXIMUM_WAITING
from tests.sites import SETTINGS, Log, Memory, Plug
from tests.test_viewing import Stage

ANA = Caller(name="ana")
ATTIC = '[[cameras]]\nid = "attic"\nurl = "http://192.168.137.50:8081/"\n'


class Renewal(Stage):
    """A site that runs, whose file can be written anew."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.lock = Plug(self.net).greet()
        self.site.startService = lambda: None  # type: ignore[method-assign]

    def reload(self, settings: str) -> list[Any]:
        self.file.write_text(settings)
        return self.done(self.site.renewing.reload(ANA))

    def open(self) -> None:
        self.watcher.call("gatekeeper.door.open", "front", duration=60)
        self.lock.says("OK:Door opened", "ACK:OPEN_DOOR")
        assert self.lock.heard() == ["OPEN_DOOR"]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.site.journal.recent()]


@pytest.fixture
def house(tmp_path: Path) -> Renewal:
    return Renewal(tmp_path)


def test_what_did_not_change_goes_on_as_if_nothing_was(house: Renewal) -> None:
    house.open()
    dialled, viewed = len(house.net.tcpClients), house.viewing.viewed["yard"]
    lease = house.doorways.links["front"].door.lease
    wire = house.watch("yard")
    [answer] = house.reload(SETTINGS.replace('id = "hall"\nurl = "http://192.168.137.22/stream"', ATTIC[12:]))
    assert (answer.added, answer.removed, answer.changed) == (["cameras.attic"], ["cameras.hall"], [])
    assert house.ids() == ["yard", "attic"]
    assert house.viewing.viewed["yard"] is viewed
    assert [client[1] for client in house.net.tcpClients[dialled:]] == [8081]
    assert house.lock.heard() == []
    assert house.doorways.links["front"].door.lease is lease
    assert not wire.disconnecting


def test_a_file_that_can_not_be_used_changes_nothing_and_is_told_in_one_sentence(house: Renewal) -> None:
    before = house.viewing.viewed["yard"]
    with Log() as log:
        [answer] = house.reload("cameras = 5")
    assert isinstance(answer.value, NotReloaded)
    assert "cameras: found" in str(answer.value)
    assert log.count("not reloaded, the site runs on as it was")
    assert house.viewing.viewed["yard"] is before
    assert house.kinds()[-1] == "system.reload_failed"
    [answer] = house.reload(SETTINGS + ATTIC + 'username = "a"\npassword = {file = "missing"}\n')
    assert "cameras[2].password: can't read" in str(answer.value)
    assert house.ids() == ["yard", "hall"]


def test_a_door_that_changed_is_locked_and_let_go_before_its_lock_is_dialled_again(house: Renewal) -> None:
    house.open()
    dialled = len(house.net.tcpClients)
    answers = house.reload(SETTINGS.replace("192.168.137.21/ws", "192.168.137.21:8182/ws"))
    assert house.lock.heard() == ["LOCK_DOOR"]
    assert (answers, len(house.net.tcpClients)) == ([], dialled)
    house.lock.says("OK:Door locked", "ACK:LOCK_DOOR")
    assert (answers, len(house.net.tcpClients)) == ([], dialled), "not while the link is open"
    house.lock.lose()
    assert answers[0].changed == ["doors.front"]
    assert house.net.tcpClients[-1][1] == 8182
    assert house.doorways.doors.status("front").state == "unavailable"


def test_a_lock_that_does_not_answer_holds_a_reload_up_for_so_long_and_no_longer(house: Renewal) -> None:
    house.open()
    answers = house.reload(SETTINGS.partition("[[doors]]")[0].replace('doors = ["front"]', ""))
    for _ in range(40):
        house.net.advance(0.1)
    house.lock.lose()
    assert answers[0].removed == ["doors.front"]
    assert "door.left_unlocked" in house.kinds()


def test_reloads_take_their_turns_and_too_many_are_refused(house: Renewal) -> None:
    first = house.reload(SETTINGS.replace("192.168.137.21/ws", "192.168.137.21:8182/ws"))
    second = house.reload(SETTINGS.replace("192.168.137.21/ws", "192.168.137.21:8183/ws"))
    assert house.site.renewing.waits
    more = [house.reload(SETTINGS) for _ in range(MAXIMUM_WAITING)]
    assert [answers[0].value.code for answers in more if answers] == ["busy"]
    house.file.write_text(SETTINGS.replace("192.168.137.21/ws", "192.168.137.21:8183/ws"))
    house.lock.says("OK:Door locked", "ACK:LOCK_DOOR")
    house.lock.lose()
    assert first[0].changed == second[0].changed == ["doors.front"]
    assert house.net.tcpClients[-1][1] == 8183


def test_what_needs_a_restart_is_said_and_the_rest_is_done(house: Renewal) -> None:
    ports = list(house.net.tcpServers)
    with Log() as log:
        [answer] = house.reload(SETTINGS.replace("tcp:8000", "tcp:8001") + ATTIC)
    assert (answer.restart, answer.added) == (["listen"], ["cameras.attic"])
    assert log.count("listen takes effect after a restart")
    assert house.net.tcpServers == ports
    [event] = [event for event in house.site.journal.recent() if event.kind == "system.reloaded"]
    assert event.text == "ana reloaded the configuration: added cameras.attic; listen takes effect after a restart"
    assert event.details["restart"] == ["listen"]
    assert {"cameras.attic", "listen"} <= event.details["configuration"].keys()


def test_the_first_camera_that_connects_to_us_opens_the_ports_for_it(house: Renewal) -> None:
    ports = len(house.net.tcpServers)
    [answer] = house.reload(SETTINGS + '[[cameras]]\nid = "s3"\npush = {path = "/s3"}\n')
    assert answer.added == ["cameras.s3"]
    assert sorted(server[0] for server in house.net.tcpServers[ports:]) == [6971, 6972]


def test_whoever_lists_cameras_hears_that_something_changed(house: Renewal) -> None:
    heard: list[Any] = []
    house.watcher.subscribe(lambda *args: heard.append(args), "gatekeeper.system.changed")
    house.reload(SETTINGS.replace("[access]", 'name = "shop"\n[access]'))
    assert heard == [()]
    assert house.ask("GET", "/api/system/status", house.bearer).json["name"] == "shop"


def test_it_is_called_over_http_and_wamp_by_who_may(house: Renewal) -> None:
    house.file.write_text(SETTINGS + ATTIC)
    assert house.post("/api/system/reload").json["added"] == ["cameras.attic"]
    answers: list[Any] = []
    house.watcher.call("gatekeeper.system.reload").addBoth(answers.append)
    assert answers[0]["text"] == "nothing changed"
    house.file.write_text("x = 1")
    answer = house.post("/api/system/reload")
    assert (answer.status, answer.code) == (409, "not_reloaded")


def test_after_the_stop_began_nothing_is_taken_any_more(house: Renewal) -> None:
    ended: list[Any] = []
    first = house.reload(SETTINGS.replace("192.168.137.21/ws", "192.168.137.21:8182/ws"))
    house.site.renewing.stop().addBoth(ended.append)
    dialled = len(house.net.tcpClients)
    assert not ended
    house.lock.says("OK:Door locked", "ACK:LOCK_DOOR")
    house.lock.lose()
    assert (len(ended), len(first)) == (1, 1)
    assert len(house.net.tcpClients) == dialled
    assert house.reload(SETTINGS)[0].value.code == "not_reloaded"


def test_a_demo_site_has_no_file_to_read(tmp_path: Path) -> None:
    gate = Memory(tmp_path)
    gate.site.renewing.source = None
    answer = gate.post("/api/system/reload")
    assert (answer.status, answer.code) == (409, "not_reloaded")
    assert "the demo site has no configuration file" in answer.json["error"]["message"]
