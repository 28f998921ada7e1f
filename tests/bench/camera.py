"""A camera for benches: real JPEGs of one size over multipart HTTP, each stamped when it leaves.

`python -m tests.bench.camera <fps> <bytes>` prints its port. The stamp is the first COM segment: `GKTS` and 20 digits
of CLOCK_MONOTONIC in ns.
"""

import contextlib
import socket
import sys
import threading
import time

import cv2
import numpy as np

STAMP_SIZE = 24


def picture(size: int) -> tuple[bytes, bytes]:
    """Return a VGA JPEG of `size` bytes in two pieces: up to its stamp, and behind it."""
    noise = np.random.default_rng(7).integers(0, 255, (60, 80, 3), np.uint8)
    image = cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC)
    for quality in range(95, 5, -5):
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        missing = size - len(jpeg) - 4 - STAMP_SIZE - 4
        if missing >= 0:
            break
    else:
        raise ValueError(f"no VGA picture is as small as {size} bytes")
    filler = b""
    while missing > 0 or not filler:
        length = min(missing, 60_000)
        filler += b"\xff\xfe" + (length + 2).to_bytes(2, "big") + bytes(length)
        missing -= length + 4
    head = jpeg[:2] + b"\xff\xfe" + (STAMP_SIZE + 2).to_bytes(2, "big")
    return head, filler + jpeg[2:]


def serve(client: socket.socket, fps: float, head: bytes, rest: bytes) -> None:
    """Stream to one client until it goes."""
    with client, contextlib.suppress(OSError):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")
        size = len(head) + STAMP_SIZE + len(rest)
        part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b" % (size, head)
        due = time.monotonic()
        while True:
            due += 1 / fps
            time.sleep(max(0.0, due - time.monotonic()))
            client.sendall(b"%bGKTS%020d%b\r\n" % (part, time.monotonic_ns(), rest))


def main() -> None:
    """Listen on a free port of the loopback for ever."""
    fps, size = float(sys.argv[1]), int(sys.argv[2])
    pieces = picture(size)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, fps, *pieces), daemon=True).start()


if __name__ == "__main__":
    main()
