"""schemathesis against the real thing: what the description promises is what twistd answers, and nothing breaks it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import Started
from tests.integration.processes import BIN, TOKEN, Server, site, wait_for

pytestmark = pytest.mark.process

BOUND = 240.0
"""Seconds for the whole run on a machine that does other things too; alone it takes a quarter of that."""

EXAMPLES = 3
"""Requests per operation that are made up by chance, with a seed that is always the same."""

ENDLESS = ("stream", "feed_stream", "video_feed", "mjpeg")
"""Not asked: their answers have no end. `tests/http/test_mjpeg.py` and `test_cameras.py` hold them to their word."""

RULED = (
    "login", "setup", "token", "password", "new_key", "new_user", "change_user", "grant", "revoke_grant", "door_open",
    "camera_set", "panel_command", "panel_command_value", "camera_try", "camera_add", "camera_change",
    "measurement_start", "measurement_category", "measurement_send", "seed_camera_data",
    "measurement_chart", "measurement_collapse", "measurement_stands", "measurement_export",
)  # fmt: skip
"""What may refuse a request that the description calls good: with 400, and a sentence that says why."""

CONFIGURATION = """
[generation]
allow-x00 = false  # no text here takes a zero byte, and a schema has no word for it

[phases.coverage]
unexpected-methods = ["OPTIONS", "DELETE", "PUT"]  # the table of routes refuses all alike

[dictionaries.door]
values = ["front"]
[dictionaries.camera]
values = ["camera1"]
[dictionaries.event]
values = ["{event}"]
[dictionaries.number]
values = [1]
[dictionaries.user]
values = ["{user}"]

# What there is, now and then, besides what there isn't: otherwise nearly all is 404.
[parameters]
"path.door" = {{ dictionary = "door", probability = 0.7 }}
"path.camera" = {{ dictionary = "camera", probability = 0.7 }}
"path.event" = {{ dictionary = "event", probability = 0.7 }}
"path.number" = {{ dictionary = "number", probability = 0.7 }}
"path.user" = {{ dictionary = "user", probability = 0.5 }}

# Without an upgrade, which is no HTTP any more, every good request is answered with 426.
[[operations]]
include-operation-id = "websocket"
checks.positive_data_acceptance.enabled = false

# Rules that no schema tells: exactly one of several fields, two that belong together, a password's length and newness,
# one use of a key, what this site's configuration allows.
[[operations]]
include-operation-id = {ruled}
checks.positive_data_acceptance.enabled = false
"""

HOOKS = """
import schemathesis

@schemathesis.hook
def before_call(context, case, kwargs):
    # A camera that is tried, added or changed is connected to: whatever address is made up, nobody beyond this machine
    # may hear of it. What is no address goes on as it is, to be refused.
    body = case.body if case.path.startswith("/api/cameras") else None
    for key in ("url", "snapshot") if isinstance(body, dict) else ():
        if isinstance(body.get(key), str) and ":" in body[key]:
            body[key] = "http://127.0.0.1:9/"  # nobody answers there

ALSO_A_CAMERA = ("/api/cameras/try", "/api/cameras/strangers")  # what changes or removes the camera of that id, too

@schemathesis.hook
def filter_failure(context, failure, case, response):
    if type(failure).__name__ != "AllowHeaderMismatch" or case.path not in ALSO_A_CAMERA:
        return True
    own = {"POST"} if case.path.endswith("try") else {"GET", "HEAD"}
    return set(response.headers["allow"][0].split(", ")) != own | {"PATCH", "DELETE"}
"""


@pytest.fixture
def server(start: Started) -> Server:
    lock, camera = start.lock(), start.camera()
    server = start.server(site(lock, camera, more="[evidence]\nbefore = 1.0\nafter = 0.5"))
    server.until_door("locked", connected=True)
    wait_for(lambda: server.camera("camera1")["state"] == "live", "the camera")
    return server


def event_with_pictures(server: Server) -> str:
    """Open the door; return the event whose pictures are kept."""
    assert server.ask("POST", "/doors/front/open", {"duration": 1, "reason": "schemathesis"})[0] == 200

    def look() -> str | None:
        status, page = server.ask("GET", "/events?kind=door.")
        assert status == 200, page
        return next((event["id"] for event in page["events"] if event["bundle"] == "complete"), None)

    return wait_for(look, "the pictures of an opening")


def test_what_is_described_is_what_answers(start: Started, server: Server, tmp_path: Path) -> None:
    user = "una"
    made = server.ask("POST", "/api/access/users", {"name": user, "role": "viewer", "password": "a long password"})
    assert made[0] == 200, made
    configuration = CONFIGURATION.format(event=event_with_pictures(server), user=user, ruled=json.dumps(RULED))
    (tmp_path / "schemathesis.toml").write_text(configuration, encoding="utf-8")
    (tmp_path / "hooks.py").write_text(HOOKS, encoding="utf-8")
    command = [
        str(BIN / "schemathesis"), "--config-file=schemathesis.toml", "run", f"{server.url}/openapi.json",
        f"--header=Authorization: Bearer {TOKEN}", "--phases=examples,coverage,fuzzing",
        f"--max-examples={EXAMPLES}", "--seed=1", "--continue-on-failure", "--no-color",
                *(f"--exclude-operation-id={name}" for name in ENDLESS),
    ]  # fmt: skip
    ended = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "COLUMNS": "160", "SCHEMATHESIS_HOOKS": "hooks"},
        capture_output=True, text=True,
        timeout=BOUND, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-60_000:] + ended.stderr[-2000:]
    assert server.ask("GET", "/healthz")[0] == 200
    assert "Traceback" not in server.output, server.output[-6000:]
    assert server.stop() < 10


def test_what_happened_is_fetched_over_http_and_proves_itself(start: Started, server: Server, tmp_path: Path) -> None:
    event = event_with_pictures(server)
    status, picture = server.ask("GET", f"/events/{event}/frames/1.jpg")
    assert (status, picture[:2], picture[-2:]) == (200, b"\xff\xd8", b"\xff\xd9")
    for number, code in ((100_000, "no_such_event"), (0, "not_found")):
        status, refused = server.ask("GET", f"/events/{event}/frames/{number}.jpg")
        assert (status, refused["error"]["code"]) == (404, code)
    assert server.ask("GET", f"/events/{event}/verification")[1]["sound"] is True
    assert server.ask("PUT", f"/events/{event}/hold", {"reason": "asked for"})[1]["held"] is True
    status, case = server.ask("GET", f"/events/{event}/export.zip")
    assert status == 200
    (tmp_path / "case.zip").write_bytes(case)
    checked = start.process(sys.executable, "-m", "gatekeeper.evidence.verify", "case.zip")
    assert checked.wait() == 0, checked.output
    (tmp_path / "case.zip").write_bytes(case.replace(picture, picture[:-20] + b"x" + picture[-19:]))
    forged = start.process(sys.executable, "-m", "gatekeeper.evidence.verify", "case.zip")
    assert forged.wait() != 0, forged.output
    assert server.ask("DELETE", f"/events/{event}/hold")[1]["held"] is False
    expected = ["evidence.held", "evidence.exported", "evidence.released"]

    def recorded() -> bool:
        page = server.ask("GET", "/events?kind=evidence.&order=oldest")[1]
        return [one["kind"] for one in page["events"] if one["kind"] != "evidence.stored"] == expected

    wait_for(recorded, "the record of what was done with it")  # stored soon after the answers
