"""Tokens: what is signed, what is taken for it, and the keys' life; refresh tokens and API keys as texts."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.access.sealing import Seal
from gatekeeper.access.tokens import KEY_LIFE, LONGEST_TOKEN, TRY_AGAIN, Claims, Tokens, digest, new_secret, parse_key
from gatekeeper.storage import token_keys
from tests.access.people import result
from tests.databases import InlineDatabase

NOW = 1_800_000_000.0
LIFE = 900.0
SEAL = Seal(b"k" * 32)


def made(database: InlineDatabase, now: float = NOW, seal: Seal = SEAL) -> Tokens:
    """Return tokens as a start makes them."""
    tokens = Tokens(seal, LIFE, database.write, now)
    tokens.load(result(database.read(token_keys.load)))
    result(tokens.rotate(now))
    return tokens


@pytest.fixture
def database() -> InlineDatabase:
    return InlineDatabase()


@pytest.fixture
def tokens(database: InlineDatabase) -> Tokens:
    return made(database)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, unchecked."""
    header, claims, _ = token.split(".")
    return json.loads(base64.urlsafe_b64decode(header + "==")), json.loads(base64.urlsafe_b64decode(claims + "=="))


def signed(header: dict[str, Any], claims: dict[str, Any], key: bytes, method: str = "sha256") -> str:
    """Sign a token by hand."""
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))
    mark = base64.urlsafe_b64encode(hmac.digest(key, text, method)).rstrip(b"=") if key else b""
    return (text + b"." + mark).decode()


# --- JWT ---


def test_a_token_says_whose_it_is_and_until_when(tokens: Tokens) -> None:
    token = tokens.issue("ana", "l1", NOW)
    header, claims = parts(token)
    assert header == {"alg": "HS256", "typ": "JWT", "kid": tokens._signs_with.id}
    assert {**claims, "jti": ""} == {
        "iss": "gatekeeper", "sub": "ana", "sid": "l1", "iat": NOW, "exp": NOW + LIFE, "jti": "",
    }  # fmt: skip
    assert tokens.read(token, NOW) == Claims("ana", "l1", NOW + LIFE)
    assert tokens.read(token, NOW + LIFE - 1) is not None
    assert tokens.read(token, NOW + LIFE) is None
    assert parts(tokens.issue("ana", "l1", NOW))[1]["jti"] != claims["jti"]


def test_what_another_key_signed_is_worth_nothing(tokens: Tokens) -> None:
    header, claims = parts(tokens.issue("ana", "l1", NOW))
    assert tokens.read(signed(header, claims, b"o" * 32), NOW) is None
    assert tokens.read(made(InlineDatabase()).issue("ana", "l1", NOW), NOW) is None


@pytest.mark.parametrize("algorithm", ["none", "None", "HS384", "HS512", "RS256", "hs256", ""])
def test_the_header_does_not_choose_the_algorithm(tokens: Tokens, algorithm: str) -> None:
    header, claims = parts(tokens.issue("ana", "l1", NOW))
    key = tokens._signs_with.secret
    method = {"HS384": "sha384", "HS512": "sha512"}.get(algorithm, "sha256")
    assert tokens.read(signed(header, claims, key), NOW) is not None
    assert tokens.read(signed({**header, "alg": algorithm}, claims, key, method), NOW) is None
    assert tokens.read(signed({**header, "alg": algorithm}, claims, b""), NOW) is None


@pytest.mark.parametrize("kid", [None, "", "unknown", 5, ["x"], {"x": 1}, True])
def test_a_key_that_is_not_known_reads_nothing(tokens: Tokens, kid: Any) -> None:
    header, claims = parts(tokens.issue("ana", "l1", NOW))
    assert tokens.read(signed({**header, "kid": kid}, claims, tokens._signs_with.secret), NOW) is None


@pytest.mark.parametrize("claim", ["iss", "sub", "sid", "iat", "exp", "jti"])
@pytest.mark.parametrize("value", [None, "", 0, -1, 1.5, True, [], {}, "other", 10**30])
def test_a_claim_that_is_missing_or_odd_reads_nothing_and_fails_nowhere(tokens: Tokens, claim: str, value: Any) -> None:
    header, claims = parts(tokens.issue("ana", "l1", NOW))
    key = tokens._signs_with.secret
    found = tokens.read(signed(header, {**claims, claim: value}, key), NOW)
    without = {name: was for name, was in claims.items() if name != claim}
    assert tokens.read(signed(header, without, key), NOW) is None
    assert found is None or (isinstance(found.name, str) and isinstance(found.login, str))
    if claim in ("iss", "exp") and value != 10**30:
        assert found is None


ONE = made(InlineDatabase())


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}"))
def test_what_was_made_up_reads_nothing(text: str) -> None:
    assert ONE.read(text, NOW) is None


def test_what_is_too_long_is_not_looked_at(tokens: Tokens) -> None:
    header, claims = parts(tokens.issue("ana", "l1", NOW))
    token = signed({**header, "x": "y" * LONGEST_TOKEN}, claims, tokens._signs_with.secret)
    assert jwt.decode(token, tokens._signs_with.secret, algorithms=["HS256"], options={"verify_iat": False})
    assert tokens.read(token, NOW) is None
    assert tokens.read("[" * 100_000 + "..", NOW) is None


def test_every_bit_of_a_token_counts(tokens: Tokens) -> None:
    token = tokens.issue("ana", "l1", NOW)
    for place, letter in enumerate(token[:-1]):  # the last character's low bits are padding
        assert tokens.read(token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :], NOW) is None


# --- the keys ---


def test_a_restart_reads_what_was_signed_before(database: InlineDatabase) -> None:
    token = made(database).issue("ana", "l1", NOW)
    again = made(database, NOW + 60)
    assert again.read(token, NOW + 60) is not None
    assert again.issue("ana", "l1", NOW + 60) != token
    assert len(result(database.read(token_keys.load))) == 1


def test_a_key_is_replaced_after_a_week_and_its_tokens_run_out(database: InlineDatabase) -> None:
    tokens = made(database)
    first = tokens._signs_with.id
    result(tokens.rotate(NOW + KEY_LIFE - 1))
    assert tokens._signs_with.id == first
    before = tokens.issue("ana", "l1", NOW + KEY_LIFE - 1)
    result(tokens.rotate(NOW + KEY_LIFE))
    after = tokens.issue("ana", "l1", NOW + KEY_LIFE)
    assert parts(after)[0]["kid"] != first
    for reader in (tokens, made(database, NOW + KEY_LIFE)):
        assert reader.read(before, NOW + KEY_LIFE + LIFE - 2) is not None
        assert reader.read(after, NOW + KEY_LIFE) is not None


def test_a_retired_key_reads_nothing_that_it_signed_for_longer(database: InlineDatabase) -> None:
    tokens = made(database)
    header, claims = parts(tokens.issue("ana", "l1", NOW))
    lasting = signed(header, {**claims, "exp": int(NOW) + 10**8}, tokens._signs_with.secret)
    result(tokens.rotate(NOW + KEY_LIFE))
    end = NOW + KEY_LIFE + LIFE
    for reader in (tokens, made(database, NOW + KEY_LIFE)):
        assert reader.read(lasting, end - 1) is not None
        assert reader.read(lasting, end) is None


def test_keys_whose_tokens_ran_out_leave_the_database_and_the_memory(database: InlineDatabase) -> None:
    tokens = made(database)
    for week in range(1, 6):
        result(tokens.rotate(NOW + week * KEY_LIFE))
    assert len(result(database.read(token_keys.load))) == 2
    assert len(tokens._keys) == 2


def test_the_database_holds_no_key_in_the_clear(database: InlineDatabase) -> None:
    tokens = made(database)
    [row] = result(database.read(token_keys.load))
    assert tokens._signs_with.secret not in row.secret
    assert SEAL.unseal(f"token key {row.id}", row.secret) == tokens._signs_with.secret


def test_with_another_key_file_old_tokens_are_worth_nothing_and_new_ones_are_made(database: InlineDatabase) -> None:
    token = made(database).issue("ana", "l1", NOW)
    other = made(database, NOW, Seal(b"o" * 32))
    assert other.read(token, NOW) is None
    assert other.read(other.issue("ana", "l1", NOW), NOW) is not None
    assert made(database, NOW, Seal(b"o" * 32)).read(other.issue("ana", "l1", NOW), NOW) is not None


def test_while_nothing_can_be_stored_tokens_are_made_all_the_same_and_the_key_is_stored_later(
    database: InlineDatabase,
) -> None:
    database.fail("disk full")
    tokens = made(database)
    token = tokens.issue("ana", "l1", NOW)
    assert tokens.read(token, NOW) is not None
    database.fail(None)
    result(tokens.rotate(NOW + TRY_AGAIN - 1))
    assert result(database.read(token_keys.load)) == []
    result(tokens.rotate(NOW + TRY_AGAIN))
    assert len(result(database.read(token_keys.load))) == 1
    assert tokens.read(token, NOW + TRY_AGAIN) is not None
    assert tokens.read(token, NOW + LIFE - 1) is not None


# --- refresh tokens ---


def test_a_refresh_token_tells_its_log_in_also_after_a_restart(database: InlineDatabase) -> None:
    refresh = made(database).new_refresh("l1")
    assert made(database, NOW + 60).read_refresh(refresh) == "l1"
    assert refresh != made(database).new_refresh("l1")


def test_a_refresh_token_that_was_made_up_is_nobodys(tokens: Tokens) -> None:
    refresh = tokens.new_refresh("l1")
    for made_up in (
        "", "gr_", refresh[:-1], refresh + "0", refresh.replace("l1", "l2"), refresh.upper(), f" {refresh}",
        refresh[:-1] + ("0" if refresh[-1] != "0" else "1"), f"{refresh}\n",
        f"gr_l1_{new_secret().replace('_', '-')}_{'0' * 32}",
    ):  # fmt: skip
        assert tokens.read_refresh(made_up) is None
    assert made(InlineDatabase(), NOW, Seal(b"o" * 32)).read_refresh(refresh) is None


def test_no_two_refresh_tokens_share_the_marks_key_with_what_signs(tokens: Tokens) -> None:
    _, _, secret, mark = tokens.new_refresh("l1").split("_")
    assert mark != hmac.digest(tokens._signs_with.secret, f"l1_{secret}".encode(), hashlib.sha256).hex()[:32]


# --- API keys and secrets as texts ---


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gk_abc_secret", ("abc", "secret")),
        ("gk_abc_se_cr_et-", ("abc", "se_cr_et-")),
        ("gk_abc_\udcff", ("abc", "\udcff")),
        ("gk_abc_", None),
        ("gk__secret", None),
        ("gk_abc", None),
        ("GK_abc_secret", None),
        (" gk_abc_secret", None),
        ("gk_" + "a" * 65 + "_secret", None),
        ("", None),
    ],
)
def test_an_api_key_is_an_id_and_a_secret(text: str, found: tuple[str, str] | None) -> None:
    assert parse_key(text) == found


def test_secrets_have_256_bits_and_their_digests_tell_nothing() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert all(len(base64.urlsafe_b64decode(new_secret() + "=")) == 32 for _ in range(10))
    assert digest("x") == hashlib.sha256(b"x").digest()
    assert len(digest("\udcff")) == 32
