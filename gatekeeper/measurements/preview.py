"""The measured picture in a browser on this machine: a page at a loopback port, its newest picture only.

OpenCV's headless build has no windows, so this is how it is looked at there. Only pages of this very address may take a
new reference: other pages in the same browser can neither send the header nor be another name for this machine.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

VIEWERS: Final = 4  # pages at once, each a thread: this is for the people at this screen
QUALITY: Final = 80

_STALLED: Final = 5.0  # s that a viewer may take for a picture
_WAIT: Final = 1.0  # s between two looks at whether it is over
_HEADER: Final = "X-Gatekeeper-Measure"
_BOUNDARY: Final = "picture"

_PAGE: Final = f"""<!doctype html><meta charset="utf-8"><title>gatekeeper measure</title>
<style>body{{margin:0;background:#111;color:#ddd;font:16px sans-serif;text-align:center}}
img{{max-width:100%;max-height:88vh}}
button{{font:inherit;margin:.6em;padding:.4em 1em}}</style>
<img src="/stream" alt="the measured picture"><br><button>Zero here: take a new reference picture</button>
<script>document.querySelector("button").onclick=()=>fetch("/reference",{{method:"POST",headers:{{"{_HEADER}":"1"}}}})</script>
""".encode()


class Preview:
    """Shows pictures at `address`; `take` gives it the newest one, `asked` says whether a new reference is wanted."""

    def __init__(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 is any that is free."""
        self._changed = threading.Condition()
        self._jpeg: bytes | None = None
        self._number = 0
        self._over = False
        self._wanted = False
        self._viewers = threading.BoundedSemaphore(VIEWERS)
        self._looking = 0
        preview = self

        class Answer(_Answer):
            shown = preview

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Answer)
        self._server.daemon_threads = True
        self.address: Final = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="preview")
        self._thread.start()

    @property
    def watched(self) -> bool:
        """Whether anybody looks: otherwise nothing needs to be drawn."""
        return self._looking > 0

    def take(self, image: NDArray[np.uint8]) -> None:
        """Show a BGR picture to whoever looks."""
        import cv2  # noqa: PLC0415 - takes a fifth of a second

        if not self.watched:
            return
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        with self._changed:
            self._jpeg, self._number = jpeg.tobytes(), self._number + 1
            self._changed.notify_all()

    def asked(self) -> bool:
        """Return whether a new reference was asked for since the last time."""
        with self._changed:
            wanted, self._wanted = self._wanted, False
            return wanted

    def close(self) -> None:
        """Let every viewer and the port go."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- what the answers ask, each in its thread ---

    def want(self) -> None:
        """Ask for a new reference."""
        with self._changed:
            self._wanted = True

    def begin(self) -> bool:
        """Count a viewer, unless there are enough."""
        if not self._viewers.acquire(blocking=False):
            return False
        with self._changed:
            self._looking += 1
        return True

    def end(self) -> None:
        """Count a viewer less."""
        with self._changed:
            self._looking -= 1
        self._viewers.release()

    def newest(self, after: int) -> tuple[int, bytes | None]:
        """Wait a little for a picture that is newer than that number; no picture if there was none, -1 at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._number > after, _WAIT)
            if self._over:
                return -1, None
            return self._number, self._jpeg if self._number > after else None


class _Answer(BaseHTTPRequestHandler):
    """One request."""

    shown: Preview
    timeout = _STALLED
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        """Give the page or the pictures."""
        if not self._here():
            self.send_error(403)
        elif self.path == "/":
            self._page()
        elif self.path == "/stream":
            self._stream()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """Take the wish for a new reference."""
        if not self._here() or self.headers.get(_HEADER) is None:
            self.send_error(403)
        elif self.path != "/reference":
            self.send_error(404)
        else:
            self.shown.want()
            self.send_response(204)
            self.end_headers()

    def _here(self) -> bool:
        """Return whether it was asked for by this address, not by a name that someone points at this machine."""
        port = self.connection.getsockname()[1]
        return self.headers.get("Host") in (f"127.0.0.1:{port}", f"localhost:{port}")

    def _page(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()
        self.wfile.write(_PAGE)

    def _stream(self) -> None:
        if not self.shown.begin():
            self.send_error(503, "enough are looking")
            return
        try:
            self.send_response(200)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self._pictures()
        except OSError:
            pass  # it went away, or took too long
        finally:
            self.shown.end()

    def _pictures(self) -> None:
        number = 0
        while number >= 0:
            number, jpeg = self.shown.newest(number)
            if jpeg is not None:
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal."""
