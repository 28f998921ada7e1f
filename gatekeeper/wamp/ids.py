"""WAMP's identifiers: integers from 1 to 2**53, so that an IEEE double holds each exactly.

Global ones (sessions, publications) are drawn at random, so that nobody can guess another's; those of the router's
scope (subscriptions, registrations) and of a session's (requests) count up from 1.
"""

import secrets
from collections.abc import Callable

MAX_ID = 2**53

RandomBits = Callable[[int], int]
"""Gives an integer of that many random bits; `secrets.randbits` unless a test needs to know what comes."""

secure_bits: RandomBits = secrets.randbits


def random_id(random: RandomBits) -> int:
    """Return an ID of the global scope, uniform over 1..2**53."""
    return random(53) + 1


def is_id(value: object) -> bool:
    """Tell whether a decoded value is an ID; True, which is an int to Python, is none."""
    return type(value) is int and 1 <= value <= MAX_ID


class Sequence:
    """Counts IDs 1, 2, 3, … and starts again after 2**53, as the session scope demands."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """Return the next ID."""
        self._last = self._last + 1 if self._last < MAX_ID else 1
        return self._last

    def give_back(self) -> None:
        """Take back the last ID, which nobody has seen, so that the next one leaves no gap."""
        self._last -= 1
