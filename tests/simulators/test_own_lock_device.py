"""Our firmware's lock in Python: the invariants of its core by name, and signed mode to the letter of its vector."""

import pytest

from gatekeeper.simulators.lock_device import Drop, Say
from gatekeeper.simulators.own_lock_device import FULL, MAX_COUNTER, POLICY, OwnLockDevice, _mac

KEY = bytes(range(32))
NC = bytes(range(0xF0, 0x100)).hex()
HELLO = f"HELLO:{NC}:650e260ecc1491dabb96e8eb1ee89bee6e8f412168f81077933754204d3ea500"
READY = "READY:4e0de26b318e37e57a0c8286f836fd30feed5d1694c4ad2db640d3198c8993a6"
SESSION = bytes.fromhex("0033a4ae9840e146809dd03d66017f3089258af3c0acfbf48d45c8c3f6b2d46f")
OPEN_1 = "C:1:44d1089722df05b705b4f720e9a923f7:OPEN_DOOR"


def plain(*clients: int) -> OwnLockDevice:
    return _with(OwnLockDevice(), *clients)


def keyed(*clients: int) -> OwnLockDevice:
    return _with(OwnLockDevice(KEY, random=lambda count: bytes(range(count))), *clients)


def _with(device: OwnLockDevice, *clients: int) -> OwnLockDevice:
    for client in clients:
        device.connected(client, 0.0)
    return device


def texts(out: list[Say | Drop], client: int | None = None) -> list[str]:
    """Return the texts without their signatures, or `drop <code>`."""
    return [
        f"drop {one.code}" if isinstance(one, Drop) else one.text.split(":", 3)[3] if one.text[:2] == "R:" else one.text
        for one in out
        if client is None or one.client == client
    ]


def sealed(n: int, command: str) -> str:
    return f"C:{n}:{_mac(SESSION, 'c', str(n), command).hex()[:32]}:{command}"


# --- plain ---


def test_the_greeting_says_what_is_true() -> None:
    device = OwnLockDevice(rssi=-71)
    assert texts(device.connected(3, 0.0)) == ["Connected to Door Lock", "OK:LOCKED", "SIGNAL:WEAK:-71"]


def test_answers_go_to_the_asker_and_the_others_hear_of_a_real_change() -> None:
    device = plain(1, 2)
    out = device.text("OPEN_DOOR", 1.0, 1)
    assert texts(out, 1) == ["OK:Door opened", "ACK:OPEN_DOOR"]
    assert texts(out, 2) == ["OK:OPEN"]
    assert texts(device.text("OPEN_DOOR", 2.0, 1), 2) == []  # I5: answered again, and no news
    assert texts(device.text("nonsense", 3.0, 2)) == ["ERR:UNKNOWN"]
    assert texts(device.text("é" * 65, 3.0, 2)) == ["ERR:TOO_LONG"]


@pytest.mark.parametrize("leaves", [False, True], ids=["silent", "gone"])
def test_i2_i3_only_whoever_opened_keeps_it_open(leaves: bool) -> None:
    device = plain(1, 2)
    device.text("OPEN_DOOR", 0.0, 1)
    device.text("STATUS", 5.0, 1)
    device.text("garbage", 9.0, 1)
    if leaves:
        device.disconnected(1)
    device.text("PING", 14.0, 2)
    device.connected(3, 14.5)
    device.tick(14.999)
    assert device.relay
    assert "TIMEOUT:AUTO_LOCKED" in texts(device.tick(15.0), 2)
    assert device.history == [(0.0, True), (15.0, False)]


def test_i4_the_cap_is_not_moved_by_heartbeats_or_by_opening_again() -> None:
    device = plain(1)
    for second in range(0, 60, 5):
        device.text("OPEN_DOOR", float(second), 1)
        device.text("PING", second + 1.0, 1)
    device.tick(59.999)
    assert device.relay
    device.tick(60.0)
    assert not device.relay


def test_i7_what_ran_out_while_nobody_ticked_comes_before_what_arrives() -> None:
    device = plain(1)
    device.text("OPEN_DOOR", 0.0, 1)
    assert texts(device.text("PING", 10.0, 1)) == ["TIMEOUT:AUTO_LOCKED", "PONG"]
    assert not device.relay


def test_i7_a_clock_that_goes_back_locks() -> None:
    device = plain(1)
    device.text("OPEN_DOOR", 5.0, 1)
    device.tick(4.0)
    assert not device.relay


def test_i8_a_full_house_refuses_the_newcomer() -> None:
    device = plain(1, 2, 3, 4)
    assert device.refusal("10.0.0.9", None) == 503
    assert device.connected(5, 1.0) == [Drop(5, FULL)]
    assert texts(device.text("STATUS", 1.0, 1)) == ["OK:LOCKED", "ACK:STATUS"]


def test_i8_two_from_one_address() -> None:
    device = OwnLockDevice()
    device.connected(1, 0.0, "10.0.0.9")
    device.connected(2, 0.0, "10.0.0.9")
    assert device.refusal("10.0.0.9", None) == 503
    assert device.refusal("10.0.0.8", None) is None


def test_a_browser_is_refused() -> None:
    assert OwnLockDevice().refusal("10.0.0.9", "http://evil.example") == 403


def test_the_guard_locks_until_the_next_opening() -> None:
    device = plain(1)
    device.text("OPEN_DOOR", 0.0, 1)
    assert texts(device.trip(1.0)) == ["TIMEOUT:AUTO_LOCKED"]
    device.text("PING", 1.0, 1)
    assert not device.relay
    assert device.trip(2.0) == []


# --- signed ---


def test_the_vector() -> None:
    device = OwnLockDevice(KEY, random=lambda count: bytes(range(count)))
    assert texts(device.connected(1, 0.0))[3] == "AUTH:1:000102030405060708090a0b0c0d0e0f"
    assert texts(device.text(HELLO, 0.0, 1)) == [READY]
    out = device.text(OPEN_1, 0.0, 1)
    assert out[0] == Say("R:1:17e90a923eb30aa8244e51c715206061:OK:Door opened", 1)
    assert device.relay


def test_without_a_session_only_status_and_the_safe_direction() -> None:
    device = keyed(1, 2)
    assert texts(device.text("STATUS", 0.0, 1)) == ["OK:LOCKED", "ACK:STATUS"]
    assert texts(device.text("OPEN_DOOR", 0.0, 1)) == ["ERR:AUTH"]
    assert texts(device.text("PING", 0.0, 1)) == ["ERR:AUTH"]
    device.text(HELLO, 0.0, 2)
    device.text(sealed(1, "OPEN_DOOR"), 0.0, 2)
    assert texts(device.text("LOCK_DOOR", 1.0, 1), 1) == ["OK:Door locked", "ACK:LOCK_DOOR"]
    assert not device.relay
    assert texts(device.text("OPEN_DOOR", 1.0, 1)) == ["ERR:AUTH", "drop 1008"]  # the third on this connection
    assert device.text("STATUS", 1.0, 1) == []


def test_what_is_not_signed_is_no_heartbeat() -> None:
    device = keyed(1)
    device.text(HELLO, 0.0, 1)
    device.text(sealed(1, "OPEN_DOOR"), 0.0, 1)
    device.text("STATUS", 8.0, 1)
    device.tick(10.0)
    assert not device.relay


@pytest.mark.parametrize(
    "text",
    [
        OPEN_1,  # once more
        sealed(0, "OPEN_DOOR"),
        sealed(MAX_COUNTER + 1, "OPEN_DOOR"),
        sealed(2, "STATUS").replace("STATUS", "OPEN_DOOR"),
        sealed(2, "OPEN_DOOR").replace("C:2:", "C:02:"),
        f"R:2:{_mac(SESSION, 'd', '2', 'OPEN_DOOR').hex()[:32]}:OPEN_DOOR",
        HELLO,
    ],
    ids=["replay", "zero", "too high", "another command", "leading zero", "reflected", "hello again"],
)
def test_what_does_not_hold_is_refused_and_the_session_stays(text: str) -> None:
    device = keyed(1)
    device.text(HELLO, 0.0, 1)
    device.text(OPEN_1, 0.0, 1)
    device.text(sealed(3, "LOCK_DOOR"), 0.0, 1)
    assert texts(device.text(text, 0.0, 1)) == ["ERR:AUTH"]
    assert not device.relay
    assert texts(device.text(sealed(4, "STATUS"), 0.0, 1)) == ["OK:LOCKED", "ACK:STATUS"]


def test_a_nonce_serves_one_try() -> None:
    nonces = iter(bytes([number]) * 16 for number in range(9))
    device = OwnLockDevice(KEY, random=lambda count: next(nonces))
    device.connected(1, 0.0)
    wrong = f"HELLO:{NC}:{'0' * 64}"
    assert texts(device.text(wrong, 0.0, 1)) == ["ERR:AUTH", f"AUTH:1:{'01' * 16}"]
    old = _mac(KEY, "gk1-hello", "00" * 16, NC).hex()
    assert texts(device.text(f"HELLO:{NC}:{old}", 0.0, 1)) == ["ERR:AUTH", f"AUTH:1:{'02' * 16}"]
    assert texts(device.text(wrong, 0.0, 1)) == ["ERR:AUTH", f"drop {POLICY}"]


def test_i8_with_a_key_the_oldest_without_a_session_makes_room() -> None:
    device = keyed(1, 2, 3, 4)
    device.text(HELLO, 0.0, 1)
    out = device.connected(5, 1.0)
    assert out[0] == Drop(2, FULL)
    assert texts(out, 5)[0] == "Connected to Door Lock"


def test_a_used_up_counter_ends_the_session() -> None:
    device = keyed(1)
    device.text(HELLO, 0.0, 1)
    device._clients[1].said = MAX_COUNTER
    assert texts(device.text(sealed(1, "STATUS"), 0.0, 1)) == [f"drop {POLICY}"]
