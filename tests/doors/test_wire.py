import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.doors import wire
from gatekeeper.doors.wire import (
    Acknowledged,
    AutoLocked,
    Command,
    Greeting,
    Level,
    Moved,
    Pong,
    Refused,
    Relay,
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Connected to Door Lock", Greeting()),
        ("OK:OPEN", Relay(True)),
        ("OK:LOCKED", Relay(False)),
        ("OK:Door opened", Moved(True)),
        ("OK:Door locked", Moved(False)),
        ("ACK:OPEN_DOOR", Acknowledged(Command.OPEN)),
        ("ACK:LOCK_DOOR", Acknowledged(Command.LOCK)),
        ("ACK:STATUS", Acknowledged(Command.STATUS)),
        ("PONG", Pong()),
        ("SIGNAL:EXCELLENT:-41", wire.Signal(Level.EXCELLENT, -41)),
        ("SIGNAL:GOOD:-58", wire.Signal(Level.GOOD, -58)),
        ("SIGNAL:WEAK:-90", wire.Signal(Level.WEAK, -90)),
        ("SIGNAL:GOOD:0", wire.Signal(Level.GOOD, 0)),
        ("TIMEOUT:AUTO_LOCKED", AutoLocked()),
        ("TIMEOUT:CAP", AutoLocked()),
        ("ERR:UNKNOWN", Refused("UNKNOWN")),
    ],
)
def test_every_text_of_the_protocol_is_understood(text: str, line: wire.Line) -> None:
    assert wire.parse(text) == line


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "OK", "OK:", "OK:open", "ok:OPEN", "OK:OPEN\n", " OK:OPEN", "ACK:", "ACK:REBOOT", "ACK:PING", "PING",
        "SIGNAL", "SIGNAL:", "SIGNAL:GOOD", "SIGNAL:GOOD:", "SIGNAL:PERFECT:-40", "SIGNAL:GOOD:--4", "SIGNAL:GOOD:-4x",
        "SIGNAL:GOOD:٤٢", "SIGNAL:GOOD:1e3", "SIGNAL:GOOD:-1234", "SIGNAL:GOOD:-40:9", "TIMEOUT", "ERR",
        "TIMEOUT:", "ERR:", "PONG ",
        "ERR:" + "x" * 200, "AUTH:1:00", "\x00", "OK:OPEN\x00",
    ],
)  # fmt: skip
def test_what_is_not_in_the_protocol_is_unheard_and_short(text: str) -> None:
    assert wire.parse(text) == wire.Unheard(text[: wire.MAX_TEXT])


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    line = wire.parse(text)
    if isinstance(line, wire.Unheard):
        assert len(line.text) <= wire.MAX_TEXT


@given(st.sampled_from(["SIGNAL:", "TIMEOUT:", "ERR:", "OK:", "ACK:", "SIGNAL:GOOD:"]), st.text(max_size=300))
def test_no_text_that_begins_well_breaks_the_parser(head: str, tail: str) -> None:
    wire.parse(head + tail)
