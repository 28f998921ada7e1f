"""What the record tells of a changed configuration: which parts, and nothing of their values."""

from gatekeeper import config
from gatekeeper.changes import differences, fingerprints, told

TOML = """
[[cameras]]
id = "yard"
url = "http://192.168.137.20/stream?pwd=planted-secret"
[[doors]]
id = "front"
url = "ws://192.168.137.21/ws"
"""
KEY = b"k" * 32


def prints(text: str, key: bytes = KEY) -> dict[str, str]:
    return fingerprints(config.parse(text), key)


def test_the_same_configuration_is_the_same() -> None:
    assert differences(prints(TOML), prints("# a comment\n" + TOML)) == {}


def test_each_part_is_told_by_its_name() -> None:
    other = TOML.replace("pwd=planted-secret", "pwd=other").replace('id = "front"', 'id = "back"')
    found = differences(prints(TOML), prints('listen = "tcp:9000"\n' + other))
    assert found == {"added": ["doors.back"], "removed": ["doors.front"], "changed": ["cameras.yard", "listen"]}
    assert told(found) == (
        "the configuration was changed: added doors.back; removed doors.front; changed cameras.yard, listen"
    )


def test_nothing_of_a_value_can_be_read_or_compared_without_the_key() -> None:
    assert "planted" not in str(prints(TOML))
    assert all(len(digest) == 12 for digest in prints(TOML).values())
    assert set(prints(TOML).values()).isdisjoint(prints(TOML, b"o" * 32).values())
