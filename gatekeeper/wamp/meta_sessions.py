"""The session meta API: who is here, who comes and goes, sending sessions away, and what they leave behind.

    wamp.session.count, list                [authroles?]                        the number, the IDs
    wamp.session.get                        [session]                           who it is
    wamp.session.kill                       [session] reason?, message?
    wamp.session.kill_by_authid             [authid] reason?, message?          the IDs
    wamp.session.kill_by_authrole, kill_all [authrole], [] reason?, message?    the number
    wamp.session.add_testament              [topic, args, kwargs] publish_options?, scope?
    wamp.session.flush_testaments           [] scope?

    wamp.session.on_join [details]          wamp.session.on_leave [session, authid, authrole]

Nobody sends away itself, nor the embedding program's own trusted sessions.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from gatekeeper.wamp.codecs import CBOR
from gatekeeper.wamp.errors import (
    INVALID_ARGUMENT,
    KILLED,
    NO_SUCH_SESSION,
    UNAVAILABLE,
    CodecError,
    ProtocolViolation,
    WampError,
)
from gatekeeper.wamp.members import Member
from gatekeeper.wamp.messages import PUBLISH, check
from gatekeeper.wamp.meta import Arguments, Procedure, Result
from gatekeeper.wamp.permission import Verdict
from gatekeeper.wamp.testaments import Scope, Testament, Testaments

if TYPE_CHECKING:
    from gatekeeper.wamp.router import Router


class SessionMeta:
    """The procedures; each answers one call."""

    def __init__(self, router: "Router") -> None:
        self._router = router

    def procedures(self) -> dict[str, Procedure]:
        """Return them by name."""
        return {
            "wamp.session.count": lambda _, about: len(self._listed(about)),
            "wamp.session.list": lambda _, about: [member.id for member in self._listed(about)],
            "wamp.session.get": lambda _, about: session_details(self._session(about)),
            "wamp.session.kill": self._kill,
            "wamp.session.kill_by_authid": self._kill_by_authid,
            "wamp.session.kill_by_authrole": self._kill_by_authrole,
            "wamp.session.kill_all": self._kill_all,
            "wamp.session.add_testament": self._add_testament,
            "wamp.session.flush_testaments": self._flush_testaments,
        }

    def _listed(self, about: Arguments) -> list[Member]:
        roles = about.texts(0)
        return [member for member in self._router.members() if roles is None or member.identity.authrole in roles]

    def _session(self, about: Arguments) -> Member:
        member = self._router.member(about.id(0))
        if member is None:
            raise WampError(NO_SUCH_SESSION, "there is no session with this ID")
        return member

    def _kill(self, caller: Member, about: Arguments) -> Result:
        member, farewell = self._session(about), self._farewell(about)
        if member is caller or member.trusted:
            raise WampError(NO_SUCH_SESSION, "there is no other session with this ID that could be ended")
        member.leave_for(*farewell)
        return Result()

    def _kill_by_authid(self, caller: Member, about: Arguments) -> list[int]:
        authid = about.text(0)
        return self._end(caller, about, lambda member: member.identity.authid == authid)

    def _kill_by_authrole(self, caller: Member, about: Arguments) -> int:
        authrole = about.text(0)
        return len(self._end(caller, about, lambda member: member.identity.authrole == authrole))

    def _kill_all(self, caller: Member, about: Arguments) -> int:
        with self._router.broker.silence():
            return len(self._end(caller, about, lambda _: True))

    def _end(self, caller: Member, about: Arguments, is_meant: Callable[[Member], bool]) -> list[int]:
        farewell = self._farewell(about)
        meant: Iterable[Member] = [
            member
            for member in self._router.members()
            if member is not caller and not member.trusted and is_meant(member)
        ]
        ended = []
        for member in meant:
            if self._router.has(member):  # else a local session left because of one before it
                ended.append(member.id)
                member.leave_for(*farewell)
        return ended

    def _farewell(self, about: Arguments) -> tuple[str, str]:
        return about.uri("reason", self._router.is_uri, KILLED), about.named("message", str, "")

    def _add_testament(self, caller: Member, about: Arguments) -> Any:
        args, kwargs = about.args[1:2] or [[]], about.args[2:3] or [{}]
        try:
            options = about.named("publish_options", dict, {})
            message = check([PUBLISH, 1, options, about.text(0), args[0] or [], kwargs[0] or {}])
            size = len(CBOR.encode(message))
        except (ProtocolViolation, CodecError) as error:
            raise WampError(INVALID_ARGUMENT, str(error)) from error
        scope = _scope(about)

        def keep(verdict: Verdict) -> Result:
            self._router.broker.check_terms(caller, options, verdict)
            caller.testaments = caller.testaments or Testaments()
            if not caller.testaments.add(scope, Testament(message[3], options, message[4:], verdict, size)):
                raise WampError(UNAVAILABLE, "this session has left too much behind already")
            return Result()

        return self._router.permission.check_later(caller, "publish", message[3], keep)

    def _flush_testaments(self, caller: Member, about: Arguments) -> Result:
        if caller.testaments is not None:
            caller.testaments.of(_scope(about)).clear()
        return Result()


def session_details(member: Member) -> dict[str, Any]:
    """Return what the meta API tells of a session."""
    who = member.identity
    return {
        "session": member.id,
        "authid": who.authid,
        "authrole": who.authrole,
        "authmethod": who.authmethod,
        "authprovider": who.authprovider,
    }


def _scope(about: Arguments) -> Scope:
    scope = about.named("scope", str, "destroyed")
    if scope not in ("detached", "destroyed"):
        raise WampError(INVALID_ARGUMENT, "scope is detached or destroyed")
    return cast(Scope, scope)
