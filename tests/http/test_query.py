"""What stands behind the question mark: taken strictly."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta
from twisted.web.http import parse_qs
from twisted.web.server import Request
from twisted.web.test.requesthelper import DummyChannel

from gatekeeper.errors import InvalidArgument
from gatekeeper.http.query import query_of


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    after: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    since: float | None = None
    kind: Annotated[str, Meta(max_length=5)] | None = None
    order: Literal["newest", "oldest"] = "newest"


def asked(query: bytes) -> Wanted:
    request = Request(DummyChannel())
    request.args = parse_qs(query, keep_blank_values=True)
    return query_of(request, Wanted)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (b"", {}),
        (b"after=0", {"after": 0}),
        (b"after=7&order=oldest", {"after": 7, "order": "oldest"}),
        (b"since=1700000000.25", {"since": 1_700_000_000.25}),
        (b"kind=", {"kind": ""}),
        (b"kind=null", {"kind": "null"}),
        (b"kind=%C3%A9+%26", {"kind": "é &"}),
    ],
)
def test_a_query_is_a_struct(query: bytes, wanted: dict[str, Any]) -> None:
    assert asked(query) == Wanted(**wanted)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (b"after=-1", "after: found"),
        (b"after=x", 'after: found "x"; allowed: a whole number'),
        (b"after=", "after: found"),
        (b"after=null", 'after: found "null"; allowed: a number'),
        (b"after=1.5", "after: found"),
        (b"after=99999999999999999999999999", "after: found"),
        (b"since=nan", "since: found"),
        (b"since=inf", 'since: found "inf"; allowed: a number'),
        (b"since=-Infinity", "since: found"),
        (b"since=1e999", "since: found"),
        (b"kind=toolong", "kind: found"),
        (b"kind=a%00b", "zero byte"),
        (b"kind=%ff", "not UTF-8"),
        (b"%ff=1", "not UTF-8"),
        (b"kind=a&kind=b", '"kind": given 2 times; allowed: once'),
        (b"order=upwards", 'order: found "upwards"; allowed: one of newest, oldest'),
        (b"sort=1", "sort: no such parameter"),
        (b"afer=1", 'did you mean "after"?'),
        (b"=1", "no such parameter"),
    ],
)
def test_a_wrong_query_is_named(query: bytes, why: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        asked(query)
    assert why in str(caught.value)
