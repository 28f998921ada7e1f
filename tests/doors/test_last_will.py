"""The last will's orders and its one sentence, over socket pairs; `integration/test_doors.py` has whole processes."""

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.doors import last_will
from gatekeeper.doors.last_will import Held, follow, lock

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def control() -> Iterator[Pair]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def link() -> Iterator[Pair]:
    """A connection: our end, and the lock's."""
    ours, locks = socket.socketpair()
    with ours, locks:
        locks.settimeout(5)
        yield ours, locks


def told(control: Pair, *orders: str, link: socket.socket | None = None) -> dict[str, Held]:
    """Return what is held after these orders and the end."""
    ours, theirs = control
    for order in orders:
        descriptors = [link.fileno()] if order.startswith("hold") and link is not None else []
        socket.send_fds(ours, [order.encode()], descriptors)
    ours.close()
    held: dict[str, Held] = {}
    follow(theirs, held)
    return held


@pytest.mark.parametrize(
    ("orders", "is_open"),
    [
        (("hold front",), False),
        (("hold front", "open front"), True),
        (("hold front", "open front", "shut front"), False),
        (("hold front", "shut front", "open front", "open back"), True),
        (("hold front", "open front", "hold front"), False),
    ],
)
def test_a_held_door_is_to_be_locked_if_the_last_word_was_open(
    control: Pair, link: Pair, orders: tuple[str, ...], is_open: bool
) -> None:
    held = told(control, *orders, link=link[0])
    assert [(door, one.open) for door, one in held.items()] == [("front", is_open)]
    held["front"].connection.close()


def test_a_dropped_connection_is_closed_so_that_the_lock_sees_the_end(control: Pair, link: Pair) -> None:
    ours, locks = link
    assert told(control, "hold front", "open front", "drop front", link=ours) == {}
    ours.close()
    assert locks.recv(10) == b""


def test_a_held_connection_stays_open_when_the_first_handle_is_closed(control: Pair, link: Pair) -> None:
    ours, locks = link
    held = told(control, "hold front", link=ours)
    ours.close()
    locks.setblocking(False)
    with pytest.raises(BlockingIOError):
        locks.recv(10)
    held["front"].connection.close()


def test_the_sentence_is_one_whole_masked_text_frame(link: Pair) -> None:
    ours, locks = link
    heard: list[bytes] = []

    def answer() -> None:
        heard.append(locks.recv(100))
        locks.sendall(b"\x81\x0eOK:Door locked\x81\x0dACK:LOCK_DOOR")

    speaking = threading.Thread(target=answer)
    speaking.start()
    assert lock(ours)
    speaking.join()
    [frame] = heard
    assert (frame[0], frame[1]) == (0x81, 0x80 | len(b"LOCK_DOOR"))
    assert bytes(byte ^ frame[2 + index % 4] for index, byte in enumerate(frame[6:])) == b"LOCK_DOOR"


def test_a_lock_that_hangs_up_did_not_acknowledge(link: Pair) -> None:
    ours, locks = link
    locks.close()
    assert not lock(ours)


def test_a_lock_that_says_nothing_is_waited_for_in_bounded_time(link: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_will, "PATIENCE", 0.05)
    assert not lock(link[0])


@given(st.lists(st.integers(1, 40), max_size=4))
def test_the_acknowledgement_is_found_however_it_is_cut(cuts: list[int]) -> None:
    stream = b"\x81\x11SIGNAL:GOOD:-58\x81\x0eOK:Door locked\x81\x0dACK:LOCK_DOOR"
    ours, locks = socket.socketpair()
    with ours, locks:
        at = 0
        for cut in [*cuts, len(stream)]:
            locks.sendall(stream[at : at + cut])
            at += cut
        assert lock(ours)
