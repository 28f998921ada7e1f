"""Sessions, figures, charts and files over HTTP and WAMP, with the roles; restarts in the middle."""

import csv
import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatekeeper.measurements.exports import COLUMNS
from gatekeeper.measurements.statistics import dominant
from gatekeeper.measuring import Measuring
from gatekeeper.storage import measurements as rows
from gatekeeper.wamp.errors import WampError
from tests.measurements.house import House, sample
from tests.measurements.test_listener import account, of, start


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def shake(house: House, seconds: float, *, rate: float = 20.0, frequency: float = 2.5, team: int = 3) -> None:
    """Let a laptop send a tower's motion while the clock goes on."""
    laptop = house.laptop()
    for number in range(int(seconds * rate)):
        t = number / rate
        a, b = 3 * math.sin(2 * math.pi * frequency * t), 0.1 + 9 * math.sin(2 * math.pi * frequency * t + 0.5)
        laptop.send(sample(team, dista=a, distb=b, is_a_detected=number % 10 != 0))
        house.net.advance(1 / rate)
    house.turn()
    laptop.lose()


def test_the_status_has_the_clock_the_timer_and_every_team(house: House) -> None:
    status = house.call("/measurements", method="GET").json
    assert (status["state"], status["session"], status["category"], status["tap"]) == ("idle", None, "baja", False)
    assert status["frequencies"] == [1.5, 2.5, 3.5, 4.5, 5.5]
    assert [team["name"] for team in status["teams"]][:2] == ["Tim A-1", "Tim A-2"]
    begun = start(house, 5.5, category="beton")
    assert (begun["state"], begun["session"]["frequency"], begun["session"]["attempt"]) == ("running", 5.5, 1)
    house.net.advance(12.5)
    status = house.call("/measurements", method="GET").json
    assert status["elapsed"] == pytest.approx(12.5, abs=0.5)
    assert status["left"] == pytest.approx(60 - status["elapsed"])
    assert status["teams"][0]["name"] == "Tim B-1"


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("start", {}, 400, "frequency: missing"),
        ("start", {"frequency": 2.0}, 400, "allowed: one of 1.5, 2.5, 3.5, 4.5, 5.5"),
        ("start", {"frequency": "1.5"}, 400, "frequency: found"),
        ("start", {"frequency": 1.5, "category": "kayu"}, 400, "category: found"),
        ("stop", {}, 409, "no session is running"),
        ("tap", {"open": "yes"}, 400, "open: found"),
        ("category", {"category": "kayu"}, 400, "Allowed: baja, beton"),
        ("samples", {"samples": [sample(), sample(12)]}, 400, "samples[1]: laptop_id: found 12"),
        ("samples", {"samples": []}, 400, "allowed: 1 to 250"),
        ("samples", {"more": 1}, 400, "samples"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(house: House, path: str, body: Any, status: int, said: str) -> None:
    answer = house.call(f"/measurements/{path}", body)
    assert answer.status == status
    assert said in answer.json["error"]["message"]
    assert house.stored() == []


def test_figures_are_those_of_the_exported_samples_to_the_last_digit_that_matters(house: House) -> None:
    start(house)
    shake(house, 20)
    stopped = house.call("/measurements/stop").json
    assert (stopped["session"]["outcome"], stopped["session"]["partial"]) == ("stopped", True)
    [run] = stopped["runs"]
    answer = house.call("/measurements/samples.json?session=1&team=3", method="GET")
    exported = json.loads(answer.body)
    found_rows = [dict(zip(exported["columns"], row, strict=True)) for row in exported["rows"]]
    assert len(found_rows) == run["statistics"]["samples"] == 400
    for point, column, seen in (("a", "Disp_A_mm", "A_Detected"), ("b", "Disp_B_mm", "B_Detected")):
        mine = np.array([row[column] for row in found_rows if row[seen]])
        times = np.array([row["Elapsed_s"] for row in found_rows if row[seen]])
        found = run["statistics"][point]
        assert found["samples"] == len(mine) == (360 if point == "a" else 400)
        assert found["maximum"] == np.abs(mine).max()
        assert found["mean"] == pytest.approx(math.fsum(mine) / len(mine), rel=1e-13, abs=1e-15)
        assert found["rms"] == pytest.approx(math.sqrt(math.fsum(mine**2) / len(mine)), rel=1e-13)
        assert (found["frequency"], found["amplitude"]) == dominant(times, mine)
        assert found["frequency"] == pytest.approx(2.5, abs=0.001)


def test_figures_are_told_live(house: House) -> None:
    heard: list[Any] = []
    session = house.session()
    session.subscribe(heard.append, "gatekeeper.measurement.team.3.statistics")
    start(house)
    shake(house, 5)
    assert 4 <= len(heard) <= 6
    assert heard[-1]["b"]["frequency"] == pytest.approx(2.5, abs=0.05)
    answers: list[Any] = []
    session.call("gatekeeper.measurement.statistics").addBoth(answers.append)
    assert answers[0][0]["team"] == 3


def test_samples_are_told_as_columns_per_team_and_all_together(house: House) -> None:
    team: list[Any] = []
    everything: list[Any] = []
    other: list[Any] = []
    session = house.session()
    session.subscribe(team.append, "gatekeeper.measurement.team.3.sample")
    session.subscribe(everything.append, "gatekeeper.measurement.samples")
    session.subscribe(other.append, "gatekeeper.measurement.team.4.sample")
    start(house)
    laptop = house.laptop()
    for number in (3, 3, 5):
        laptop.send(sample(number))
    house.turn()
    [columns] = team
    assert (columns["team"], columns["session"], columns["a"], columns["b"]) == (3, 1, [1.5, 1.5], [-2.5, -2.5])
    assert len(columns["time"]) == len(columns["elapsed"]) == 2
    assert [one["team"] for one in everything[0]] == [3, 5]
    assert other == []


def test_a_chart_has_the_points_that_were_detected_and_no_more_than_asked_for(house: House) -> None:
    start(house)
    shake(house, 10)
    answer = house.call("/measurements/sessions/1/teams/3/chart?points=50", method="GET")
    chart = answer.json
    assert chart["samples"] == 200
    assert len(chart["b"]["value"]) == len(chart["b"]["elapsed"]) <= 50
    assert max(chart["b"]["value"]) == max(row.b for row in house.stored())
    assert len(house.call("/measurements/sessions/1/teams/3/chart", method="GET").json["a"]["value"]) == 180
    assert house.call("/measurements/sessions/7/teams/3/chart", method="GET").status == 404
    assert house.call("/measurements/sessions/1/teams/x/chart", method="GET").status == 404


def test_repeats_are_counted_and_listed_newest_first(house: House) -> None:
    for _ in range(2):
        start(house, 1.5)
        house.net.advance(5.0)
        house.call("/measurements/stop")
    start(house, 2.5)
    page = house.call("/measurements/sessions?limit=2", method="GET").json
    listed = [(one["session"]["id"], one["session"]["attempt"], one["session"]["outcome"]) for one in page["sessions"]]
    assert listed == [(3, 1, "running"), (2, 2, "stopped")]
    rest = house.call(f"/measurements/sessions?before={page['next']}", method="GET").json
    assert [one["session"]["id"] for one in rest["sessions"]] == [1]
    only = house.call("/measurements/sessions?frequency=1.5&category=baja", method="GET").json
    assert [one["session"]["id"] for one in only["sessions"]] == [2, 1]


def test_a_tower_that_falls_is_marked_with_its_second(house: House) -> None:
    start(house)
    house.net.advance(17.0)
    put = house.call("/measurements/sessions/1/teams/3/collapse", {}, "PUT").json
    assert put["runs"][0]["collapsed"] == pytest.approx(17.0, abs=0.5)
    assert house.call("/measurements", method="GET").json["teams"][2]["collapsed"] == put["runs"][0]["collapsed"]
    house.call("/measurements/stop")
    assert house.call("/measurements/sessions/1/teams/3/collapse", {}, "PUT").status == 400
    assert house.call("/measurements/sessions/1/teams/3/collapse", {"second": 999}, "PUT").status == 400
    moved = house.call("/measurements/sessions/1/teams/3/collapse", {"second": 12.25}, "PUT").json
    assert moved["runs"][0]["collapsed"] == 12.25
    stands = house.call("/measurements/sessions/1/teams/3/collapse", method="DELETE").json
    assert stands["runs"][0]["collapsed"] is None


def test_what_comes_late_renews_the_final_figures(house: House) -> None:
    laptop = house.laptop()
    start(house)
    for _ in range(60):
        house.net.advance(1.0)
        laptop.send({"action": "ping"})
    house.turn(2.0)
    laptop.send(sample(3, dista=77.0, age=10.0))
    house.turn(2.0)
    [run] = house.call("/measurements/sessions/1", method="GET").json["runs"]
    assert (run["statistics"]["a"]["maximum"], run["statistics"]["last"]) == (77.0, pytest.approx(52.0, abs=0.5))


# --- who may ---


def test_a_team_sees_only_itself_and_starts_nothing_which_is_recorded(house: House) -> None:
    key = account(house, "three", "operator", "3")
    start(house)
    shake(house, 2, team=3)
    shake(house, 2, team=4)
    status = house.call("/measurements", method="GET", token=key).json
    assert [team["team"] for team in status["teams"]] == [3]
    [seen] = house.call("/measurements/sessions", method="GET", token=key).json["sessions"]
    assert [run["team"] for run in seen["runs"]] == [3]
    assert house.call("/measurements/sessions/1/teams/4/chart", method="GET", token=key).status == 403
    exported = json.loads(house.call("/measurements/samples.json", method="GET", token=key).body)
    assert {row[0] for row in exported["rows"]} == {3}
    assert house.call("/measurements/samples.json?team=4", method="GET", token=key).status == 403
    for path, body in (("stop", None), ("start", {"frequency": 1.5}), ("tap", {"open": True})):
        answer = house.call(f"/measurements/{path}", body, token=key)
        assert (answer.status, answer.code) == (403, "denied")
    assert house.call("/measurements/sessions/1/teams/3/collapse", {}, "PUT", token=key).status == 403
    events = house.call("/events?kind=measurement.refused", method="GET").json["events"]
    assert len(events) == 4
    assert events[0]["actor"] == "three"


def test_a_spectator_sees_and_changes_nothing(house: House) -> None:
    key = account(house, "beamer", "viewer", "*")
    assert len(house.call("/measurements", method="GET", token=key).json["teams"]) == 8
    for path, body in (("start", {"frequency": 1.5}), ("samples", {"samples": [sample()]})):
        assert house.call(f"/measurements/{path}", body, token=key).status == 403


def test_what_is_done_is_on_the_record(house: House) -> None:
    start(house)
    house.call("/measurements/stop")
    house.call("/measurements/tap", {"open": True})
    events = house.call("/events?kind=measurement.", method="GET").json["events"]
    assert [event["kind"] for event in events] == [
        "measurement.tap_opened", "measurement.stopped", "measurement.started",
    ]  # fmt: skip


# --- samples in by HTTP and WAMP ---


SEED = {name: value for name, value in sample(2).items() if name != "type"}


def test_the_seeds_post_is_answered_as_its_laptops_read_it(house: House) -> None:
    answer = house.call("/api/receive_camera_data.php", SEED)
    assert (answer.status, answer.json["success"], answer.json["realtime_enabled"]) == (200, False, False)
    start(house, 3.5)
    house.net.advance(7.9)
    answer = house.call("/api/receive_camera_data.php", SEED)
    said = answer.json
    assert (said["success"], said["mode"], said["saved_to_database"]) == (True, "recording", True)
    assert len(said["data"]) == 12
    assert (said["data"]["nama_tim"], said["data"]["frequency"], said["data"]["session_id"]) == ("Tim A-2", 3.5, 1)
    assert said["data"]["relative_time"] in (7, 8)
    house.call("/measurements/stop")
    house.call("/measurements/tap", {"open": True})
    said = house.call("/api/receive_camera_data.php", SEED).json
    assert (said["mode"], said["data"]["session_id"], said["data"]["category"]) == ("free", None, "baja")
    assert len(house.stored()) == 2


def test_the_seeds_own_refusals(house: House) -> None:
    answer = house.call("/api/receive_camera_data.php", {"laptop_id": 1, "dista": 1.0})
    assert (answer.status, answer.json["error"]) == (400, "Missing required fields")
    assert answer.json["required"] == ["laptop_id", "dista", "distb", "is_a_detected", "is_b_detected"]
    assert answer.json["received"] == ["laptop_id", "dista"]
    answer = house.call("/api/receive_camera_data.php", {**SEED, "laptop_id": 9})
    assert (answer.status, answer.json) == (400, {"error": "Invalid laptop_id. Must be 1-8."})


def test_without_a_key_a_post_is_refused_unless_it_is_open(tmp_path: Path, house: House) -> None:
    body = json.dumps(SEED).encode()
    fields = {"Content-Type": "application/json"}
    assert house.ask("POST", "/api/receive_camera_data.php", fields, body).status == 401
    (tmp_path / "other").mkdir()
    opened = House(tmp_path / "other", "open_sending = true\n")
    opened.call("/measurements/tap", {"open": True})
    wire = opened.send("POST", "/api/receive_camera_data.php", fields, body)
    opened.turn()
    assert b'"success":true' in wire.value()


def test_samples_by_wamp_are_answered_when_they_are_stored(house: House) -> None:
    start(house)
    answers: list[Any] = []
    given = [sample(2, sender="w", seq=1), sample(2, sender="w", seq=2)]
    house.session().call("gatekeeper.measurement.send", samples=given).addBoth(answers.append)
    assert answers == []
    house.turn()
    assert answers == [{"stored": 2, "unrecorded": ()}]
    house.session().call("gatekeeper.measurement.send", samples=[{**sample(), "dista": math.nan}]).addBoth(
        answers.append
    )
    assert isinstance(answers[1].value, WampError)
    assert answers[1].value.uri == "gatekeeper.error.invalid_argument"
    assert len(house.stored()) == 2


def test_a_laptop_that_sends_before_anything_is_recorded_is_known_to_send(house: House) -> None:
    answers: list[Any] = []
    house.session().call("gatekeeper.measurement.send", samples=[sample(2)]).addBoth(answers.append)
    assert answers == [{"stored": 0, "unrecorded": (0,)}]
    teams = {team["team"]: team for team in house.call("/measurements", method="GET").json["teams"]}
    assert (teams[2]["last"], teams[2]["heard"]) == (
        None,
        pytest.approx(house.call("/measurements", method="GET").json["time"], abs=1),
    )
    assert teams[1]["heard"] is None


# --- files ---


def test_a_csv_begins_with_the_seeds_columns_and_right_units(house: House) -> None:
    start(house, 4.5)
    shake(house, 3, frequency=4.5)
    house.call("/measurements/stop")
    answer = house.call("/measurements/samples.csv", method="GET")
    assert answer.fields["content-type"] == "text/csv; charset=utf-8"
    assert answer.fields["content-disposition"] == 'attachment; filename="samples.csv"'
    text = answer.body.decode("utf-8-sig")
    assert text.splitlines()[0].startswith(
        "Laptop_ID,Team_Name,Category,Waktu_Detik(MM:SS),Avg_Disp_Puncak_mm,Max_Disp_Puncak_mm,"
        "Realtime_Disp_Puncak_mm,Frequency_Hz,Started_At,Stopped_At,"
    )
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == 60
    assert (lines[-1]["Waktu_Detik(MM:SS)"], lines[-1]["Team_Name"], lines[-1]["Frequency_Hz"]) in (
        ("00:02", "Tim A-3", "4.5"), ("00:03", "Tim A-3", "4.5"),
    )  # fmt: skip
    assert float(lines[5]["Disp_B_mm"]) == house.stored()[5].b
    assert float(lines[0]["Max_Disp_Puncak_mm"]) == max(abs(row.b) for row in house.stored())


def test_a_workbook_opens_and_holds_every_row(house: House) -> None:
    start(house)
    shake(house, 2)
    answer = house.call("/measurements/samples.xlsx?session=1", method="GET")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == 41


def test_free_samples_and_nothing_at_all_are_files_too(house: House) -> None:
    assert json.loads(house.call("/measurements/samples.json", method="GET").body)["rows"] == []
    house.call("/measurements/tap", {"open": True})
    shake(house, 1, team=2)
    found = json.loads(house.call("/measurements/samples.json?team=2", method="GET").body)["rows"]
    assert len(found) == 20
    assert len(found[0]) == len(COLUMNS)
    assert found[0][COLUMNS.index("Session_ID")] is None
    assert house.call("/measurements/samples.json?session=5", method="GET").status == 404
    assert house.call("/measurements/samples.pdf", method="GET").status == 404


def test_more_than_a_page_is_a_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatekeeper.storage.measurements.PAGE", 7)
    start(house)
    shake(house, 2)
    assert len(json.loads(house.call("/measurements/samples.json", method="GET").body)["rows"]) == 40


# --- restarts ---


def restarted(house: House, seconds: float) -> Measuring:
    """Let the process be killed, and start another one on the same database after some seconds."""
    before = house.measuring
    before.course.close()
    house.net.advance(seconds)
    after = Measuring(
        house.measuring._settings,
        folder=Path(),
        data=Path(),
        reactor=house.net,
        wall=house.measuring._wall,
        database=house.database,  # type: ignore[arg-type]
        session=_Silent(),  # type: ignore[arg-type]
        record=lambda *args, **kwargs: None,
        guard=house.site.entrance.guard,
        disk=house.site.keeping.disk,
    )
    after.load()
    after._take_up()
    return after


class _Silent:
    def publish(self, *args: Any, **kwargs: Any) -> None: ...
    def watch_subscribers(self, *args: Any) -> None: ...


def test_a_restart_in_the_middle_goes_on_with_its_figures_and_ends_in_time(house: House) -> None:
    start(house)
    shake(house, 10)
    after = restarted(house, 20.0)
    current = after.course.sessions.current
    assert current is not None
    [(gone, back)] = current.gaps
    assert gone == pytest.approx(9.95, abs=0.3)
    assert back == pytest.approx(30.1, abs=0.6)
    run = after.course.run(1, 3)
    assert run is not None
    assert run.samples == 200
    house.net.advance(31.0)
    house.net.advance(1.0)
    assert after.course.sessions.state == "idle"
    found: list[Any] = []
    after.measurements.past.session(None, 1).addCallback(found.append)
    assert (found[0].session.outcome, found[0].session.partial) == ("completed", True)
    assert found[0].runs[0].statistics.samples == 200


def test_a_restart_after_the_time_closes_it_with_figures(house: House) -> None:
    start(house)
    shake(house, 10)
    after = restarted(house, 80.0)
    assert after.course.sessions.state == "idle"
    found = after.course.final[1][3]
    assert found.b.frequency == pytest.approx(2.5, abs=0.01)
    row: Any = house.database._run(lambda connection: rows.get(connection, 1))
    assert row.outcome == "interrupted"
    assert row.stopped - row.started == pytest.approx(60.0)


def test_an_end_that_cannot_be_stored_is_stored_later(house: House) -> None:
    page = house.laptop()
    start(house)
    house.net.advance(5.0)
    house.database.fail("the disk is full")
    wire = house.send("POST", "/measurements/stop", {**house.bearer, "Content-Type": "application/json"})
    house.turn()
    assert wire.value() == b""
    assert of("session_stopped", page.heard())  # it is over, whatever the disk does
    assert house.call("/measurements/start", {"frequency": 1.5}).code == "busy"
    house.database.fail(None)
    house.turn(1.5)
    assert b"200 OK" in wire.value()
    assert house.call("/measurements", method="GET").json["state"] == "idle"


def test_a_start_that_cannot_be_stored_is_none(house: House) -> None:
    house.database.fail("the disk is full")
    assert house.call("/measurements/start", {"frequency": 1.5}).code == "storage_unavailable"
    house.database.fail(None)
    assert start(house)["session"]["id"] == 1
