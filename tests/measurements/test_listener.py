"""The seed's port: its own messages in and out, what is wrong told to whoever sent it, and keys."""

from pathlib import Path
from typing import Any

import pytest
from wsproto.frame_protocol import Opcode

from gatekeeper.measurements.connection import MAXIMUM_UNREAD
from gatekeeper.measurements.intake import HIGH
from gatekeeper.measurements.sample import MAXIMUM_MESSAGE
from tests.measurements.house import House, sample


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def of(kind: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if message["type"] == kind]


def start(house: House, frequency: float = 2.5, **more: Any) -> Any:
    answer = house.call("/measurements/start", {"frequency": frequency, **more})
    assert answer.status == 200, answer.body
    return answer.json


# --- the seed's own ---


def test_a_sample_of_a_session_is_told_to_all_as_the_pages_expect_it_once_it_is_stored(house: House) -> None:
    page, laptop = house.laptop(), house.laptop()
    assert page.heard() == [{"type": "initial_data", "data": []}]
    start(house, 2.5, category="beton")
    [begun] = page.heard()
    assert (begun["type"], begun["frequency"], begun["category"]) == ("session_started", 2.5, "beton")
    house.net.advance(15.3)
    laptop.send(sample(3))
    house.database.fail("full")
    house.turn()
    assert of("new_data", page.heard()) == []
    house.database.fail(None)
    house.turn(1.0)
    [told] = of("new_data", page.heard())
    assert told["count"] == 1
    [data] = told["data"]
    assert set(data) == {
        "laptop_id", "dista", "distb", "is_a_detected", "is_b_detected", "session_id", "category", "frequency",
        "relative_time", "elapsed_seconds", "timestamp",
    }  # fmt: skip
    assert (data["laptop_id"], data["dista"], data["distb"], data["frequency"]) == (3, 1.5, -2.5, 2.5)
    assert (data["session_id"], data["category"], data["relative_time"], data["elapsed_seconds"]) == (
        1,
        "beton",
        15,
        15,
    )
    [row] = house.stored()
    assert (row.session, row.team, row.elapsed) == (1, 3, pytest.approx(15.3, abs=0.2))


@pytest.mark.parametrize(("form", "kinds"), [("flat", [None]), ("both", [list, None])])
def test_the_flat_form_stands_behind_a_switch(tmp_path: Path, form: str, kinds: list[Any]) -> None:
    house = House(tmp_path, f'broadcast = "{form}"\n')
    page = house.laptop()
    start(house)
    page.send(sample())
    house.turn()
    told = of("new_data", page.heard())
    assert [type(message.get("data")) if "data" in message else None for message in told] == kinds
    assert told[-1]["laptop_id"] == 1
    assert told[-1]["session_id"] == 1


def test_without_a_session_the_tap_decides_and_the_sender_is_told(house: House) -> None:
    laptop = house.laptop()
    laptop.send(sample())
    laptop.send(sample(sender="s", seq=1))
    house.turn()
    heard = laptop.heard()
    assert "master tap is closed" in of("error", heard)[0]["message"]
    [ack] = of("ack", heard)
    assert (ack["stored"], ack["seq"]) == (False, [1])
    assert house.call("/measurements/tap", {"open": True}).json["tap"] is True
    assert [one["type"] for one in laptop.heard()] == ["realtime_saving_started"]
    laptop.send(sample(sender="s", seq=1))
    house.turn()
    heard = laptop.heard()
    [data] = of("new_data", heard)[0]["data"]
    assert (data["session_id"], data["frequency"], data["relative_time"]) == (None, None, None)
    assert (data["category"], of("ack", heard)[0]["stored"]) == ("baja", True)


def test_a_session_ends_by_itself_and_the_pages_hear_it(house: House) -> None:
    page = house.laptop()
    start(house)
    page.send(sample())
    house.turn()
    page.heard()
    for _ in range(59):
        house.net.advance(1.0)
        page.send({"action": "ping"})
    assert of("session_stopped", page.heard()) == []
    house.turn(1.5)
    [stopped] = of("session_stopped", page.heard())
    assert (stopped["session_id"], stopped["outcome"]) == (1, "completed")
    page.send(sample())
    house.turn()
    assert of("new_data", page.heard()) == []
    [session] = house.call("/measurements/sessions", method="GET").json["sessions"]
    assert (session["session"]["outcome"], session["session"]["length"]) == ("completed", 60.0)
    assert session["runs"][0]["statistics"]["samples"] == 1


def test_what_pages_ask_is_answered(house: House) -> None:
    page = house.laptop()
    start(house)
    page.send(sample(3))
    house.turn()
    page.heard()
    page.send({"action": "ping"})
    page.send({"action": "get_all"})
    page.send({"action": "get_team", "laptop_id": 3})
    pong, everything, team = page.heard()
    assert (pong["type"], isinstance(pong["timestamp"], int)) == ("pong", True)
    assert [one["laptop_id"] for one in everything["teams"]] == list(range(1, 9))
    assert (team["type"], team["nama_tim"], team["statistics"]["max_distb"]) == ("team_data", "Tim A-3", 2.5)


def test_nothing_is_relayed_from_anyone_to_everyone(house: House) -> None:
    one, other = house.laptop(), house.laptop()
    one.heard(), other.heard()
    one.send({"type": "broadcast", "message": {"type": "new_data", "data": []}})
    assert of("error", one.heard())
    assert other.heard() == []


# --- what is wrong ---


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b'{"type":"camera_data","laptop_id":1,"dista":NaN}', "found NaN"),
        (b'{"type":"camera_data","laptop_id":1}', "missing: dista, distb"),
        (sample(99), "laptop_id: found 99"),
        (sample(9), "laptop_id: found 9; allowed: a whole number from 1 to 8"),
        (sample(dista="5"), "dista: found"),
        (b"\xff\xfe{", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b"{}", "allowed: type camera_data, or action"),
        ({"action": "clear_data"}, "allowed: type camera_data, or action"),
        ({"action": "get_team", "laptop_id": "x"}, "no such team"),
    ],
)
def test_what_cannot_be_used_is_told_to_its_sender_and_disturbs_nobody(house: House, message: Any, said: str) -> None:
    bad, good = house.laptop(), house.laptop()
    start(house)
    bad.heard(), good.heard()
    bad.send(message)
    [error] = bad.heard()
    assert (error["type"], error["code"]) == ("error", "invalid_argument")
    assert said in error["message"]
    good.send(sample())
    house.turn()
    assert [one["type"] for one in good.heard()] == ["new_data"]
    bad.send(sample(2))
    house.turn()
    assert len(house.stored()) == 2
    counts = house.call("/measurements", method="GET").json["counts"]
    assert counts["refused"] == {"invalid_argument": 1}


def test_a_binary_message_is_told_and_the_next_sample_is_taken(house: House) -> None:
    laptop = house.laptop()
    start(house)
    laptop.heard()
    laptop.send(b"\x00\x01", Opcode.BINARY)
    laptop.send(sample())
    house.turn()
    error, told = laptop.heard()
    assert ("binary" in error["message"], told["type"]) == (True, "new_data")


def test_a_megabyte_is_told_and_closed(house: House) -> None:
    laptop, other = house.laptop(), house.laptop()
    start(house)
    laptop.heard(), other.heard()
    laptop.send(b"x" * 1_000_000)
    [error] = laptop.heard()
    assert (error["code"], str(MAXIMUM_MESSAGE) in error["message"], laptop.closed) == ("too_large", True, 1009)
    other.send(sample())
    house.turn()
    assert len(house.stored()) == 1


def test_errors_are_told_a_bounded_number_of_times_a_second(house: House) -> None:
    laptop = house.laptop()
    laptop.heard()
    for _ in range(500):
        laptop.send(b"{")
    assert 10 <= len(laptop.heard()) <= 40
    assert house.measuring.measurements.refused["invalid_argument"] == 500


# --- who may ---


def account(house: House, name: str, role: str, *things: str) -> str:
    """Make an account with grants on teams; return its API key."""
    grants = [{"kind": "team", "thing": thing} for thing in things]
    made = house.call(
        "/api/access/users", {"name": name, "role": role, "password": "long enough it is", "grants": grants}
    )
    assert made.status == 200, made.body
    answer = house.call("/api/access/keys", {"label": "laptop", "account": name})
    assert answer.status == 200, answer.body
    return str(answer.json["key"])


def test_without_a_key_nobody_comes_in(house: House) -> None:
    for query in ("", "?token=wrong"):
        laptop = house.laptop(query)
        [error] = laptop.heard()
        assert (error["code"], laptop.closed) == ("not_authenticated", 4401)
        laptop.send(sample())
        house.turn()
    assert house.stored() == []


def test_a_teams_key_sends_for_its_team_and_sees_nothing(house: House) -> None:
    laptop = house.laptop(f"?token={account(house, 'three', 'device', '3')}")
    start(house)
    laptop.send(sample(3, sender="s", seq=1))
    laptop.send(sample(4, sender="s", seq=2))
    house.turn()
    heard = laptop.heard()
    assert [one["type"] for one in heard] == ["error", "ack"]
    assert 'may not measurement.send on the team "4"' in heard[0]["message"]
    assert [row.team for row in house.stored()] == [3]


def test_a_team_sees_itself_and_a_spectator_what_was_granted(house: House) -> None:
    team = house.laptop(f"?token={account(house, 'three', 'operator', '3')}")
    spectator = house.laptop(f"?token={account(house, 'beamer', 'viewer', '*')}")
    admin = house.laptop()
    start(house)
    for one in (3, 4):
        admin.send(sample(one))
    house.turn()
    assert [data["laptop_id"] for data in of("new_data", team.heard())[0]["data"]] == [3]
    assert [data["laptop_id"] for data in of("new_data", spectator.heard())[0]["data"]] == [3, 4]
    spectator.send(sample(3))
    assert "may not measurement.send" in spectator.heard()[0]["message"]


def test_a_key_that_is_revoked_sends_no_more(house: House) -> None:
    key = account(house, "three", "device", "3")
    laptop = house.laptop(f"?token={key}")
    start(house)
    laptop.send(sample(3))
    number = key.split("_")[1] if "_" in key else key.split(".")[0]
    keys = house.call("/api/access/keys?account=three", method="GET").json
    number = keys[0]["id"]
    assert house.call(f"/api/access/keys/{number}", method="DELETE").status == 200
    house.turn(1.1)
    laptop.send(sample(3))
    house.turn()
    assert len(house.stored()) == 1


def test_open_as_the_seed_is_only_by_the_configuration(tmp_path: Path) -> None:
    house = House(tmp_path, "open_sending = true\nopen_viewing = true\n")
    laptop = house.laptop("")
    start(house)
    laptop.send(sample())
    house.turn()
    assert [one["type"] for one in laptop.heard()] == ["initial_data", "session_started", "new_data"]


def test_open_for_sending_shows_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, "open_sending = true\n")
    laptop = house.laptop("")
    start(house)
    laptop.send(sample())
    house.turn()
    assert laptop.heard() == []
    assert len(house.stored()) == 1


# --- numbers, pressure ---


def test_what_is_sent_again_is_acknowledged_again_and_stored_and_told_once(house: House) -> None:
    laptop = house.laptop()
    start(house)
    laptop.heard()
    for _ in range(3):
        laptop.send(sample(sender="s", seq=7))
    house.turn()
    laptop.send(sample(sender="s", seq=7))
    house.turn()
    heard = laptop.heard()
    assert [one["seq"] for one in of("ack", heard)] == [[7, 7, 7], [7]]
    assert sum(one["count"] for one in of("new_data", heard)) == 1
    assert len(house.stored()) == 1
    assert (house.intake.kept, house.intake.again) == (1, 3)


def test_nothing_is_acknowledged_while_the_database_cannot_store_and_all_of_it_after(house: House) -> None:
    laptop = house.laptop()
    start(house)
    laptop.heard()
    house.database.fail("the disk is full")
    for seq in range(50):
        laptop.send(sample(sender="s", seq=seq))
    house.turn(3.0)
    assert laptop.heard() == []
    house.database.fail(None)
    house.turn(1.0)
    assert sorted(seq for one in of("ack", laptop.heard()) for seq in one["seq"]) == list(range(50))
    assert len(house.stored()) == 50


def test_too_much_waiting_holds_the_senders_back_and_loses_nothing(house: House) -> None:
    laptop = house.laptop()
    start(house)
    house.database.fail("the disk is full")
    for seq in range(HIGH):
        laptop.send(sample(sender="s", seq=seq))
    assert laptop.wire.producerState == "paused"
    assert house.laptop().wire.producerState == "paused"
    answer = house.call("/measurements/samples", {"samples": [sample()]})
    assert (answer.status, answer.code) == (503, "overloaded")
    house.database.fail(None)
    house.turn(1.0)
    assert laptop.wire.producerState == "producing"
    assert len(house.stored()) >= 5000 or house.intake.waiting == 0
    assert (house.intake.kept, house.intake.waiting) == (HIGH, 0)


def test_a_page_that_does_not_read_is_cut_and_the_others_go_on(house: House) -> None:
    slow, other = house.laptop(), house.laptop()
    start(house)
    slow.protocol.pauseProducing()
    for _ in range(MAXIMUM_UNREAD // 40_000 + 2):
        for _ in range(200):
            other.send(sample())
        house.turn()
    assert slow.wire.aborted
    assert not other.wire.aborted
    assert house.measuring.listener.slow == 1


def test_who_says_nothing_for_long_is_cut(house: House) -> None:
    silent, alive = house.laptop(), house.laptop()
    for _ in range(40):
        house.net.advance(1.0)
        alive.send({"action": "ping"})
    assert (silent.wire.aborted, alive.wire.aborted) == (True, False)
