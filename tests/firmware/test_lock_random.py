"""The lock's core and its twin in Python, beside one another through a hundred random stories, plain and signed."""

import ctypes
import hashlib
import hmac
import random
from typing import Any

import pytest

from tests.firmware.lock_twins import CoreTwin, PythonTwin
from tests.firmware.own_lock import WRAP

KEY = hashlib.sha256(b"a door").digest()
WORDS = ("OPEN_DOOR", "LOCK_DOOR", "PING", "STATUS")
SEEDS, STEPS = 100, 120


def mac(key: bytes, *parts: str) -> bytes:
    return hmac.digest(key, "|".join(parts).encode(), hashlib.sha256)


class Peer:
    """One client, which may have the key, and knows everything that was ever said on its connection."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.nonce = ""
        self.session = b""
        self.count = 0
        self.sent: list[str] = []

    def hears(self, text: str) -> None:
        if text.startswith("AUTH:1:"):
            self.nonce = text[7:]

    def text(self, signed: bool) -> str:
        chance = self.chance
        word = chance.choice((*WORDS, "OPEN_DOOR", "PING", "nonsense", "", "\N{LATIN SMALL LETTER E WITH ACUTE}" * 65))
        if not signed or chance.random() < 0.15:
            text = word
        elif chance.random() < 0.1 and self.sent:
            text = chance.choice(self.sent)  # said again
        elif not self.session or chance.random() < 0.05:
            text = self._hello()
        else:
            self.count += chance.choice((1, 1, 1, 2, 0, -1))
            text = f"C:{self.count}:{mac(self.session, 'c', str(self.count), word).hex()[:32]}:{word}"
        if chance.random() < 0.05 and text:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice("0a:Z\n") + text[place + chance.randrange(2) :]
        self.sent.append(text)
        return text

    def _hello(self) -> str:
        ours = self.chance.randbytes(16).hex()
        key = KEY if self.chance.random() < 0.9 else bytes(32)
        self.session, self.count = mac(key, "gk1-session", self.nonce, ours), 0
        return f"HELLO:{ours}:{mac(key, 'gk1-hello', self.nonce, ours).hex()}"


class Story:
    """What happens, and when; who is connected is known from what was answered."""

    def __init__(self, chance: random.Random, signed: bool) -> None:
        self.chance = chance
        self.signed = signed
        self.now = chance.choice((0, WRAP - 30_000, WRAP // 2 - 1))
        self.peers: dict[int, Peer] = {}
        self.numbers = 0

    def next(self) -> list[Any]:
        chance = self.chance
        self.now += chance.choice((0, 1, 10, 500, 2_000, 2_000, 9_990, 10_000, chance.randrange(70_000)))
        match chance.choices(range(6), (10, 60, 6, 20, 1, 3))[0]:
            case 0:
                self.numbers += 1
                self.peers[self.numbers] = Peer(chance)
                return ["connect", self.numbers, chance.choice(("", "10.0.0.1", "10.0.0.2", "10.0.0.3"))]
            case 1 if self.peers:
                client = chance.choice(tuple(self.peers))
                return ["text", client, self.peers[client].text(self.signed)]
            case 2 if self.peers:
                client = chance.choice(tuple(self.peers))
                del self.peers[client]
                return ["disconnect", client]
            case 4:
                return ["trip"]
            case 5:
                return ["refusal", chance.choice(("", "10.0.0.1", "10.0.0.4")), chance.choice((None, None, "http://x"))]
        return ["tick"]

    def hears(self, deeds: list[str]) -> None:
        for deed in deeds:
            client, _, text = deed.partition(" ")
            if client.isdigit() and int(client) in self.peers:
                self.peers[int(client)].hears(text)
                if text.startswith("(close"):
                    del self.peers[int(client)]


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
def test_both_do_the_same_whatever_happens(core: ctypes.CDLL, signed: bool) -> None:
    key = KEY if signed else None
    opened = sessions = 0
    for seed in range(SEEDS):
        story = Story(random.Random(seed), signed)  # noqa: S311 - a story, no secret
        ours, other = CoreTwin(core, key, 60_000), PythonTwin(key, 60_000)
        since = 0  # when the relay was energised
        told = []
        for _ in range(STEPS):
            event = story.next()
            does = ours.event(event, story.now)
            told.append((story.now, event, does))
            assert does == other.event(event, story.now), (seed, told[-5:])
            assert ours.relay is other.relay
            if "relay on" in does:
                opened, since = opened + 1, story.now
            if event[0] in ("tick", "text", "connect"):  # from outside: never for longer than the cap
                assert not ours.relay or story.now - since < 60_000, (seed, told[-5:])
            sessions += sum("READY:" in deed for deed in does)
            story.hears(does)
    assert opened > 200  # the stories are worth hearing
    assert (sessions > 100) is signed
