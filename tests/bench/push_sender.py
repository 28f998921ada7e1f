"""Cameras that connect, for benches: `python -m tests.bench.push_sender <port> <cameras> <fps> <bytes> <piece>`.

Each dials `/c<n>`, registers as the real firmware does and sends one VGA JPEG again and again: between `frame_start`
and `frame_end`, or with a piece of more than 0 bytes in pieces. A rate of 0 is as fast as it is taken. Prints `ready`.
"""

import contextlib
import json
import os
import socket
import struct
import sys
import threading
import time
from typing import Any

from tests.bench.camera import STAMP_SIZE, picture

MASK = b"\x5a\xa5\x3c\xc3"


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a masked WebSocket frame."""
    size = len(payload)
    head = bytes((0x80 | opcode, 0x80 | min(size, 126)))
    head += struct.pack("!H", size) if size >= 126 else b""
    key = (MASK * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
    return head + MASK + masked


def text(message: dict[str, Any]) -> bytes:
    return frame(1, json.dumps(message, separators=(",", ":")).encode())


def messages(jpeg: bytes, piece: int) -> bytes:
    """Return what goes over the wire for a picture."""
    size = len(jpeg)
    if not piece:
        start, end = {"type": "frame_start", "id": 1, "size": size}, {"type": "frame_end", "id": 1}
        return text(start) + frame(2, jpeg) + text(end)
    chunks = [jpeg[at : at + piece] for at in range(0, size, piece)]
    about = {"type": "img_start", "id": 1, "size": size, "chunks": len(chunks), "chunkSize": piece}
    end = {"type": "img_end", "id": 1, "size": size, "success": True}
    return text(about | {"width": 640, "height": 480}) + b"".join(frame(2, chunk) for chunk in chunks) + text(end)


def dial(port: int, number: int) -> socket.socket:
    """Return a connection that is registered."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(
        f"GET /c{number} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: file://\r\n"
        "Sec-WebSocket-Protocol: arduino\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101"), answer
    client.sendall(text({"type": "register", "device": "camera"}))
    return client


def send(client: socket.socket, fps: float, data: bytes, phase: float) -> None:
    """Send until the server goes."""
    with client, contextlib.suppress(OSError):
        due = time.monotonic() + phase
        while True:
            if fps:
                due += 1 / fps
                time.sleep(max(0.0, due - time.monotonic()))
            client.sendall(data)
            with contextlib.suppress(BlockingIOError):
                client.recv(65536, socket.MSG_DONTWAIT)


def main() -> None:
    """Send for ever; ends when its standard input does."""
    port, cameras, fps, size, piece = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), *map(int, sys.argv[4:6])
    head, rest = picture(size)
    data = messages(head + b"GKTS" + bytes(STAMP_SIZE - 4) + rest, piece)
    for number in range(cameras):
        phase = number / cameras / fps if fps else 0.0
        threading.Thread(target=send, args=(dial(port, number), fps, data, phase), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
