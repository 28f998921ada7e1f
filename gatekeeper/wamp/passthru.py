"""Payload passthru mode: options that say how a payload is encoded or encrypted go through untouched.

    ppt_scheme  ppt_serializer  ppt_cipher  ppt_keyid

Who sends them without having announced the feature breaks the protocol.
"""

from typing import Any

from gatekeeper.wamp.errors import ProtocolViolation
from gatekeeper.wamp.members import Member

OPTIONS = ("ppt_scheme", "ppt_serializer", "ppt_cipher", "ppt_keyid")


def passed_through(options: dict[str, Any], member: Member, announced: int) -> dict[str, Any]:
    """Return those of the options that go on with the payload; none unless there is a scheme.

    :param announced: the bit that the sender's features must have.
    :raises ProtocolViolation: if the sender never announced the mode.
    """
    if not options.get("ppt_scheme"):
        return {}
    if not member.features & announced:
        raise ProtocolViolation("payload passthru mode, which HELLO didn't announce")
    return {name: options[name] for name in OPTIONS if name in options}
