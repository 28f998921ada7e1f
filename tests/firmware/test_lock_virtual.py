"""The virtual lock with our own firmware in Python, on a real socket: whoever is dropped is told why."""

from twisted.internet import reactor
from twisted.internet.task import deferLater

from gatekeeper.simulators.lock import VirtualLock
from gatekeeper.simulators.own_lock_device import OwnLockDevice
from tests.firmware.lock_site import Stranger


async def test_who_fails_three_times_is_told_so_and_dropped() -> None:
    lock = VirtualLock(reactor, device=OwnLockDevice(bytes(32)))
    lock.startService()
    stranger = Stranger(lock.port).ask()
    said = 0
    for _ in range(500):
        await deferLater(reactor, 0.005)
        stranger.read()
        if said < 3 and b" 101 " in stranger.received:
            stranger.say("OPEN_DOOR")
            said += 1
        if b"\x88\x02\x03\xf0" in stranger.received:  # a Close with 1008
            break
    else:
        raise AssertionError(stranger.received)
    assert stranger.texts.count("ERR:AUTH") == 3
    assert not lock.device.relay
    stranger.close()
    await lock.stopService()
