"""The demo site's hardware: two virtual ESP32-CAMs and a virtual lock, and the configuration that finds them."""

from typing import Any

from twisted.application.service import MultiService

from gatekeeper import config
from gatekeeper.simulators.camera import VirtualCamera
from gatekeeper.simulators.lock import VirtualLock


class DemoDevices(MultiService):
    """Three devices on loopback ports that the system chooses.

    Their pictures and answers come over TCP like those of any hardware: nothing is handed over inside the process.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__()
        self.cameras = (VirtualCamera(reactor, seed=1), VirtualCamera(reactor, seed=2))
        self.lock = VirtualLock(reactor)
        for device in (*self.cameras, self.lock):
            device.setServiceParent(self)

    def site(self) -> config.Site:
        """Return the configuration of the demo site; the devices must be started."""
        entrance, yard = self.cameras
        return config.Site(
            name="gatekeeper demo",
            cameras=(
                config.Camera(id="entrance", name="Entrance", url=entrance.url, doors=("front",)),
                config.Camera(id="yard", name="Yard", url=yard.url),
            ),
            doors=(config.Door(id="front", name="Front door", url=self.lock.url),),
        )
