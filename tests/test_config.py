"""A configuration is used whole or refused with one sentence: where, what was found, what is allowed."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from autobahn.websocket.util import parse_url
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper import config, config_page
from gatekeeper.errors import ConfigurationError

ROOT = Path(__file__).parent.parent
CAMERA = '[[cameras]]\nid = "yard"\nurl = "http://192.168.137.20/stream"\n'
DOOR = '[[doors]]\nid = "front"\nurl = "ws://192.168.137.21/ws"\n'
SECRET = "correct-horse-battery-staple"


def refusal(text: str) -> str:
    """Return the sentence that a configuration is refused with."""
    with pytest.raises(ConfigurationError) as caught:
        config.parse(text, "site.toml")
    sentence = str(caught.value)
    assert sentence.startswith("site.toml: ")
    assert "\n" not in sentence
    return sentence.removeprefix("site.toml: ")


# --- what is good ---


def test_an_empty_file_is_a_site_without_devices_on_loopback() -> None:
    site = config.parse("")
    assert (site.cameras, site.doors, site.listen) == ((), (), "tcp:8000:interface=127.0.0.1")


def test_the_readmes_site_has_at_most_eight_lines_and_loads() -> None:
    [text] = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(text.splitlines()) <= 8
    site = config.parse(text)
    assert [camera.doors for camera in site.cameras] == [("front",)]
    assert [door.url for door in site.doors] == ["ws://192.168.137.21/ws"]


def test_the_page_of_every_key_is_what_the_structs_say() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == config_page.document() + "\n"


def test_what_was_read_cannot_be_changed() -> None:
    site = config.parse(CAMERA + DOOR)
    for table in (site, site.access, site.media, site.cameras[0], site.doors[0], config.Secret(env="X")):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(table, msgspec.structs.fields(table)[0].name, "other")


def test_whole_numbers_do_for_seconds() -> None:
    assert config.parse("[media]\nviewer_timeout = 3").media.viewer_timeout == 3.0


def test_what_has_no_name_is_called_by_its_id() -> None:
    site = config.parse(CAMERA + DOOR + 'name = "Front door"')
    assert (site.cameras[0].label, site.doors[0].label) == ("yard", "Front door")


def test_a_file_that_begins_with_windows_byte_order_mark_loads(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_bytes(b'\xef\xbb\xbfname = "shop"\r\n')
    assert config.load(file).name == "shop"


# --- unknown and missing keys ---


@pytest.mark.parametrize(
    ("text", "where", "near"),
    [
        ("lisen = 'tcp:1'", "lisen", "listen"),
        (CAMERA + "stal_timeout = 1", "cameras[0].stal_timeout", "stall_timeout"),
        (DOOR + "open_duratin = 1", "doors[0].open_duratin", "open_duration"),
        ("[acces]", "acces", "access"),
        ("[access]\nadmin_tokn = {}", "access.admin_tokn", "admin_token"),
        ("[access]\nadmin_token = {enf = 'X'}", "access.admin_token.enf", "env"),
        (CAMERA + "password = {fil = 'X'}", "cameras[0].password.fil", "file"),
        ("[media]\nmax_viewers = 1", "media.max_viewers", "maximum_viewers"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_right_one(text: str, where: str, near: str) -> None:
    sentence = refusal(text)
    assert sentence.startswith(f'{where}: no such key; did you mean "{near}"? Allowed: ')


def test_an_unknown_key_that_resembles_nothing_is_told_with_all_that_are_allowed() -> None:
    assert refusal("[media]\nzzz = 1") == "media.zzz: no such key; Allowed: viewer_timeout, maximum_viewers"


@pytest.mark.parametrize("key", ['"two\\nlines"', '"x` - at `$.y"', '""', '"' + "k" * 5000 + '"'])
def test_an_odd_key_stays_on_one_short_line(key: str) -> None:
    assert len(refusal(f"{key} = '{SECRET}'")) < 250


def test_a_missing_key_is_named() -> None:
    assert refusal("[[cameras]]\nid = 'yard'") == (
        "cameras[0].url: missing; give it, or snapshot, video or push instead"
    )
    assert refusal("[[doors]]\nid = 'front'") == "doors[0].url: missing; it has no default"


# --- wrong values ---


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = 5", "name: found 5; allowed: text (length to 80)"),
        ("listen = true", "listen: found true; allowed: text"),
        ("data = ''", 'data: found ""; allowed: text (length from 1)'),
        ("name = 2020-01-01", "name: found a date or time; allowed: text (length to 80)"),
        ("[media]\nviewer_timeout = '10'", 'media.viewer_timeout: found "10"; allowed: a number over 0, to 3,600'),
        ("[media]\nviewer_timeout = 0", "media.viewer_timeout: found 0; allowed: a number over 0, to 3,600"),
        ("[media]\nviewer_timeout = nan", "media.viewer_timeout: found nan; allowed: a number over 0, to 3,600"),
        ("[media]\nviewer_timeout = inf", "media.viewer_timeout: found inf; allowed: a number over 0, to 3,600"),
        ("[media]\nviewer_timeout = -inf", "media.viewer_timeout: found -inf; allowed: a number over 0, to 3,600"),
        (DOOR + "ping_interval = 9.5", "doors[0].ping_interval: found 9.5; allowed: a number over 0, to 9"),
        (
            "[media]\nmaximum_viewers = 1.5",
            "media.maximum_viewers: found 1.5; allowed: a whole number from 1, to 100,000",
        ),
        (CAMERA + "doors = 'front'", "cameras[0].doors: found text; allowed: a list of texts"),
        ("cameras = 5", "cameras: found a number; allowed: a list of tables, each under [[cameras]]"),
        ("[doors]\nid = 'front'", "doors: found a table; allowed: a list of tables, each under [[doors]]"),
        ("media = []", "media: found a list; allowed: a table with viewer_timeout, maximum_viewers"),
        (
            "[[doors]]\nid = 'Front'\nurl = 'ws://x/'",
            'doors[0].id: found "Front"; allowed: text of lower-case letters, digits, `-` and `_`: `front-door` '
            "(length to 40)",
        ),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(text: str, sentence: str) -> None:
    assert refusal(text) == sentence


@pytest.mark.parametrize("digits", ["9" * 30, "9" * 4000, "9" * 5000, "0x" + "f" * 9000])
def test_a_huge_whole_number_is_refused_and_not_written_out(digits: str) -> None:
    for key in ("viewer_timeout", "maximum_viewers"):
        sentence = refusal(f"[media]\n{key} = {digits}")
        assert "digits" in sentence
        assert len(sentence) < 150


@pytest.mark.parametrize("bad", ["a\\nb", "front\\n", "-a", "a-", "a--b", "ä", "a" * 41, ""])
def test_an_id_that_would_not_fit_an_address_is_refused(bad: str) -> None:
    assert refusal(f'[[doors]]\nid = "{bad}"\nurl = "ws://x/"').startswith("doors[0].id: found ")


def test_a_long_text_is_cut() -> None:
    assert len(refusal(f"name = '{'x' * 100_000}'")) < 150


# --- what only the whole can show ---


def test_the_same_id_twice_names_both_places() -> None:
    sentence = 'cameras[1].id: "yard" is already the id of cameras[0]; ids must differ'
    assert refusal(CAMERA + CAMERA) == sentence


def test_two_doors_on_one_lock_are_refused() -> None:
    twice = DOOR + DOOR.replace("front", "back")
    assert refusal(twice) == "doors[1].url: already the lock of doors[0]; one lock takes one connection"


def test_a_camera_at_an_unknown_door_is_told_the_nearest() -> None:
    sentence = refusal(CAMERA + 'doors = ["frnt"]\n' + DOOR)
    assert sentence == 'cameras[0].doors[0]: there is no door "frnt"; did you mean "front"? Allowed: front'
    assert refusal(CAMERA + 'doors = ["x"]') == 'cameras[0].doors[0]: there is no door "x"; there are none'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (DOOR + "open_duration = 90", "open_duration: found 90; at most maximum_open_duration, which is 60"),
        (DOOR + "retry_minimum = 20", "retry_minimum: found 20; at most retry_maximum, which is 10"),
    ],
)
def test_a_least_over_its_most_is_refused(text: str, sentence: str) -> None:
    assert refusal(text) == f"doors[0].{sentence}"


def test_a_user_name_without_a_password_is_refused() -> None:
    assert "username and password belong together" in refusal(CAMERA + 'username = "admin"')


# --- addresses ---

BAD_HOSTS = ["", "x:port", "x:70000", "x:0", "[::1", "[zz::]", "a b", "a..b", "a\\u0000b", "x\\n", "-" * 64, "x#top"]


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_an_address_that_nothing_can_connect_to_is_refused(host: str) -> None:
    for table, scheme in (("cameras", "http"), ("doors", "ws")):
        sentence = refusal(f'[[{table}]]\nid = "x"\nurl = "{scheme}://{host}/path"')
        assert sentence.startswith(f'{table}[0].url: found "{scheme}://')
        assert f"; allowed is {scheme}://host[:port]/path or {scheme}s://host[:port]/path" in sentence


@pytest.mark.parametrize("url", ["htp://x/", "//x/", "x", "rtmp://x/?pwd=" + SECRET, "ws://x/", "file:///etc/passwd"])
def test_an_address_of_another_scheme_is_refused_without_its_query(url: str) -> None:
    sentence = refusal(CAMERA.replace("http://192.168.137.20/stream", url))
    assert sentence.startswith(f'cameras[0].url: found "{url.partition("?")[0]}"; allowed is http://host')


@pytest.mark.parametrize(
    "url",
    [
        f"http://admin:{SECRET}@192.168.137.20/stream",
        f"http://{SECRET}@192.168.137.20/stream",
        f"http://admin:x/{SECRET}@192.168.137.20/stream",
        f"http://admin:{SECRET}@[/stream",
        f"admin:{SECRET}@192.168.137.20/stream",
        f"htp://admin:{SECRET}@192.168.137.20/stream",
        f"http://admin:{SECRET}#@192.168.137.20/stream",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(url: str) -> None:
    sentence = refusal(CAMERA.replace("http://192.168.137.20/stream", url))
    assert sentence.startswith("cameras[0].url: found credentials in the address; allowed is http://host")
    assert SECRET not in sentence


@pytest.mark.parametrize("host", ["x", "x:81", "[::1]", "[fe80::1]:81", "gate.local.", "tür.local", "under_score"])
def test_whatever_address_is_allowed_can_be_dialled(host: str) -> None:
    site = config.parse(DOOR.replace("192.168.137.21", host) + CAMERA.replace("192.168.137.20/stream", f"{host}/a@b"))
    assert parse_url(site.doors[0].url)


@given(st.text(max_size=30))
def test_no_text_is_allowed_as_an_address_and_then_impossible_to_dial(text: str) -> None:
    door = {"id": "front", "url": f"ws://{text}"}
    try:
        config._check(msgspec.convert({"doors": [door]}, config.Site))
    except ConfigurationError:
        return
    parse_url(door["url"])


@pytest.mark.parametrize("listen", ["8000", "tcp:", "tcp:99999", "tcp:٣", "http://x", "ssl:", "unix:", "tcp:80\\n"])
def test_a_wrong_endpoint_is_refused_with_examples(listen: str) -> None:
    sentence = refusal(f'listen = "{listen}"')
    assert sentence.startswith(f'listen: found "{listen}"; allowed is a Twisted endpoint such as "tcp:8000", ')
    assert '"ssl:8443"' in sentence


@pytest.mark.parametrize(
    ("listen", "allowed"),
    [
        ("tcp:80:", "interface=… after the port"),
        ("tcp:80:privateKey=x", "interface=… after the port"),
        ("ssl:443:colour=red", "certKey=… and extraCertChain=… and interface=… and privateKey=… after the port"),
        ("ssl:443:certKey=x", "certKey=FILE together with privateKey=FILE"),
        ("ssl:443:extraCertChain=x", "extraCertChain=FILE together with privateKey=FILE and certKey=FILE"),
        ("ssl:443:interface=a:interface=b", "after the port of ssl:"),
    ],
)
def test_an_endpoint_with_wrong_options_is_told_which_there_are(listen: str, allowed: str) -> None:
    assert allowed in refusal(f'listen = "{listen}"')


@pytest.mark.parametrize(
    "listen",
    ["tcp:0", "tcp:65535", "tcp:port=80", "tcp:80:interface=\\\\:\\\\:1", "unix:/run/gatekeeper.sock", "ssl:8443"],
)
def test_an_endpoint_is_taken(listen: str) -> None:
    [place] = config.parse(f'listen = "{listen}"').places
    assert place.scheme == listen.partition(":")[0]


def test_there_may_be_several_endpoints() -> None:
    site = config.parse('listen = ["ssl:8443", "tcp:8000:interface=192.168.1.2"]')
    assert [(place.scheme, place.port, place.interface) for place in site.places] == [
        ("ssl", 8443, ""),
        ("tcp", 8000, "192.168.1.2"),
    ]


@pytest.mark.parametrize(
    ("listen", "sentence"),
    [
        ("[]", "listen: found an empty list; allowed is one Twisted endpoint or more"),
        ('["tcp:1", "ssl:"]', 'listen[1]: found "ssl:"; allowed is a Twisted endpoint'),
        ('["tcp:8000", "ssl:8000"]', "listen[1]: port 8000 is already that of listen[0]"),
        ("[5]", "listen[0]: "),
        ("5", "listen: found 5; allowed: text"),
    ],
)
def test_what_is_wrong_in_a_list_of_endpoints_is_named(listen: str, sentence: str) -> None:
    assert refusal(f"listen = {listen}").startswith(sentence)


def test_any_free_port_may_be_asked_for_twice() -> None:
    assert len(config.parse('listen = ["tcp:0", "ssl:0"]').places) == 2


# --- its own port ---


@pytest.mark.parametrize(
    ("listen", "host"),
    [
        ("tcp:8000:interface=127.0.0.1", "127.0.0.1:8000"),
        ("tcp:8000:interface=127.0.0.1", "localhost:8000"),
        ("tcp:8000", "127.9.9.9:8000"),
        ("tcp:8000", "0.0.0.0:8000"),
        ("tcp:8000:interface=192.168.1.2", "192.168.1.2:8000"),
        ("tcp:8000:interface=\\\\:\\\\:1", "[::1]:8000"),
        ("tcp:80", "localhost"),
    ],
)
def test_a_device_at_the_sites_own_port_is_refused(listen: str, host: str) -> None:
    for table, scheme in (("cameras", "http"), ("doors", "ws")):
        sentence = refusal(f'listen = "{listen}"\n[[{table}]]\nid = "x"\nurl = "{scheme}://{host}/path"')
        assert re.fullmatch(
            rf"{table}\[0\]\.url: port \d+ of this machine is gatekeeper's own port, see listen", sentence
        )


def test_a_device_at_a_port_that_the_command_line_takes_is_refused() -> None:
    site = config.parse(CAMERA.replace("192.168.137.20", "127.0.0.1:9000"))
    with pytest.raises(ConfigurationError, match=r"^cameras\[0\]\.url: port 9000 of this machine is gatekeeper's own"):
        config.override(site, data=None, listen="tcp:9000")


def test_the_command_line_overrides_and_is_checked_likewise() -> None:
    site = config.override(config.Site(), data="elsewhere", listen="tcp:9000")
    assert (site.data, site.listen) == ("elsewhere", "tcp:9000")
    assert config.override(site, data=None, listen=None) == site
    with pytest.raises(ConfigurationError, match=r'^listen: found "9000"; allowed'):
        config.override(site, data=None, listen="9000")


# --- files and folders ---


def test_what_is_not_toml_is_told_with_the_line() -> None:
    assert refusal("a = 1\nb ?\n").startswith("not TOML: ")
    assert "line 2" in refusal("a = 1\nb ?\n")


def test_deep_nesting_is_refused() -> None:
    assert refusal("a = " + "[" * 50_000) == "found lists or tables nested too deeply"


def test_what_is_not_utf_8_is_told_with_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_bytes(b'name = "caf\xe9"')
    with pytest.raises(ConfigurationError, match=r"site\.toml: not UTF-8: invalid continuation byte at byte 11$"):
        config.load(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.toml: can't be read: No such file or directory$"):
        config.load(tmp_path / "nothing.toml")
    with pytest.raises(ConfigurationError, match=r"can't be read: Is a directory$"):
        config.load(tmp_path)


def test_paths_are_relative_to_the_file_and_a_tilde_is_the_home(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOME", "/home/ana")
    assert config.resolve(tmp_path, "data", "data") == tmp_path / "data"
    assert config.resolve(tmp_path, "/var/lib/gatekeeper", "data") == Path("/var/lib/gatekeeper")
    assert config.resolve(tmp_path, "~/data", "data") == Path("/home/ana/data")
    with pytest.raises(ConfigurationError, match=r"^data: found .*no such home directory"):
        config.resolve(tmp_path, "~nobody-of-this-name/data", "data")
    with pytest.raises(ConfigurationError, match=r"^data: found .*zero byte"):
        config.resolve(tmp_path, "a\0b", "data")


# --- anything at all ---

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes() | st.just(10**4000)
_KEYS = st.sampled_from(
    ["name", "listen", "data", "access", "media", "cameras", "doors", "id", "url", "password", "admin_token", "env"]
)
_VALUES = st.recursive(
    _SCALARS | st.just("front") | st.just("ws://x/"),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_KEYS | st.text(), below, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(_KEYS | st.text(), _VALUES, max_size=5))
def test_whatever_the_tables_hold_only_a_configuration_error_comes_out(data: dict[str, Any]) -> None:
    try:
        site = config.check(data)
    except ConfigurationError as error:
        sentence = str(error)
    else:
        sentence = site.name
    assert "\n" not in sentence or sentence == data["name"]


@given(st.text())
def test_whatever_the_text_is_only_a_configuration_error_comes_out(text: str) -> None:
    try:
        config.parse(text)
    except ConfigurationError:
        return
    tomllib.loads(text)


# --- where a camera's pictures come from ---


def camera_of(lines: str) -> config.Camera:
    return config.parse(f"[[cameras]]\nid = 'yard'\n{lines}").cameras[0]


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ('url = "http://x/stream"', "mjpeg"),
        ('url = "https://x/stream"', "mjpeg"),
        ('url = "rtsp://x:8554/h264"', "rtsp"),
        ('url = "RTSPS://x/h264"', "rtsp"),
        ('url = "v4l2:///dev/video0"', "v4l2"),
        ('url = "v4l2:///dev/v4l/by-id/usb-046d_C270-video-index0"', "v4l2"),
        ('snapshot = "http://x/capture"', "snapshot"),
        ('video = "clips/yard.mp4"', "video"),
    ],
)
def test_a_camera_is_of_the_kind_that_its_address_says(lines: str, kind: str) -> None:
    camera = camera_of(lines)
    assert camera.kind == kind
    assert camera.address in lines


def test_a_camera_has_one_place_that_its_pictures_come_from() -> None:
    assert refusal("[[cameras]]\nid = 'yard'\nurl = 'http://x/'\nsnapshot = 'http://x/'\nvideo = 'x'") == (
        "cameras[0]: found url and snapshot and video; give one of url, snapshot, video and push"
    )


@pytest.mark.parametrize("url", ["v4l2:///etc/passwd", "v4l2:///dev/../etc/passwd", "v4l2://x/dev/video0", "v4l2:0"])
def test_a_device_is_one_of_this_machine_s_devices(url: str) -> None:
    assert refusal(f"[[cameras]]\nid = 'yard'\nurl = '{url}'") == (
        f'cameras[0].url: found "{url}"; allowed is v4l2:///dev/video0 or its like'
    )


@pytest.mark.parametrize("lines", ['url = "v4l2:///dev/video0"', 'video = "clip.mp4"'])
def test_a_user_name_that_nobody_asks_for_is_refused(lines: str) -> None:
    sentence = refusal(f"[[cameras]]\nid = 'yard'\n{lines}\nusername = 'me'\npassword = {{env = 'HOME'}}")
    assert sentence.startswith("cameras[0].username: found one; nobody asks for it")


def test_credentials_in_an_rtsp_address_are_refused_and_not_repeated() -> None:
    for key, scheme in (("url", "rtsp"), ("snapshot", "http")):
        sentence = refusal(f"[[cameras]]\nid = 'yard'\n{key} = '{scheme}://admin:{SECRET}@192.168.1.9/h264'")
        assert sentence.startswith(f"cameras[0].{key}: found credentials in the address; allowed is ")
        assert SECRET not in sentence


def test_an_rtsp_camera_at_gatekeeper_s_own_port_is_refused() -> None:
    listen = 'listen = "tcp:554:interface=127.0.0.1"\n'
    sentence = refusal(f"{listen}[[cameras]]\nid = 'yard'\nurl = 'rtsp://localhost/h264'")
    assert sentence == "cameras[0].url: port 554 of this machine is gatekeeper's own port, see listen"
