"""Anonymous and ticket."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from gatekeeper.wamp.codecs import Codec
from gatekeeper.wamp.methods import (
    Anonymous,
    Chooser,
    Listed,
    Principal,
    Ticket,
)
from tests.wamp.authentication import METHODS, PRINCIPALS, TICKET, Door, assert_denied, every_codec, identity


@every_codec
def test_anonymous_gets_a_name_of_the_routers(codec: Codec) -> None:
    names = {identity(Door(Anonymous("guest"), codec).hello("anonymous", authid="admin")) for _ in range(3)}
    assert len(names) == 3
    assert {who[1:] for who in names} == {("guest", "anonymous", "static")}
    assert "admin" not in {who[0] for who in names}


def test_anonymous_is_off_unless_it_is_offered() -> None:
    assert Door(Chooser([Ticket(PRINCIPALS)])).hello("anonymous")[::2] == [3, "wamp.error.no_matching_auth_method"]
    assert Door(None).hello()[::2] == [3, "wamp.error.no_matching_auth_method"]


@pytest.mark.spec(TICKET, "CHALLENGE is empty, AUTHENTICATE carries the ticket, WELCOME tells who it is")
@every_codec
def test_the_right_ticket(codec: Codec) -> None:
    door = Door(METHODS["ticket"], codec)
    assert door.hello("ticket", authid="joe") == [4, "ticket", {}]
    assert identity(door.prove("secret")) == ("joe", "user", "ticket", "static")


@pytest.mark.spec(TICKET, "if the authentication fails, the answer is ABORT")
@pytest.mark.parametrize("ticket", ["", "Secret", "secret ", "secret\0", "\ud800", "s" * 10_000])
def test_a_wrong_ticket(ticket: str) -> None:
    door = Door(METHODS["ticket"])
    door.hello("ticket", authid="joe")
    assert_denied(door.prove(ticket))
    assert door.client.link.is_closed


@pytest.mark.spec(TICKET, "HELLO must name the authid")
@pytest.mark.parametrize("method", ["ticket", "wampcra", "wamp-scram"])
def test_without_a_name(method: str) -> None:
    answer = Door(METHODS[method]).hello(method, nonce="AAAA")
    assert answer[::2] == [3, "wamp.error.no_matching_auth_method"]


def test_a_ticket_may_be_checked_elsewhere_and_later() -> None:
    asked: Deferred[bool] = Deferred()
    store = Listed({"ticket": {"joe": Principal("joe", "user", lambda _ticket: asked)}})
    door = Door(Ticket(store))
    door.hello("ticket", authid="joe")
    assert door.client.say(5, "anything", {}) == []
    asked.callback(True)
    assert door.client.take()[0][0] == 2


@pytest.mark.parametrize("answer", [1, "yes", None])
def test_a_check_that_does_not_say_true_says_no(answer: Any) -> None:
    door = Door(Ticket(Listed({"ticket": {"joe": Principal("joe", "user", lambda _ticket: answer)}})))
    door.hello("ticket", authid="joe")
    assert_denied(door.prove("anything"))


def test_an_unknown_name_may_take_as_long_as_a_known_one() -> None:
    asked: Deferred[bool] = Deferred()
    door = Door(Ticket(Listed({}), decoy=lambda _ticket: asked))
    door.hello("ticket", authid="nobody")
    assert door.client.say(5, "anything", {}) == []
    asked.callback(True)
    assert_denied(door.client.take()[0])
