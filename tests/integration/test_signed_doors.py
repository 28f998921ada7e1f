"""Doors with keys and real processes: one lock that has the key, one with another, and the seed's, which has none."""

import signal

import pytest

from tests.integration.conftest import Started
from tests.integration.processes import Lock, wait_for

pytestmark = pytest.mark.process

KEY = "5a" * 32
SITE = """
listen = "tcp:0:interface=127.0.0.1"
[access]
admin_token = {env = "GATEKEEPER_TEST_TOKEN"}
"""


def door(name: str, lock: Lock) -> str:
    return f'[[doors]]\nid = "{name}"\nurl = "{lock.url}"\nkey = {{file = "lock.key"}}\nconnect_timeout = 1.0\n'


def test_only_a_lock_with_the_key_is_used_and_a_kill_locks_it(start: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    (start.folder / "lock.key").write_text(KEY + "\n")
    monkeypatch.setenv("GATE_KEY", KEY)
    ours = start.lock("--key-env", "GATE_KEY")
    monkeypatch.setenv("GATE_KEY", "5b" * 32)
    other, seed = start.lock("--key-env", "GATE_KEY"), start.lock()
    server = start.server(SITE + door("front", ours) + door("other", other) + door("seed", seed))

    front = server.until_door("locked", connected=True)
    assert front["signed"] is True
    status, answer = server.ask("POST", "/doors/front/open", {"duration": 60, "reason": "parcel"})
    assert (status, answer["state"]) == (200, "unlocked")
    assert ours.relay

    wait_for(lambda: "paired with another" in (server.door("other")["reason"] or ""), "the other key to be found out")
    wait_for(lambda: "did not offer signed mode" in (server.door("seed")["reason"] or ""), "the seed's to be left")
    for name, lock in (("other", other), ("seed", seed)):
        assert (server.door(name)["connected"], server.door(name)["state"]) == (False, "unavailable")
        assert server.ask("POST", f"/doors/{name}/open")[0] == 503
        assert not lock.relay
        assert lock.ask("status")["most_open"] == 1, "never two connections"
    assert seed.commands == [], "nothing was ever said to it"
    assert {text.partition(":")[0] for text in other.commands} == {"HELLO"}
    assert KEY not in server.output

    server.signal(signal.SIGKILL)
    wait_for(lambda: not ours.relay or None, "the will to lock")
    assert ours.commands[-1] == "LOCK_DOOR", "the safe direction, which needs no key"
    server.expect("door front is locked")
    signed = {text.split(":")[3] for text in ours.commands[1:-1]}
    assert {"STATUS", "OPEN_DOOR"} <= signed <= {"STATUS", "OPEN_DOOR", "PING"}
