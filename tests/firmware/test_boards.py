"""The boards' code, as far as it goes without a board: it compiles, and what it must not do does not."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[2] / "firmware"

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None and not os.environ.get("CI"),
    reason="no g++: firmware/README.md names what the devices' code is checked with",
)


def compiles(*files: Path, secrets: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"BOARD_SECRETS": str(secrets)} if secrets else {})}
    return subprocess.run(
        [str(FIRMWARE / "boards"), *map(str, files)], env=environment, capture_output=True, text=True, check=False
    )


@needs_compiler
def test_the_code_of_the_boards_compiles_against_the_shapes_of_their_headers() -> None:
    done = compiles()
    assert done.returncode == 0, done.stderr


@needs_compiler
def test_a_build_without_secrets_says_what_to_do(tmp_path: Path) -> None:
    source = tmp_path / "main.cpp"
    source.write_text('#include "gk_secrets.hpp"\n')
    assert compiles(source).returncode == 0
    shutil.copy(FIRMWARE / "include" / "gk_secrets.hpp", tmp_path)  # beside no secrets.h
    done = compiles(source, secrets=tmp_path)
    assert done.returncode != 0
    assert "firmware/include/secrets.h is missing: copy secrets.h.example to secrets.h" in done.stderr


@needs_compiler
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("GK_LOCK_KEY", "0" * 63, "64 hexadecimal digits"),
        ("GK_CAMERA_TOKEN", "short", "16 to 128 letters"),
        ("GK_WIFI_PASSWORD", "1234567", "8 to 63 letters"),
    ],
)
def test_a_secret_that_would_not_do_stops_the_build(tmp_path: Path, name: str, value: str, told: str) -> None:
    example = (FIRMWARE / "include" / "secrets.h.example").read_text()
    assert f'#define {name} ""' in example
    (tmp_path / "secrets.h").write_text(example.replace(f'#define {name} ""', f'#define {name} "{value}"'))
    shutil.copy(FIRMWARE / "include" / "gk_secrets.hpp", tmp_path)
    source = tmp_path / "main.cpp"
    source.write_text('#include "gk_secrets.hpp"\n')
    done = compiles(source, secrets=tmp_path)
    assert done.returncode != 0
    assert told in done.stderr


MISTAKES = {
    "the watchdog's call of ESP-IDF 4": (
        "lib/gk_board/src/watchdog.cpp",
        "esp_task_wdt_reconfigure(&config)",
        "esp_task_wdt_init(8, true)",
    ),
    "a timer without its time": ("lib/gk_board/src/guard.cpp", "(timer_, limit_us_)", "(timer_)"),
    "a network's name as an array": ("lib/gk_board/src/station.cpp", "chosen.ssid.data()", "chosen.ssid"),
    "a pin as a number": ("src/door_lock/relay.cpp", "(kRelayPin, GPIO_MODE_OUTPUT)", "(32, GPIO_MODE_OUTPUT)"),
    "a resolution that is cast": (
        "src/push_cam/camera_manager.cpp",
        "kFrameSizes[static_cast<std::size_t>(value)]",
        "value",
    ),
    "a request that goes nowhere": ("src/mjpeg_cam/cam_server.cpp", "(request, &asked.request)", "(request)"),
}


@needs_compiler
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_call_does_not_compile(tmp_path: Path, mistake: str) -> None:
    path, right, wrong = MISTAKES[mistake]
    source = FIRMWARE / path
    text = source.read_text()
    assert right in text
    seeded = tmp_path / source.name
    for header in source.parent.glob("*.hpp"):
        shutil.copy(header, tmp_path)
    seeded.write_text(text.replace(right, wrong, 1))
    assert compiles(seeded).returncode != 0


def environments() -> dict[str, configparser.SectionProxy]:
    found = configparser.ConfigParser(interpolation=None)
    found.read(FIRMWARE / "platformio.ini")  # a section or an option that stands twice is an error
    return {name: found[name] for name in found.sections()}


# Every option that the file may have: a misspelt one would be passed over without a word.
KNOWN = {
    "platformio": {"default_envs", "src_dir", "include_dir", "lib_dir"},
    "env": {
        *("platform", "framework", "board", "board_build.partitions", "build_src_filter", "build_flags", "lib_deps"),
        *("lib_compat_mode", "lib_ldf_mode", "monitor_speed", "monitor_filters"),
    },
}


def test_the_build_is_pinned_and_has_no_unknown_option() -> None:
    sections = environments()
    assert sections["platformio"]["default_envs"] == "door_lock, mjpeg_cam, push_cam"
    assert set(sections) == {"platformio", "env", "env:door_lock", "env:mjpeg_cam", "env:push_cam"}
    for name, section in sections.items():
        assert set(section) <= KNOWN[name.partition(":")[0]], name
        for dependency in section.get("lib_deps", "").split():
            assert re.search(r"@\d+\.\d+\.\d+$", dependency), dependency
        if name.startswith("env:"):
            assert section["build_src_filter"] == f"+<{name.removeprefix('env:')}/>"
            assert (FIRMWARE / "src" / name.removeprefix("env:") / "main.cpp").exists()
    assert re.search(r"/releases/download/55\.03\.311/", sections["env"]["platform"])


@pytest.mark.skipif(shutil.which("pio") is None, reason="no PlatformIO here: the file is parsed all the same")
def test_platformio_itself_finds_no_fault(tmp_path: Path) -> None:
    done = subprocess.run(
        ["pio", "project", "config", "--lint", "-d", str(FIRMWARE)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PLATFORMIO_CORE_DIR": str(tmp_path)},
    )
    # It ends with 0 whatever it finds.
    assert "is free from linting errors" in done.stdout, done.stdout + done.stderr
    assert "Warning" not in done.stdout, done.stdout


def test_no_secret_is_tracked() -> None:
    if (FIRMWARE.parent / ".git").exists():  # not in what was unpacked from an archive
        listed = ["git", "-c", "safe.directory=*", "ls-files", "firmware"]
        done = subprocess.run(listed, cwd=FIRMWARE.parent, capture_output=True, text=True, check=True)
        tracked = done.stdout.split()
        assert "firmware/check" in tracked
        assert not [path for path in tracked if Path(path).name == "secrets.h"]
    assert "secrets.h" in (FIRMWARE / ".gitignore").read_text().split()
    for line in (FIRMWARE / "include" / "secrets.h.example").read_text().splitlines():
        if line.startswith("#define"):
            assert line.endswith(' ""'), line


def body(source: str, head: str) -> list[str]:
    """The statements of a function, without comments."""
    text = (FIRMWARE / source).read_text()
    start = text.index(head) + len(head)
    lines = text[start : text.index("\n}\n", start)].splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("//")]


def test_i1_the_relay_rests_before_anything_else_happens_and_before_its_pin_drives() -> None:
    assert body("src/door_lock/main.cpp", "void setup() {")[0] == "relay::begin();"
    begin = body("src/door_lock/relay.cpp", "void begin() noexcept {")
    assert begin[:2] == ["set(false);", "gpio_set_direction(kRelayPin, GPIO_MODE_OUTPUT);"]


def test_i12_the_guard_runs_before_the_current_does() -> None:
    relay = body("src/door_lock/main.cpp", "void relay(bool energised) noexcept override {")
    held = next(at for at, line in enumerate(relay) if "guard.hold()" in line)
    assert held < relay.index("relay::set(energised);")
    assert body("lib/gk_board/src/guard.cpp", "void Guard::expired(void* self) noexcept {")[1:] == [
        "guard.drop_();",
        "guard.tripped_.store(true);",
    ]


def test_no_get_moves_the_door() -> None:
    server = (FIRMWARE / "src" / "door_lock" / "lock_server.cpp").read_text()
    assert re.findall(r'\.uri = "([^"]*)"', server) == ["/ws", "/status"]


def pins() -> dict[str, dict[str, int]]:
    def camera(source: str) -> dict[str, int]:
        text = (FIRMWARE / source).read_text()
        return {name: int(pin) for name, pin in re.findall(r"\.(\w+) = (-?\d+),", text)}

    lock = (FIRMWARE / "src" / "door_lock" / "pins.hpp").read_text()
    return {
        "door lock": {name.lower(): int(pin) for name, pin in re.findall(r"k(Relay|Led)Pin = GPIO_NUM_(\d+);", lock)},
        "ESP32-CAM": camera("src/mjpeg_cam/pins.hpp"),
        "ESP32-S3": camera("src/push_cam/configuration.hpp"),
    }


def test_the_pins_are_those_of_the_readme_and_of_the_wiring() -> None:
    readme = (FIRMWARE / "README.md").read_text()
    for device, expected in pins().items():
        row = next(
            line
            for line in readme.splitlines()
            if line.startswith(f"| {device}") and re.search(r"(?:GPIO| )-?\d+,", line)
        )
        told = {
            name.lower(): int(pin) for name, pin in re.findall(r"(\w+) (?:GPIO)?(-?\d+)[, ]", row.split("|")[2] + " ")
        }
        assert told == expected, device
    assert len(pins()["ESP32-CAM"]) == len(pins()["ESP32-S3"]) == 16
    wiring = (FIRMWARE / "docs" / "hardware.md").read_text()
    assert dict(re.findall(r"\| (relay|LED) \| GPIO(\d+) \|", wiring)) == {
        "relay": str(pins()["door lock"]["relay"]),
        "LED": str(pins()["door lock"]["led"]),
    }


def test_the_names_of_the_console_are_those_of_the_readme() -> None:
    rules = re.findall(r'\{"(\w+)", \d+, \d+, ', (FIRMWARE / "lib/gk_core/include/gk/console.hpp").read_text())
    told = re.findall(
        r"^\| (`.*?) \| (?:all|door lock|ESP32-CAM|push camera) \|", (FIRMWARE / "README.md").read_text(), re.M
    )
    assert sorted(re.findall(r"`(\w+)`", " ".join(told))) == sorted(rules)
