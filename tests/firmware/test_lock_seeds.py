"""A hundred random days of a door: the server, the lock's own core, a bad network, strangers, restarts, hangs."""

import ctypes
import random

import pytest

from gatekeeper.doors.states import DoorState
from tests.firmware.lock_site import Site
from tests.firmware.own_lock import WRAP

KEY = bytes(range(32))
TURN = 100  # milliseconds
CAP = 20_000


class Day:
    """One story: what happens is drawn, and after each turn it is looked at what must hold."""

    def __init__(self, library: ctypes.CDLL, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a story, no secret
        self.seed = seed
        key = KEY if seed % 2 else None
        now = self.chance.choice((0, WRAP - 10_000, WRAP // 2))
        quick = {"retry_minimum": 0.1, "retry_maximum": 1.0}
        self.site = Site(library, key=key, server_key=key, now=now, max_open=CAP, settings=quick)
        self.is_ordered = False
        self.dark = 0  # milliseconds for which nobody was heard

    def happens(self) -> None:
        site, board, chance = self.site, self.site.board, self.chance
        match chance.choices(range(8), (60, 10, 3, 3, 4, 1, 2, 6))[0]:
            case 1:
                self.is_ordered = True
                site.open(chance.choice((0.5, 5.0, 30.0)))
            case 2:
                site.lock()
            case 3:
                board.cut()
            case 4:
                board.is_reachable = not board.is_reachable or chance.random() < 0.5
            case 5:
                board.restart()
            case 6:
                board.is_hung = not board.is_hung
            case 7 if board.is_reachable and not board.is_hung:
                self._stranger()

    def _stranger(self) -> None:
        alive = [stranger for stranger in self.site.strangers if not stranger.closed]
        if not alive:
            self.site.stranger().ask()
        elif b" 101 " in alive[0].received:
            texts = ("PING", "STATUS", "nonsense", "HELLO:x", "C:1:2:OPEN_DOOR", *self.site.board.heard[-3:])
            text = self.chance.choice([text for text in texts if text != "OPEN_DOOR"])
            if len(text) < 126:
                alive[0].say(text)

    def looks(self) -> None:
        board = self.site.board
        self.dark = 0 if board.is_reachable else self.dark + TURN
        if not board.relay:
            return
        since = board.history[-1][0]
        assert board.now - since <= CAP, self.seed
        assert self.dark <= 10_000 + TURN, self.seed
        assert not board.is_hung or board.now - board._guard <= 2_000 + TURN, self.seed
        assert self.is_ordered, self.seed  # nobody but the server ever opened

    async def passes(self) -> None:
        site = self.site
        await site.until(lambda: site.link.door.ready, step=50)
        for _ in range(90):
            self.happens()
            await site.pass_(TURN / 1000, TURN, each=self.looks)
        site.board.is_reachable, site.board.is_hung = True, False
        await site.until(lambda: site.link.door.ready and site.state is DoorState.LOCKED, 60, TURN)
        await site.pass_(0.2, TURN)
        assert not site.board.relay, self.seed


@pytest.mark.parametrize("decade", range(10))
async def test_whatever_happens_the_door_locks_and_the_link_comes_back(core: ctypes.CDLL, decade: int) -> None:
    openings = 0
    for seed in range(decade * 10, decade * 10 + 10):
        day = Day(core, seed)
        try:
            await day.passes()
        finally:
            await day.site.stop()
        openings += len(day.site.board.history) // 2
    assert openings >= 5
