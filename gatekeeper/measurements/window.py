"""The measured picture in a window of OpenCV's, where its build has windows: the headless one has none."""

import os
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np
from numpy.typing import NDArray

TITLE: Final = "gatekeeper measure: r takes a new reference, q ends"

_END: Final = (ord("q"), 27)  # and Escape


def missing() -> str | None:
    """Return why there can be no window here; None if there can."""
    import cv2  # noqa: PLC0415 - takes a fifth of a second

    found = re.search(r"^\s*GUI:\s*(\S+)", cv2.getBuildInformation(), re.MULTILINE)
    if found is None or found[1] == "NONE":
        return (
            "OpenCV is installed without windows (opencv-python-headless); "
            f"opencv-python{_same()} in its place has them"
        )
    # Qt ends the whole process when there is no screen, so it mustn't be tried
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no screen here"
    return None


def _same() -> str:
    """Return what makes pip take the same version: both builds share one folder, and two versions in it break."""
    try:
        return f"=={version('opencv-python-headless')}"
    except PackageNotFoundError:
        return ""


class Window:
    """Shows pictures in a window."""

    watched: Final = True

    def __init__(self) -> None:
        import cv2  # noqa: PLC0415 - takes a fifth of a second

        self._asked = False
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL)

    def take(self, image: NDArray[np.uint8]) -> None:
        """Show a BGR picture.

        :raises KeyboardInterrupt: if the window was closed, or q pressed.
        """
        import cv2  # noqa: PLC0415 - takes a fifth of a second

        cv2.imshow(TITLE, image)
        key = cv2.waitKey(1) & 0xFF
        if key in _END or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            raise KeyboardInterrupt
        self._asked = self._asked or key == ord("r")

    def asked(self) -> bool:
        """Return whether a new reference was asked for since the last time."""
        asked, self._asked = self._asked, False
        return asked

    def close(self) -> None:
        """Close it."""
        import cv2  # noqa: PLC0415 - takes a fifth of a second

        cv2.destroyAllWindows()
