"""A database that can't store while the site runs: doors and video go on, who asks is told, and nothing is lost."""

import sqlite3
import urllib.request

import pytest

from tests.integration.conftest import Started
from tests.integration.processes import PATIENCE, TOKEN, Server, site, wait_for

pytestmark = pytest.mark.process


def storage(server: Server) -> str:
    return str(server.ask("GET", "/api/system/status")[1]["storage"]["state"])


def kinds(server: Server) -> list[str]:
    return [event["kind"] for event in server.ask("GET", "/events?kind=door.&order=oldest&limit=500")[1]["events"]]


def test_doors_and_video_go_on_while_the_database_is_locked_and_the_record_is_whole_afterwards(start: Started) -> None:
    lock, camera = start.lock(), start.camera("--fps", "20")
    server = start.server(site(lock, camera))
    server.until_door("locked", connected=True)
    wait_for(lambda: server.camera("camera1")["state"] == "live", "a picture")
    assert server.ask("POST", "/doors/front/open", {"duration": 1})[1]["recorded"] is True
    server.until_door("locked")

    holder = sqlite3.connect(start.folder / "gatekeeper-data" / "gatekeeper.sqlite", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")  # another program holds the database and doesn't let go
        status, opened = server.ask("POST", "/doors/front/open", {"duration": 1, "reason": "in the dark"})
        assert (status, opened["state"], opened["recorded"]) == (200, "unlocked", False)
        assert lock.relay
        before = server.camera("camera1")["sequence"]
        wait_for(lambda: storage(server) == "failing", "the database to be known as failing")
        assert server.camera("camera1")["sequence"] > before
        server.until_door("locked")  # the lease ended on time
        assert not lock.relay
        for refused in (
            server.ask("POST", "/api/access/users", {"name": "ana", "role": "viewer"}),
            server.ask("PUT", f"/events/{opened['event']}/hold", {}),
        ):
            assert (refused[0], refused[1]["error"]["code"]) in ((503, "storage_unavailable"), (404, "no_such_event"))
        picture = urllib.request.Request(
            f"{server.url}/cameras/camera1/snapshot.jpg", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(picture, timeout=PATIENCE) as answer:
            assert answer.read(2) == b"\xff\xd8"
    finally:
        holder.execute("ROLLBACK")
        holder.close()

    wait_for(lambda: storage(server) == "ok", "the database to recover by itself")
    wait_for(lambda: kinds(server).count("door.relocked") == 2, "what waited to be on the record")
    told = [kind for kind in kinds(server) if not kind.startswith("door.link")]
    assert told == ["door.open_requested", "door.opened", "door.relocked"] * 2
    alarms = server.ask("GET", "/events?kind=system.storage")[1]["events"]
    assert {event["kind"] for event in alarms} == {"system.storage_failing", "system.storage_recovered"}
    assert server.stop() < 10
