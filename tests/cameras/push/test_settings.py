"""What a camera can be told: ranges are checked before anything is sent, and `val` is text."""

from typing import Any

import pytest

from gatekeeper.cameras.push.abilities import OWN, SEED, Abilities, listed, of
from gatekeeper.cameras.push.settings import REBOOT, Command, Value, decode, meaning, takes, value_of
from gatekeeper.errors import InvalidArgument


@pytest.mark.parametrize(
    ("given", "cmd", "val"),
    [
        ({"resolution": 8}, "resolution", "8"),
        ({"resolution": "HD"}, "resolution", "8"),
        ({"resolution": "qqvga"}, "resolution", "0"),
        ({"resolution": "12"}, "resolution", "12"),
        ({"quality": 5}, "quality", "5"),
        ({"quality": 63}, "quality", "63"),
        ({"fps": 30}, "fps", "30"),
        ({"mode": "speed"}, "mode", "0"),
        ({"mode": "Estabilidad"}, "mode", "1"),
        ({"brightness": -2}, "brightness", "-2"),
        ({"contrast": 2}, "contrast", "2"),
        ({"exposure": True}, "exposure", "1"),
        ({"gain": False}, "gain", "0"),
        ({"whitebalance": 1}, "whitebalance", "1"),
        ({"hmirror": 0}, "hmirror", "0"),
        ({"vflip": True}, "vflip", "1"),
        ({"reboot": True}, "reboot", ""),
    ],
)
def test_a_setting_becomes_a_command_with_text(given: dict[str, Any], cmd: str, val: str) -> None:
    assert decode(given) == (Command(cmd, val),)


@pytest.mark.parametrize(
    "given",
    [
        {}, {"resolution": 13}, {"resolution": -1}, {"resolution": "4K"}, {"resolution": "13"}, {"resolution": None},
        {"resolution": "²"}, {"quality": 4}, {"quality": 64}, {"quality": "10"}, {"quality": 10.5}, {"fps": 0},
        {"fps": 31}, {"mode": "fast"}, {"mode": 1}, {"brightness": -3}, {"contrast": 3}, {"exposure": 2},
        {"gain": "on"}, {"vflip": -1}, {"reboot": False}, {"flash": 1}, {"framesize": 1}, {"saturation": 0},
    ],
)  # fmt: skip
def test_what_the_firmware_does_not_take_is_not_sent(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        decode(given)


def test_a_reboot_comes_last() -> None:
    commands = decode({"reboot": True, "quality": 10, "resolution": 5})
    assert [command.cmd for command in commands] == ["resolution", "quality", "reboot"]


def test_a_wrong_one_is_told_by_name_and_range() -> None:
    with pytest.raises(InvalidArgument, match=r"^quality: found 99; allowed"):
        decode({"quality": 99})
    with pytest.raises(InvalidArgument, match=r'^resolution: found "4K"; allowed is 0 to 12 or one of QQVGA'):
        decode({"resolution": "4K"})


@pytest.mark.parametrize(
    ("command", "value", "fits"),
    [
        (Command("resolution", "8"), "8 (HD (1280x720))", True),
        (Command("resolution", "8"), "5 (VGA (640x480))", False),
        (Command("fps", "15"), "15 (actual: 12.3)", True),
        (Command("brightness", "-2"), "-2", True),
        (Command("brightness", "-2"), "2", False),
        (Command("mode", "0"), "Velocidad", True),
        (Command("mode", "0"), "Estabilidad", False),
        (Command("vflip", "1"), "on", True),
        (Command("vflip", "1"), "off", False),
        (REBOOT, "reiniciando", True),
    ],
)
def test_an_answer_fits_its_command(command: Command, value: str, fits: bool) -> None:
    assert takes(command, value) is fits


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("resolution", "XGA (1024x768)", 7),
        ("resolution", "HD(1280x720)", 8),
        ("resolution", "8 (HD (1280x720))", 8),
        ("resolution", "7 (as it was)", 7),
        ("resolution", "13", None),
        ("resolution", "-1", None),
        ("resolution", "Custom", None),
        ("resolution", "Unknown", None),
        ("resolution", "", None),
        ("quality", "12", 12),
        ("quality", "many", None),
        ("quality", "9" * 90, None),
        ("fps", "15 (actual: 12.3)", 15),
        ("fps", "12.3", None),
        ("brightness", "-2", -2),
        ("mode", "Velocidad", "speed"),
        ("mode", "Estabilidad", "stability"),
        ("mode", "Turbo", None),
        ("vflip", "on", True),
        ("vflip", "off", False),
        ("vflip", "perhaps", None),
    ],
)
def test_a_cameras_words_are_read(name: str, words: str, value: Value | None) -> None:
    found = value_of(name, words)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("given", "value"),
    [({"resolution": "HD"}, 8), ({"mode": "velocidad"}, "speed"), ({"gain": 0}, False), ({"contrast": -1}, -1)],
)
def test_a_command_means_what_was_asked(given: dict[str, Any], value: Value) -> None:
    [command] = decode(given)
    assert meaning(command) == value


# --- what one device takes ---

LIST = "0:QQVGA(160x120),1:QCIF(176x144),5:VGA(640x480)"


def test_a_device_takes_what_its_firmware_its_sensor_and_its_own_list_allow() -> None:
    assert of(own=False) == SEED
    assert of(own=True).quality == OWN.quality == (0, 63)
    small = of(own=False, model="ov2640")
    assert (small.resolutions, small.kind) == (tuple(range(11)), "ESP32-S3 camera (ov2640)")
    assert of(own=False, model="OV9999").resolutions == SEED.resolutions
    assert of(own=False, listed=listed(LIST)).resolutions == (0, 1, 5)
    assert of(own=False, model="OV7725", listed=(9,)).resolutions == SEED.resolutions  # it contradicts itself


@pytest.mark.parametrize("words", ["", "none", "99:HUGE", "²:x", "5" * 5000])
def test_a_list_that_means_nothing_narrows_nothing(words: str) -> None:
    assert listed(words) is None


@pytest.mark.parametrize("resolution", [12, "QXGA", "12"])
def test_what_the_sensor_does_not_have_is_not_sent(resolution: int | str) -> None:
    abilities: Abilities = of(own=False, model="OV2640")
    with pytest.raises(InvalidArgument, match=r"^resolution: found .*; an ESP32-S3 camera \(OV2640\) has 0 QQVGA, "):
        decode({"resolution": resolution}, abilities)
    assert decode({"resolution": 10}, abilities) == (Command("resolution", "10"),)
