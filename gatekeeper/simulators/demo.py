"""The demo site's hardware and its configuration: virtual cameras, a virtual lock, and eight teams' virtual laptops.

The lock runs our own firmware, with a key that is made anew each time.
"""

import os
import secrets
from typing import Any

from twisted.application.service import MultiService

from gatekeeper import config
from gatekeeper.config_measurements import TEAMS, Measurements
from gatekeeper.simulators.camera import VirtualCamera
from gatekeeper.simulators.laptop import VirtualLaptop
from gatekeeper.simulators.lock import VirtualLock
from gatekeeper.simulators.own_lock_device import OwnLockDevice
from gatekeeper.simulators.push_camera import VirtualPushCamera

LOCK_KEY = "GATEKEEPER_DEMO_LOCK_KEY"  # the variable of this process that the configuration finds the key in


class DemoDevices(MultiService):
    """Three devices on loopback ports that the system chooses, and some that dial the site.

    Their pictures and answers come over TCP like those of any hardware: nothing is handed over inside the process.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__()
        self.cameras = (VirtualCamera(reactor, seed=1), VirtualCamera(reactor, seed=2))
        key = secrets.token_bytes(config.KEY_DIGITS // 2)
        os.environ[LOCK_KEY] = key.hex()
        self.lock = VirtualLock(reactor, device=OwnLockDevice(key))
        self.push_camera = VirtualPushCamera(reactor, seed=3)
        self.laptops = tuple(VirtualLaptop(reactor, team) for team in range(1, TEAMS + 1))
        for device in (*self.cameras, self.push_camera, self.lock, *self.laptops):
            device.setServiceParent(self)

    def dial(self, port: int, measuring: int | None) -> None:
        """Let the devices that dial know where the site listens: the camera, and the laptops."""
        self.push_camera.dial(f"ws://127.0.0.1:{port}/garden")
        for laptop in self.laptops if measuring is not None else ():
            laptop.dial(f"ws://127.0.0.1:{measuring}/")

    def site(self) -> config.Site:
        """Return the configuration of the demo site; the devices must be started."""
        entrance, yard = self.cameras
        return config.Site(
            name="gatekeeper demo",
            cameras=(
                config.Camera(id="entrance", name="Entrance", url=entrance.url, doors=("front",)),
                config.Camera(id="yard", name="Yard", url=yard.url),
                config.Camera(id="garden", name="Garden", push=config.Push(path="/garden")),
            ),
            push=config.PushPorts(listen="tcp:0:interface=127.0.0.1", control=""),
            # On loopback, for the virtual laptops, which have no keys; a real site is closed.
            measurements=Measurements(listen="tcp:0:interface=127.0.0.1", open_sending=True, open_viewing=True),
            doors=(config.Door(id="front", name="Front door", url=self.lock.url, key=config.Secret(env=LOCK_KEY)),),
        )
