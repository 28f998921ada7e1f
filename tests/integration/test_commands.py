"""The command line beside a running site, as processes: each sees what the other did."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.integration.conftest import Started
from tests.integration.processes import BIN, PATIENCE, TOKEN, Lock, Server, site, wait_for

pytestmark = pytest.mark.process

PASSWORD = "sesame open the door"


class Line:
    """Runs commands on the site of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gatekeeper", "--config", "site.toml", *arguments],
            cwd=self.folder,
            env={**os.environ, "GATEKEEPER_TEST_TOKEN": TOKEN},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )

    def good(self, *arguments: str, stdin: str = "") -> str:
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def lock(start: Started) -> Lock:
    return start.lock()


@pytest.fixture
def server(start: Started, lock: Lock) -> Server:
    more = "[evidence]\nbefore = 0.5\nafter = 0.5\n[retention]\nevents = {days = 1}\n"
    server = start.server(site(lock, start.camera()) + more)
    server.until_door("locked", connected=True)
    return server


@pytest.fixture
def line(start: Started, server: Server) -> Line:
    return Line(start.folder)


def events(server: Server) -> list[dict[str, object]]:
    status, page = server.ask("GET", "/events?limit=500")
    assert status == 200, page
    return list(page["events"])


def opening(server: Server) -> str:
    """Open and lock the door; return the opening's id once its pictures are stored."""
    assert server.ask("POST", "/doors/front/open", {"duration": 5})[0] == 200
    assert server.ask("POST", "/doors/front/lock", {})[0] == 200

    def stored() -> str | None:
        opened = next(event["id"] for event in events(server) if event["kind"] == "door.opened")
        done = [event["cause"] for event in events(server) if event["kind"] == "evidence.stored"]
        return str(opened) if opened in done else None

    return wait_for(stored, "the pictures of the opening")


def test_an_account_made_beside_it_can_log_in_and_one_revoked_is_out(server: Server, line: Line) -> None:
    line.good("user", "add", "ana", "--role", "operator", "--on", "door:front", stdin=f"{PASSWORD}\n")
    who = {"name": "ana", "password": PASSWORD}
    _, given = wait_for(
        lambda: answer if (answer := server.ask("POST", "/api/access/token", who, token=None))[0] == 200 else None,
        "the account to be known",
    )
    token = given["token"]
    assert server.ask("POST", "/doors/front/open", {"duration": 1}, token=token)[0] == 200
    assert server.ask("GET", "/cameras/camera1", token=token)[0] in (403, 404)
    line.good("user", "role", "ana", "viewer")
    wait_for(lambda: server.ask("POST", "/doors/front/open", {"duration": 1}, token=token)[0] in (401, 403), "the role")
    assert "ana" in line.good("user", "list")


def test_the_record_is_sound_while_both_write_into_it(server: Server, line: Line) -> None:
    for number in range(3):
        opening(server)
        line.good("user", "add", f"ana{number}", "--role", "viewer", "--no-password")
    text = line.good("verify")
    assert text.startswith("SOUND: ")
    assert "pictures as they were recorded" in text
    kinds = [event["kind"] for event in events(server)]
    assert any(str(kind).startswith("access.") for kind in kinds), kinds


def test_an_export_from_beside_it_is_checked_on_a_machine_without_gatekeeper(server: Server, line: Line) -> None:
    text = line.good("export", "--event", opening(server), "--to", "case.zip")
    key = text.rsplit("--key ", 1)[1].strip()
    unpacked = line.folder / "machine"
    unpacked.mkdir()
    with zipfile.ZipFile(line.folder / "case.zip") as case:
        case.extract("verify.py", unpacked)
        case.extract("chain.py", unpacked)
    checked = subprocess.run(
        [sys.executable, "-P", str(unpacked / "verify.py"), "case.zip", "--key", key],
        cwd=line.folder,
        env={"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    wait_for(lambda: "evidence.exported" in [event["kind"] for event in events(server)], "the export on the record")


def test_a_running_site_is_backed_up_and_brought_back(server: Server, line: Line) -> None:
    opening(server)
    line.good("user", "add", "ana", "--role", "viewer", "--no-password")
    line.good("backup", "site.backup", "--pictures")
    line.good("user", "revoke", "ana", "--yes")
    opening(server)
    text = line.good("restore", "site.backup")
    assert "everybody has to log in again" in text
    assert "ana" in line.good("user", "list")
    assert server.ask("POST", "/doors/front/open", {"duration": 1})[0] == 200
    assert line.good("verify").startswith("SOUND: ")
    assert server.stop() < 5


def test_retention_beside_it_takes_nothing_that_is_young(server: Server, line: Line) -> None:
    opening(server)
    assert "nothing goes" in line.good("retention", "--dry-run")
    line.good("retention")
    assert line.good("verify").startswith("SOUND: ")


def test_the_description_is_the_running_sites(server: Server, line: Line) -> None:
    status, running = server.ask("GET", "/openapi.json")
    assert status == 200
    assert json.loads(line.good("openapi")) == running


@pytest.mark.skipif(not (BIN / "gatekeeper").exists(), reason="the console script isn't installed")
def test_the_console_script_is_the_same(server: Server, line: Line) -> None:
    script = subprocess.run(
        [str(BIN / "gatekeeper"), "--config", "site.toml", "verify"],
        cwd=line.folder,
        env={**os.environ, "GATEKEEPER_TEST_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert script.stdout.startswith("SOUND: "), script.stderr
