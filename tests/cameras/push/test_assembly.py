"""Pictures out of messages: the three transports, the framed mode, and everything that goes wrong with them."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.cameras.jpeg import Flaw
from gatekeeper.cameras.push import framing
from gatekeeper.cameras.push.assembly import SET_TIMEOUT, Assembly, Loss, Outcome, Rejected, Whole
from gatekeeper.cameras.push.framing import FrameFlaw
from gatekeeper.cameras.push.wire import FrameEnd, FrameStart, ImageEnd, ImageStart
from gatekeeper.simulators.push_device import pack
from tests.cameras.pictures import picture

SMALL, MIDDLE, LARGE = picture(5_000), picture(20_000, seed=2), picture(40_000, seed=3, width=1024, height=768)
LIMIT = 100_000

Message = FrameStart | FrameEnd | ImageStart | ImageEnd | bytes


def pieces(jpeg: bytes, number: int = 1, size: int = 1024) -> Iterator[Message]:
    yield ImageStart(number, len(jpeg), -(-len(jpeg) // size))
    for at in range(0, len(jpeg), size):
        yield jpeg[at : at + size]
    yield ImageEnd(number, True)


def bracketed(jpeg: bytes, number: int = 1) -> list[Message]:
    return [FrameStart(number, len(jpeg)), jpeg, FrameEnd(number)]


def feed(assembly: Assembly, messages: Iterator[Message] | list[Message], now: float = 0.0) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for message in messages:
        if isinstance(message, bytes):
            outcomes += assembly.binary(message, now)
        else:
            outcomes += assembly.text(message, now)
        assert assembly.held <= LIMIT
    return outcomes


@pytest.fixture
def assembly() -> Assembly:
    return Assembly(LIMIT)


def whole(jpeg: bytes, width: int = 640, height: int = 480, lost: int = 0) -> Whole:
    return Whole(jpeg, width, height, lost)


def test_each_transport_gives_the_picture_byte_for_byte(assembly: Assembly) -> None:
    sent = [SMALL, *bracketed(MIDDLE), *pieces(LARGE, 2), *pieces(LARGE, 3, 24576), SMALL]
    large = whole(LARGE, 1024, 768)
    assert feed(assembly, sent) == [whole(SMALL), whole(MIDDLE), large, large, whole(SMALL)]
    assert not assembly.in_picture


def test_what_the_driver_leaves_behind_the_picture_is_cut_off(assembly: Assembly) -> None:
    assert feed(assembly, [SMALL + bytes(60)]) == [whole(SMALL)]


def test_a_picture_that_is_begun_anew_is_lost_and_the_next_one_is_not(assembly: Assembly) -> None:
    begun = list(pieces(LARGE))[:10]
    restarted = Rejected(Loss.RESTARTED)
    assert feed(assembly, [*begun, *pieces(LARGE, 2)]) == [restarted, whole(LARGE, 1024, 768)]
    assert feed(assembly, [*begun, *bracketed(MIDDLE)]) == [restarted, whole(MIDDLE)]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([FrameStart(1, len(MIDDLE) + 1), MIDDLE, FrameEnd(1)], Loss.WRONG_SIZE),
        ([ImageStart(1, 10, 1), LARGE, LARGE, ImageEnd(1)], Loss.WRONG_SIZE),
        ([ImageStart(1, len(SMALL), 2), SMALL, ImageEnd(1)], Loss.WRONG_SIZE),
        ([ImageStart(1, len(SMALL) + 1, 1), SMALL, ImageEnd(1)], Loss.WRONG_SIZE),
        ([ImageStart(1, 0, 1), SMALL, ImageEnd(1)], Loss.WRONG_SIZE),
        ([ImageStart(1, -5, 1), SMALL, ImageEnd(1)], Loss.WRONG_SIZE),
        ([ImageStart(1, 100, 0), SMALL, ImageEnd(1)], Loss.WRONG_SIZE),
        ([ImageStart(1, LIMIT + 1, 100), SMALL, SMALL, ImageEnd(1)], Loss.TOO_LARGE),
        ([ImageStart(1, 100, 10**9), SMALL, ImageEnd(1)], Loss.TOO_LARGE),
        ([ImageStart(1, len(SMALL), 1), SMALL, ImageEnd(2)], Loss.WRONG_END),
        ([ImageStart(1, len(SMALL), 1), SMALL, ImageEnd(1, False)], Loss.GIVEN_UP),
        ([picture(LIMIT)], Loss.TOO_LARGE),
        ([b"no picture"], Flaw.NOT_JPEG),
        ([b""], Flaw.NOT_JPEG),
        ([SMALL[:2000]], Flaw.TRUNCATED),
        ([ImageStart(1, 10, 1), b"no picture", ImageEnd(1)], Flaw.NOT_JPEG),
    ],
)
def test_what_is_no_picture_is_counted_once_with_its_reason(
    assembly: Assembly, messages: list[Message], reason: Loss | Flaw
) -> None:
    assert feed(assembly, messages) == [Rejected(reason)]
    assert assembly.held == 0
    assert feed(assembly, [*pieces(LARGE), SMALL]) == [whole(LARGE, 1024, 768), whole(SMALL)]  # and it heals


def test_a_set_that_never_ends_is_given_up_after_its_time(assembly: Assembly) -> None:
    begun = list(pieces(LARGE))[:-1]
    assert feed(assembly, begun, 100.0) == []
    assert assembly.in_picture
    assert assembly.expire(100.0 + SET_TIMEOUT - 0.01) == []
    assert assembly.expire(100.0 + SET_TIMEOUT) == [Rejected(Loss.UNFINISHED)]
    assert assembly.held == 0
    assert feed(assembly, [SMALL], 111.0) == [whole(SMALL)]


def test_a_set_that_goes_on_for_ever_is_counted_and_dropped(assembly: Assembly) -> None:
    start, *rest, _ = pieces(LARGE)
    assert feed(assembly, [start, *rest, *rest, *rest]) == [Rejected(Loss.WRONG_SIZE)]
    assert assembly.held == 0


def test_an_end_without_a_beginning_is_nothing(assembly: Assembly) -> None:
    assert feed(assembly, [ImageEnd(7), FrameEnd(7), SMALL]) == [whole(SMALL)]


# --- framed ---


def test_the_vector_of_the_firmware_is_the_same_here() -> None:
    payload = b"\xff\xd8" + b"x" * 100 + b"\xff\xd9"
    message = pack(payload, 7, 1_700_000_000_123, 640, 480, is_unix=False)
    assert message[:32].hex() == "474b463101200101000000070000018bcfe5687b028001e000000068c222d717"
    assert framing.unpack(message) == framing.Framed(7, 1_700_000_000_123, False, payload)


def framed(number: int, jpeg: bytes = SMALL) -> bytes:
    return pack(jpeg, number, 1000 * number, 640, 480)


def test_gaps_in_the_numbering_are_told_and_a_restart_is_none(assembly: Assembly) -> None:
    found = feed(assembly, [framed(7), framed(8), framed(11), framed(1), framed(2)])
    assert found == [whole(SMALL), whole(SMALL), whole(SMALL, lost=2), whole(SMALL), whole(SMALL)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"GKF1", FrameFlaw.HEADER),
        (framed(1)[:31], FrameFlaw.HEADER),
        (framed(1)[:4] + b"\x00" + framed(1)[5:], FrameFlaw.HEADER),
        (framed(1)[:5] + b"\x08" + framed(1)[6:], FrameFlaw.HEADER),
        (framed(1)[:7] + b"\x02" + framed(1)[8:], FrameFlaw.HEADER),
        (framed(1)[:-1], FrameFlaw.LENGTH),
        (framed(1) + b"x", FrameFlaw.LENGTH),
        (framed(1)[:500] + b"?" + framed(1)[501:], FrameFlaw.CHECKSUM),
        (framed(1, b"no picture"), Flaw.NOT_JPEG),
    ],
)
def test_a_framed_picture_that_is_damaged_is_told(assembly: Assembly, message: bytes, reason: FrameFlaw) -> None:
    assert feed(assembly, [message]) == [Rejected(reason)]


def test_a_longer_header_is_skipped_and_without_a_checksum_none_is_checked(assembly: Assembly) -> None:
    head = struct.pack(">4sBBBBIQHHII", b"GKF1", 2, 40, 0, 1, 1, 5, 640, 480, len(SMALL), 0)
    assert feed(assembly, [head + bytes(8) + SMALL]) == [whole(SMALL)]


# --- any order ---

MESSAGES = st.one_of(
    st.builds(FrameStart, st.integers(-1, 3), st.integers(-1, 6000)),
    st.builds(FrameEnd, st.integers(-1, 3)),
    st.builds(ImageStart, st.integers(-1, 3), st.integers(-1, 6000) | st.just(2**53), st.integers(-1, 8)),
    st.builds(ImageEnd, st.integers(-1, 3), st.booleans()),
    st.binary(max_size=50),
    st.sampled_from([SMALL, SMALL[:1000], SMALL[1000:], framed(3), framed(9)[:40]]),
)


@given(st.lists(st.tuples(MESSAGES, st.floats(0, 6)), max_size=40))
def test_in_no_order_does_it_raise_or_keep_too_much_and_afterwards_it_heals(sent: list[tuple[Message, float]]) -> None:
    assembly, now = Assembly(6_000), 0.0
    for message, pause in sent:
        now += pause
        outcomes = assembly.binary(message, now) if isinstance(message, bytes) else assembly.text(message, now)
        assert assembly.held <= 6_000
        assert all(outcome.jpeg == SMALL for outcome in outcomes if isinstance(outcome, Whole))
    assert feed(assembly, list(pieces(SMALL)), now)[-1] == whole(SMALL)


@given(st.integers(1, 7000))
def test_every_size_of_pieces_gives_the_same_picture(size: int) -> None:
    assert feed(Assembly(LIMIT), list(pieces(SMALL, size=size))) == [whole(SMALL)]
