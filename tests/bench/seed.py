"""The seed's shape, to compare with: Flask, one thread per viewer, OpenCV decodes and encodes for each of them.

`python -m tests.bench.seed <camera port>` prints its port. Needs flask, which gatekeeper doesn't depend on.
"""

import importlib
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from gatekeeper.cameras.multipart import Parser, Part


class Newest:
    """The newest picture, and a wait for the next."""

    def __init__(self) -> None:
        self.jpeg = b""
        self.changed = threading.Condition()

    def read(self, port: int) -> None:
        """Read the camera for ever."""
        parser = Parser("frame")
        with socket.create_connection(("127.0.0.1", port)) as camera:
            camera.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while data := camera.recv(65536):
                for event in parser.receive_data(data):
                    if isinstance(event, Part):
                        with self.changed:
                            self.jpeg = event.jpeg
                            self.changed.notify_all()

    def pictures(self) -> Iterator[bytes]:
        """Give each viewer its own decoded and encoded pictures."""
        while True:
            with self.changed:
                self.changed.wait()
                jpeg = self.jpeg
            image: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            encoded = cv2.imencode(".jpg", image)[1].tobytes()
            yield b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + encoded + b"\r\n"


def main() -> None:
    """Serve for ever."""
    flask: Any = importlib.import_module("flask")
    serving: Any = importlib.import_module("werkzeug.serving")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    newest = Newest()
    threading.Thread(target=newest.read, args=(int(sys.argv[1]),), daemon=True).start()
    app = flask.Flask("seed")
    answer = {"mimetype": "multipart/x-mixed-replace; boundary=frame"}
    app.route("/stream")(lambda: flask.Response(newest.pictures(), **answer))
    server = serving.make_server("127.0.0.1", 0, app, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
