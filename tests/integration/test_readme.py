"""The README's scripts, run as they are printed."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from gatekeeper import config
from tests.integration.conftest import Started
from tests.integration.processes import TOKEN, Process, Server, site

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def printed(language: str, name: str) -> str:
    """Return the block of the README whose first line names this script."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    [block] = [block for block in blocks if name in block.partition("\n")[0]]
    return str(block)


@pytest.fixture
def server(start: Started) -> Server:
    lock, camera = start.lock(), start.camera()
    server = start.server(site(lock, camera))
    server.until_door("locked", connected=True)
    return server


def run(start: Started, server: Server, name: str, script: str, *command: str, **env: str) -> Process:
    (start.folder / name).write_text(script, encoding="utf-8")
    where = {"GATEKEEPER_URL": f"ws://127.0.0.1:{server.port}/ws", "GATEKEEPER_TOKEN": TOKEN, **env}
    script_process = start.process(*command, name, env=where)
    assert script_process.wait() == 0, script_process.output
    return script_process


def test_the_first_script_opens_the_door_on_asyncio(start: Started, server: Server) -> None:
    output = run(start, server, "open.py", printed("python", "open.py"), sys.executable).output
    assert re.search(r"^front is unlocked, acknowledged after 1\d\d ms$", output, re.MULTILINE), output
    assert server.door()["lease"]["reason"] == "parcel"


def test_the_second_script_saves_a_picture_on_twisted(start: Started, server: Server) -> None:
    output = run(start, server, "picture.py", printed("python", "picture.py"), sys.executable).output
    assert re.search(r"^picture \d+ of camera1: 640x480, \d+ bytes$", output, re.MULTILINE), output
    picture = (start.folder / "picture.jpg").read_bytes()
    assert picture.startswith(b"\xff\xd8")
    assert picture.endswith(b"\xff\xd9")


def test_the_third_script_watches_the_door_in_node(start: Started, server: Server) -> None:
    node = shutil.which("node")
    assert node is not None, "make test needs Node.js, as the dashboard does"
    modules = str(ROOT / "web" / "node_modules")
    output = run(start, server, "watch.cjs", printed("js", "watch.js"), node, NODE_PATH=modules).output
    for line in ("front is locked, says its", "front is unlocking", "front is unlocked", "front is locked"):
        assert line in output


def test_the_site_of_the_first_seed_is_at_most_eight_lines_of_configuration() -> None:
    [block] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert len(block.strip().splitlines()) <= 8
    seed = config.parse(block)
    assert [camera.url for camera in seed.cameras] == ["http://192.168.137.20/stream"]
    assert [door.url for door in seed.doors] == ["ws://192.168.137.21/ws"]


def test_the_first_python_script_has_about_ten_lines() -> None:
    lines = [line for line in printed("python", "open.py").splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 14
