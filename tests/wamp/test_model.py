"""Broker and dealer against a model that is simple enough to be read: who is due which event, one answer per CALL."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from twisted.internet.task import Clock

from gatekeeper.wamp.messages import Message
from gatekeeper.wamp.patterns import matches
from gatekeeper.wamp.router import Router
from gatekeeper.wamp.uris import Match
from tests.wamp.advanced import able, plain
from tests.wamp.helpers import EVERY_CODEC, Client, open_router

SESSIONS = 4
people = st.integers(0, SESSIONS - 1)
uris = st.sampled_from(["a.b", "a.b.c", "a.bc", "x.b.c"])
patterns = st.sampled_from(
    [("exact", "a.b"), ("exact", "x.b.c"), ("prefix", "a.b"), ("prefix", "a"), ("wildcard", "a."), ("wildcard", ".b.c")]
)
invokes = st.sampled_from(["single", "first", "last", "roundrobin", "random"])


class Realm(RuleBasedStateMachine):
    """Four sessions, of which two announce every feature and two none."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.router: Router = open_router(clock=self.clock)
        self.request = 0
        self.open: list[dict[int, bool]] = []  # of each session: its calls, and whether it goes on sending
        self.held: list[dict[tuple[Match, str], int]] = []
        self.offered: list[set[int]] = []
        self.asked: list[dict[int, bool]] = []  # of each session: the invocations to answer, and whether in parts
        self.clients: list[Client] = []

    @initialize()
    def begin(self) -> None:
        for place in range(SESSIONS):
            self.clients.append(self._client(place))
            self.open.append({})
            self.held.append({})
            self.offered.append(set())
            self.asked.append({})

    def _client(self, place: int) -> Client:
        make = able if place % 2 else plain
        return make(self.router, EVERY_CODEC[place % len(EVERY_CODEC)], authid=f"person{place}")

    def _say(self, who: int, *message: Any) -> list[Message]:
        """Say something, note what everybody gets of calls, and return the replies to the one who spoke."""
        replies = self._note(who, self.clients[who].say(*message))
        for place, client in enumerate(self.clients):
            replies += self._note(place, client.take()) if place != who else []
        return replies

    def _note(self, who: int, messages: list[Message]) -> list[Message]:
        rest = []
        for message in messages:
            kind = message[0]
            if kind == 68:
                self.asked[who][message[1]] = bool(message[3].get("receive_progress"))
            elif kind == 69:
                if message[2]["mode"] == "killnowait":
                    self.asked[who].pop(message[1], None)
            elif kind == 50 or (kind == 8 and message[1] == 48):
                request = message[1] if kind == 50 else message[2]
                assert request in self.open[who], "an answer to a call that isn't open"
                if not (kind == 50 and message[2].get("progress")):
                    del self.open[who][request]
            else:
                rest.append(message)
        return rest

    def _next(self) -> int:
        self.request += 1
        return self.request

    @rule(who=people, pattern=patterns)
    def subscribe(self, who: int, pattern: tuple[Match, str]) -> None:
        (reply,) = self._say(who, 32, self._next(), {"match": pattern[0]}, pattern[1])
        assert reply[0] == 33
        assert self.held[who].setdefault(pattern, reply[2]) == reply[2]

    @rule(who=people, pattern=patterns)
    def unsubscribe(self, who: int, pattern: tuple[Match, str]) -> None:
        (reply,) = self._say(who, 34, self._next(), self.held[who].pop(pattern, 999))
        assert reply[0] in (35, 8)

    @rule(who=people, topic=uris, chosen=st.sets(people), excludes=st.booleans(), listed=st.booleans())
    def publish(self, who: int, topic: str, chosen: set[int], excludes: bool, listed: bool) -> None:
        ids = [self.clients[place].session.id for place in sorted(chosen)]
        options = {"exclude" if excludes else "eligible": ids} if listed else {}
        self.clients[who].say(16, self._next(), options, topic, ["event"])
        for place, client in enumerate(self.clients):
            due = place != who and (not listed or (place in chosen) != excludes)
            subscriptions = [number for (match, uri), number in self.held[place].items() if matches(match, uri, topic)]
            got = [message[1] for message in client.take()]
            assert sorted(got) == (sorted(subscriptions) if due else [])

    @rule(who=people, pattern=patterns, invoke=invokes)
    def register(self, who: int, pattern: tuple[Match, str], invoke: str) -> None:
        (reply,) = self._say(who, 64, self._next(), {"match": pattern[0], "invoke": invoke}, pattern[1])
        if reply[0] == 65:
            self.offered[who].add(reply[2])
        else:
            assert reply[4] == "wamp.error.procedure_already_exists"

    @rule(who=people, data=st.data())
    def unregister(self, who: int, data: st.DataObject) -> None:
        if self.offered[who]:
            number = data.draw(st.sampled_from(sorted(self.offered[who])))
            self.offered[who].discard(number)
            assert [reply[0] for reply in self._say(who, 66, self._next(), number)] == [67]

    @rule(who=people, procedure=uris, parts=st.booleans(), receives=st.booleans(), timeout=st.sampled_from([0, 50]))
    def call(self, who: int, procedure: str, parts: bool, receives: bool, timeout: int) -> None:
        request = self._next()
        options: dict[str, Any] = {"receive_progress": receives, "timeout": timeout}
        if parts and who % 2:
            options["progress"] = True
        self.open[who][request] = bool(options.get("progress"))
        self._say(who, 48, request, options, procedure, [procedure])

    @rule(who=people, final=st.booleans(), data=st.data())
    def go_on(self, who: int, final: bool, data: st.DataObject) -> None:
        going = [request for request, is_open in self.open[who].items() if is_open]
        if going:
            request = data.draw(st.sampled_from(going))
            self.open[who][request] = not final
            procedure = self.clients[who].session.calls[request].procedure
            self._say(who, 48, request, {"progress": not final}, procedure)

    @rule(who=people, mode=st.sampled_from(["skip", "kill", "killnowait"]), data=st.data())
    def cancel(self, who: int, mode: str, data: st.DataObject) -> None:
        if self.open[who]:
            request = data.draw(st.sampled_from(sorted(self.open[who])))
            self._say(who, 49, request, {"mode": mode})
            assert mode == "kill" or request not in self.open[who]

    @rule(who=people, kind=st.sampled_from(["part", "result", "error"]), data=st.data())
    def answer(self, who: int, kind: str, data: st.DataObject) -> None:
        if not self.asked[who]:
            return
        number = data.draw(st.sampled_from(sorted(self.asked[who])))
        if kind == "part":
            if self.asked[who][number]:
                self._say(who, 70, number, {"progress": True}, ["part"])
            return
        del self.asked[who][number]
        self._say(who, *((70, number, {}, ["result"]) if kind == "result" else (8, 68, number, {}, "an.error")))

    @rule(seconds=st.sampled_from([0.01, 0.1]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for place, client in enumerate(self.clients):
            self._note(place, client.take())

    @rule(who=people, procedure=st.sampled_from(["session.count", "registration.list", "subscription.list"]))
    def ask(self, who: int, procedure: str) -> None:
        request = self._next()
        self.open[who][request] = False
        self._say(who, 48, request, {}, f"wamp.{procedure}")
        assert request not in self.open[who]

    @rule(who=people)
    def leave(self, who: int) -> None:
        self.clients[who].session.lost()
        for store in (self.open, self.held, self.asked):
            store[who].clear()
        self.offered[who].clear()
        for place, client in enumerate(self.clients):
            if place != who:
                self._note(place, client.take())
        self.clients[who] = self._client(who)

    @invariant()
    def the_books_agree(self) -> None:
        for place, client in enumerate(self.clients):
            assert not client.link.is_closed
            assert client.session.calls.keys() == self.open[place].keys()
            assert self.asked[place].keys() == client.session.invocations.keys()
        metrics = self.router.metrics()
        assert metrics.sessions_now == SESSIONS
        assert metrics.subscriptions_now == len({number for held in self.held for number in held.values()})
        assert metrics.registrations_now == len(set().union(*self.offered)) if self.offered else True


Realm.TestCase.settings = settings(deadline=None, max_examples=40, stateful_step_count=40)
TestRealm = Realm.TestCase
