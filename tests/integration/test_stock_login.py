"""Accounts of a running site, and a stock WAMP client that logs in as them in each way."""

import sys
from pathlib import Path

import pytest

from tests.integration.conftest import Started
from tests.integration.processes import BIN, Process, Server, site

pytestmark = pytest.mark.process

PASSWORD = "correct horse battery"
SCRIPT = Path(__file__).with_name("stock_login.py")


@pytest.fixture
def server(start: Started) -> Server:
    server = start.server(site(start.lock()))
    command = [str(BIN / "gatekeeper"), "-c", "site.toml", "user", "add", "ana", "--role", "operator"]
    add = start.process(*command, "--on", "door:front", env={"GATEKEEPER_TEST_TOKEN": "x" * 20})
    add.say(PASSWORD)
    assert add.wait() == 0, add.output
    server.expect("the command line added ana")
    return server


def log_in(start: Started, server: Server, method: str, secret: str) -> Process:
    client = start.process(sys.executable, str(SCRIPT), f"ws://127.0.0.1:{server.port}/ws", method, "ana")
    client.say(secret)
    return client


@pytest.mark.parametrize("method", ["ticket", "wampcra", "scram"])
def test_a_password_lets_a_stock_client_in(start: Started, server: Server, method: str) -> None:
    client = log_in(start, server, method, PASSWORD)
    client.expect(rf"^joined ana operator {method} 1$")
    assert client.wait() == 0, client.output


def test_a_key_made_at_the_command_line_lets_one_in(start: Started, server: Server) -> None:
    made = start.process(str(BIN / "gatekeeper"), "-c", "site.toml", "key", "new", "ana", "--label", "script")
    key = made.expect(r"(gk_\S+)")[1]
    assert made.wait() == 0, made.output
    server.expect("made the API key")
    client = log_in(start, server, "ticket", key)
    client.expect(r"^joined ana operator ticket 1$")
    assert client.wait() == 0, client.output


@pytest.mark.parametrize("method", ["ticket", "wampcra", "scram"])
def test_a_wrong_password_doesnt(start: Started, server: Server, method: str) -> None:
    client = log_in(start, server, method, "wrong horse battery")
    server.expect("WAMP session as ana from 127.0.0.1 was refused")
    client.end()
    assert "joined" not in client.output
