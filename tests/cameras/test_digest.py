"""RFC 7616's and RFC 2617's own examples, and what cameras send instead."""

import re

import pytest
from twisted.cred.credentials import DigestCredentialFactory
from werkzeug.datastructures import WWWAuthenticate

from gatekeeper.cameras.digest import Digest, challenges

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def field(authorization: str, name: str) -> str:
    found = re.search(rf'\b{name}="?([^",]*)', authorization)
    assert found
    return found[1]


def challenge(header: str) -> WWWAuthenticate:
    (found,) = challenges([header])
    return found


def digest(header: str) -> Digest:
    found = Digest.of(challenge(header))
    assert found is not None
    return found


# RFC 7616, section 3.9.1
@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    it = digest(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="{NONCE}", '
        f'opaque="{OPAQUE}"'
    )
    value = it.authorization("Mufasa", "Circle of Life", "GET", "/dir/index.html", CNONCE)
    assert field(value, "response") == response
    assert field(value, "nc") == "00000001"
    assert field(value, "qop") == "auth"
    assert field(value, "opaque") == OPAQUE
    assert field(value, "algorithm") == algorithm


def test_the_example_of_rfc_2617() -> None:
    it = digest(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    value = it.authorization("Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b")
    assert field(value, "response") == "6629fae49393a05397450978507c4ef1"


def test_without_qop_it_is_rfc_2069s() -> None:
    """The RFC's example, as its erratum 749 corrects it."""
    it = digest('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')
    value = it.authorization("Mufasa", "CircleOfLife", "GET", "/dir/index.html", "unused")
    assert field(value, "response") == "1949323746fe6a43ef61f9606e7febea"
    assert "nc=" not in value
    assert "cnonce" not in value


def test_a_session_hashes_nonce_and_cnonce_into_the_secret() -> None:
    from hashlib import md5

    def h(text: str) -> str:
        return md5(text.encode()).hexdigest()  # noqa: S324 - the protocol's

    it = digest('Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess')
    value = it.authorization("u", "p", "GET", "/stream", "c")
    assert field(value, "response") == h(f"{h(h('u:r:p') + ':n:c')}:n:00000001:c:auth:{h('GET:/stream')}")
    assert field(value, "algorithm") == "MD5-sess"


def test_twisteds_own_server_half_accepts_it() -> None:
    server = DigestCredentialFactory(b"md5", b"camera")
    offered = server.getChallenge(b"10.0.0.1")
    it = digest("Digest " + ", ".join(f'{name}="{value.decode()}"' for name, value in offered.items()))
    for count in range(1, 4):
        value = it.authorization("admin", "pass", "GET", "/stream?x=1", "abc")
        assert field(value, "nc") == f"{count:08x}"
        credentials = server.decode(value.removeprefix("Digest ").encode(), b"GET", b"10.0.0.1")
        assert credentials.checkPassword(b"pass")
        assert not credentials.checkPassword(b"other")


def test_each_answer_counts() -> None:
    it = digest('Digest realm="r", nonce="n", qop="auth"')
    assert [field(it.authorization("u", "p", "GET", "/", "c"), "nc") for _ in range(3)] == [
        "00000001",
        "00000002",
        "00000003",
    ]


def test_quotes_in_a_name_are_escaped() -> None:
    it = digest('Digest realm="a \\"b\\"", nonce="n"')
    value = it.authorization('u"s\\er', "p", "GET", "/", "c")
    assert 'username="u\\"s\\\\er"' in value
    assert 'realm="a \\"b\\""' in value


def test_several_challenges_in_one_header_or_in_several() -> None:
    joined = 'Basic realm="a, b", Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
    assert [it.type for it in challenges([joined])] == ["basic", "digest"]
    assert [it.type for it in challenges(['Digest realm="r", nonce="n"', 'Basic realm="r"'])] == ["digest", "basic"]


@pytest.mark.parametrize(
    "header",
    [
        'Basic realm="r"',
        'Digest realm="r"',
        'Digest realm="r", nonce="n", algorithm=SHA-512-256',
        'Digest realm="r", nonce="n", qop="auth-int"',
        "Bearer abc",
    ],
)
def test_what_can_not_be_answered_is_none(header: str) -> None:
    assert all(Digest.of(it) is None for it in challenges([header]))
