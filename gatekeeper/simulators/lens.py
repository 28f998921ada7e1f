"""What a virtual camera's lens and sensor make of its scene, and what a fault makes of that. No I/O, no clock."""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from gatekeeper.simulators.camera_faults import CameraFault

LOOP: Final = 25  # pictures that the fault LOOPING repeats: two seconds

_F = CameraFault


class Lens:
    """One camera's view; it belongs to the thread that draws.

    :param seed: gives its scene colours and pace of its own.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._scene: Any = None
        self._shown: deque[bytes] = deque(maxlen=LOOP)

    def picture(self, size: tuple[int, int], fault: CameraFault, elapsed: float, clock: str) -> bytes:
        """Return the JPEG of the moment `elapsed` seconds after the start, with `clock` written on it.

        :param size: width and height in pixels.
        """
        if fault is _F.FREEZE and self._shown:
            return self._shown[-1]
        if fault is _F.LOOPING and self._shown:
            self._shown.rotate(-1)
            return self._shown[-1]
        if self._scene is None or (self._scene.width, self._scene.height) != size:
            from gatekeeper.simulators.scene import Scene  # noqa: PLC0415 - OpenCV is loaded when a picture is needed

            self._scene = Scene(*size, self._seed)
        jpeg = seen(self._scene, fault, elapsed, clock)
        self._shown.append(jpeg)
        return jpeg


def seen(scene: Any, fault: CameraFault, elapsed: float, clock: str) -> bytes:
    """Return the JPEG of a `Scene` at a moment, through a lens with a fault."""
    lens: dict[CameraFault, Callable[[], bytes]] = {
        _F.BLACK: scene.black,
        _F.OVEREXPOSED: lambda: scene.overexposed(elapsed, clock),
        _F.COVERED: lambda: scene.covered(clock),
        _F.MOVED: lambda: scene.moved(elapsed, clock),
    }
    jpeg: bytes = lens.get(fault, lambda: scene.render(elapsed, clock))()
    return jpeg
