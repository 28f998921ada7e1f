"""The features of the Advanced Profile: what WELCOME announces, and what of a client's HELLO matters to the router.

A client's features are kept as bits: a session needs no more than one integer of them.
"""

from typing import Any

BROKER_FEATURES = (
    "event_history",
    "event_retention",
    "pattern_based_subscription",
    "payload_passthru_mode",
    "publisher_exclusion",
    "publisher_identification",
    "session_meta_api",
    "subscriber_blackwhite_listing",
    "subscription_meta_api",
    "subscription_revocation",
)

DEALER_FEATURES = (
    "call_canceling",
    "call_timeout",
    "caller_identification",
    "pattern_based_registration",
    "payload_passthru_mode",
    "progressive_call_invocations",
    "progressive_call_results",
    "registration_meta_api",
    "registration_revocation",
    "session_meta_api",
    "shared_registration",
    "testament_meta_api",
)

ROLES: dict[str, dict[str, dict[str, bool]]] = {
    "broker": {"features": dict.fromkeys(BROKER_FEATURES, True)},
    "dealer": {"features": dict.fromkeys(DEALER_FEATURES, True)},
}
"""What WELCOME promises; `event_history` only where any is kept."""


def roles(*, history: bool) -> dict[str, dict[str, dict[str, bool]]]:
    """Return the roles of a router with or without event history."""
    features = {name: True for name in BROKER_FEATURES if history or name != "event_history"}
    return {**ROLES, "broker": {"features": features}}


CALLEE_CANCELS = 1  # understands INTERRUPT
CALLEE_PROGRESSES = 2  # yields progressive results
CALLEE_STREAMS = 4  # takes progressive call invocations
CALLEE_TIMES = 8  # ends calls by their timeout itself
CALLEE_PASSES = 16  # payload passthru mode
CALLEE_IS_REVOKED = 32  # understands that a registration is revoked
CALLER_STREAMS = 64  # makes progressive call invocations
CALLER_PASSES = 128
PUBLISHER_PASSES = 256
SUBSCRIBER_IS_REVOKED = 512  # understands that a subscription is revoked

_BITS: dict[tuple[str, str], int] = {
    ("callee", "call_canceling"): CALLEE_CANCELS,
    ("callee", "call_cancelling"): CALLEE_CANCELS,  # the specification's other spelling
    ("callee", "progressive_call_results"): CALLEE_PROGRESSES,
    ("callee", "progressive_call_invocations"): CALLEE_STREAMS,
    ("callee", "call_timeout"): CALLEE_TIMES,
    ("callee", "payload_passthru_mode"): CALLEE_PASSES,
    ("callee", "registration_revocation"): CALLEE_IS_REVOKED,
    ("caller", "progressive_call_invocations"): CALLER_STREAMS,
    ("caller", "payload_passthru_mode"): CALLER_PASSES,
    ("publisher", "payload_passthru_mode"): PUBLISHER_PASSES,
    ("subscriber", "subscription_revocation"): SUBSCRIBER_IS_REVOKED,
}


def features_of(roles: dict[str, Any]) -> int:
    """Return the bits of what the roles of a HELLO announce; whatever isn't `true` announces nothing."""
    bits = 0
    for (role, feature), bit in _BITS.items():
        if _announces(roles.get(role), feature):
            bits |= bit
    # Results in progress must be stoppable when their caller leaves; a callee that can't be told can't stream.
    return bits if bits & CALLEE_CANCELS else bits & ~(CALLEE_PROGRESSES | CALLEE_STREAMS)


def _announces(role: Any, feature: str) -> bool:
    features = role.get("features") if isinstance(role, dict) else None
    return isinstance(features, dict) and features.get(feature) is True
