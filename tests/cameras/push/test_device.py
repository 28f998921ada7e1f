"""The virtual camera sends and answers as seed 004's firmware does, quirks included."""

import json

import pytest

from gatekeeper.cameras.push import wire
from gatekeeper.cameras.push.assembly import Assembly, Outcome, Whole
from gatekeeper.simulators.push_device import PushDevice, PushFault
from tests.cameras.pictures import picture

SMALL, MIDDLE, LARGE = picture(5_000), picture(20_000), picture(40_000)


def through(device: PushDevice, *jpegs: bytes) -> tuple[list[Outcome], float]:
    """Return what comes out at the other end, and the seconds that the sending takes."""
    assembly, outcomes, took = Assembly(100_000), [], 0.0
    for jpeg in jpegs:
        for message, pause in device.picture(jpeg, 0.0):
            if isinstance(message, bytes):
                outcomes += assembly.binary(message, took)
            else:
                found = wire.parse(message.encode())
                assert isinstance(found, wire.FrameStart | wire.FrameEnd | wire.ImageStart | wire.ImageEnd)
                outcomes += assembly.text(found, took)
            took += pause
    return outcomes, took


@pytest.mark.parametrize("framed", [False, True])
def test_every_size_comes_through_whole(framed: bool) -> None:
    device = PushDevice()
    device.is_framed = framed
    outcomes, _ = through(device, SMALL, MIDDLE, LARGE)
    assert outcomes == [Whole(jpeg, 640, 480) for jpeg in (SMALL, MIDDLE, LARGE)]


def test_the_stability_mode_takes_as_long_as_the_firmwares() -> None:
    device = PushDevice()
    _, took = through(device, LARGE)
    assert took + device.rest == pytest.approx(1.58, abs=0.05)  # 0.6 pictures per second
    device.heard('{"type":"command","cmd":"mode","val":"0"}')
    assert through(device, LARGE)[1] == 0.0
    assert device.rest == pytest.approx(0.05)


def test_a_number_for_a_value_is_read_as_nothing() -> None:
    device = PushDevice()
    [answer], _ = device.heard('{"type":"command","cmd":"resolution","val":8}')
    assert json.loads(answer)["value"] == "0 (QQVGA (160x120))"


@pytest.mark.parametrize(
    ("cmd", "val", "status", "value"),
    [
        ("resolution", "8", "ok", "8 (HD (1280x720))"),
        ("resolution", "7", "error", "valor no válido (0-12)"),  # unchanged
        ("quality", "4", "error", "valor no válido (5-63)"),
        ("brightness", "-2", "ok", "-2"),
        ("vflip", "on", "ok", "on"),
        ("mode", "velocidad", "ok", "Velocidad"),
        ("flash", "1", "error", "comando desconocido"),
    ],
)
def test_it_answers_as_the_firmware(cmd: str, val: str, status: str, value: str) -> None:
    [answer], restarts = PushDevice().heard(json.dumps({"type": "command", "cmd": cmd, "val": val}))
    assert json.loads(answer) == {"type": "response", "cmd": cmd, "status": status, "value": value}
    assert not restarts


def test_a_reboot_is_said_and_then_done() -> None:
    device = PushDevice()
    device.heard('{"type":"command","cmd":"quality","val":"30"}')
    answers, restarts = device.heard('{"type":"command","cmd":"reboot","val":""}')
    assert [json.loads(answer)["type"] for answer in answers] == ["response", "status"]
    assert restarts
    device.boot()
    assert device.settings["quality"] == 15


@pytest.mark.parametrize("fault", [PushFault.WRONG_SIZE, PushFault.GARBAGE, PushFault.TRUNCATED, PushFault.ENDLESS])
def test_a_fault_lets_no_picture_through(fault: PushFault) -> None:
    device = PushDevice(speed=True)
    device.fault = fault
    outcomes, _ = through(device, SMALL, MIDDLE, LARGE)
    assert not any(isinstance(outcome, Whole) for outcome in outcomes)
