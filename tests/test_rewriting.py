"""A configuration file is rewritten: what nobody asked to change stays, byte for byte."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import ConfigurationError
from gatekeeper.rewriting import added, changed, removed

FILE = '''\
# The shop.
listen = "tcp:8000"     # loopback is elsewhere
motto = """
[[cameras]]
is what a camera's header looks like"""

# Yard: mind the dog.
[[cameras]]
id   = "yard"           # aligned
url  = "http://10.0.0.1/"
doors = [
  "front",  # the only one
]

[cameras.push]  # odd, but it happens
path = "/s3"

# The hall.
[[ cameras ]]
url = 'http://10.0.0.2/'
id = "hall"

# Locks.
[[doors]]
id = "front"
url = "ws://10.0.0.3/"
'''


def test_a_camera_is_added_at_the_end_and_nothing_else_changes() -> None:
    text = added(FILE, {"id": "attic", "url": 'http://a/?q="x"', "push": {"path": "/p"}, "doors": ["front"]})
    assert text.startswith(FILE)
    assert text[len(FILE) :] == (
        '\n[[cameras]]\nid = "attic"\nurl = "http://a/?q=\\"x\\""\npush = {path = "/p"}\ndoors = ["front"]\n'
    )


def test_the_first_camera_of_a_file_without_any_or_without_a_last_line_break() -> None:
    assert added("", {"id": "a", "url": "x"}) == '[[cameras]]\nid = "a"\nurl = "x"\n'
    assert added('name = "shop"', {"id": "a"}) == 'name = "shop"\n\n[[cameras]]\nid = "a"\n'
    assert added('name = "shop"\r\n', {"id": "a"}) == 'name = "shop"\r\n\r\n[[cameras]]\r\nid = "a"\r\n'


def test_a_value_is_changed_where_it_stands_with_its_comment() -> None:
    text = changed(FILE, "hall", {"url": "http://10.0.0.9/", "name": "The hall"})
    assert text == FILE.replace(
        "url = 'http://10.0.0.2/'\nid = \"hall\"\n",
        'url = "http://10.0.0.9/"\nid = "hall"\nname = "The hall"\n',
    )
    text = changed(FILE, "yard", {"url": None, "id": "yard"})
    assert text == FILE.replace('url  = "http://10.0.0.1/"\n', "")
    assert "# aligned" in text


def test_a_table_of_a_camera_is_changed_as_a_whole() -> None:
    text = changed(FILE, "yard", {"push": {"device": "x"}})
    assert "[cameras.push]" not in text
    assert 'push = {device = "x"}' in text
    assert "# The hall.\n[[ cameras ]]" in text


def test_a_camera_is_removed_with_its_tables_and_without_the_comments_around_it() -> None:
    text = removed(FILE, "yard")
    assert "[cameras.push]" not in text
    assert text.count("# Yard: mind the dog.") == text.count("# The hall.\n[[ cameras ]]") == 1
    assert [one["id"] for one in tomllib.loads(text)["cameras"]] == ["hall"]
    last = removed(text, "hall")
    assert "cameras" not in tomllib.loads(last)
    assert "# Locks.\n[[doors]]" in last


@pytest.mark.parametrize("file", ['cameras = [{id = "a", url = "x"}]\n', 'cameras = [{id = "a"}, {id = "b"}]\n[x]\n'])
def test_a_file_of_another_form_is_left_to_people(file: str) -> None:
    for rewrite in (
        lambda: added(file, {"id": "c"}),
        lambda: changed(file, "a", {"url": "y"}),
        lambda: removed(file, "a"),
    ):
        with pytest.raises(ConfigurationError, match="change it by hand"):
            rewrite()


ids = st.sampled_from(["a", "b", "c", "d"])
comments = st.sampled_from(["", "\n", "# note\n", "\n# [[cameras]]\n", "\n\n# a\n# b\n\n"])
values = st.one_of(st.text(max_size=12), st.integers(-5, 5), st.booleans(), st.lists(st.text(max_size=3), max_size=2))


@given(st.lists(st.tuples(ids, comments, values), unique_by=lambda one: one[0], min_size=1), values, comments)
def test_whatever_a_file_says_it_says_the_same_of_all_else_afterwards(
    cameras: list[tuple[str, str, Any]], value: Any, tail: str
) -> None:
    text = tail
    for name, comment, held in cameras:
        text = added(text, {"id": name, "held": held}) + comment
    victim = cameras[0][0]
    notes = text.count("# ")
    set_ = changed(text, victim, {"held": value, "new": value})
    assert [one for one in tomllib.loads(set_)["cameras"] if one["id"] == victim] == [
        {"id": victim, "held": value, "new": value}
    ]
    rest = tomllib.loads(removed(text, victim)).get("cameras", [])
    assert rest == [{"id": name, "held": held} for name, _, held in cameras[1:]]
    assert removed(text, victim).count("# note") == text.count("# note")
    assert notes >= 0
