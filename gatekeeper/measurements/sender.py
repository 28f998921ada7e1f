"""Sends what a camera script measures to the server, whatever the network does. For plain OpenCV scripts.

    from gatekeeper.measurements.sender import CameraSender

    with CameraSender(laptop_id=1, ws_url="ws://server:8080", token="…") as sender:
        while True:
            …
            sender.send(dista=5.2, distb=3.4, is_a_detected=True, is_b_detected=True)

`send` puts a sample into memory and returns; a thread of its own connects, sends, and sends again after every
connection that was lost, until the server has acknowledged. `get_stats()["success"]` counts what the server has stored:
that is in its database, exactly once. What is not yet acknowledged when the process is killed is lost with it.

It needs no Twisted: the standard library, and wsproto for the WebSocket. `CameraSenderHTTP` (`sender_http.py`) has the
same face.
"""

import json
import logging
import os
import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

from gatekeeper.measurements.client_side import Address, BrokenProtocol, ClientSide, address_of
from gatekeeper.measurements.outbox import ROOM, Outbox, text_of

SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between tries to connect; doubled each time, from the start again after an acknowledgement."""

LINGER: Final = 5.0
"""Seconds that `disconnect` waits for what isn't acknowledged."""

PIECE: Final = 64 * 1024
"""Bytes that are read, or are made ready to be written, at once."""

LOGGED_EVERY: Final = 10.0
"""Seconds between two lines in the log about the same trouble: a camera loop would write 60 a second."""

log = logging.getLogger(__name__)


class Sender:
    """What senders by any wire have in common: the buffer, the counts, the thread.

    :param laptop_id: the team, from 1.
    :param token: an API key or token of the server's; None where it is open to all.
    :param room: samples that may wait while the server is away.
    :param timeout: seconds to connect, and without a sign of life until the connection is given up.
    """

    def __init__(self, laptop_id: int, *, token: str | None = None, room: int = ROOM, timeout: float = 5.0) -> None:
        self.laptop_id = laptop_id
        self.sender = os.urandom(12).hex()
        self.reconnects = 0
        self.last_error: str | None = None
        self._token = token
        self._timeout = timeout
        self._outbox = Outbox(laptop_id, self.sender, room)
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._connected = threading.Event()
        self._tried = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._logged: dict[str, float] = {}
        # The thread sleeps in `select`; a byte through here wakes it.
        self._wake_in: socket.socket | None = None
        self._wake_out: socket.socket | None = None

    # --- the face ----------------------------------------------------------------------------------------------------

    def connect(self) -> bool:
        """Start; return whether the server is there within the timeout. If not, it is tried again and again."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._tried.clear()
            self._connected.clear()
            self._wake_in, self._wake_out = socket.socketpair()
            self._wake_in.setblocking(False)
            self._wake_out.setblocking(False)
            self._thread = threading.Thread(target=self._work, name=f"camera-sender-{self.laptop_id}", daemon=True)
            self._thread.start()
        self._tried.wait(self._timeout)
        return self._connected.is_set()

    def send(self, dista: float, distb: float, is_a_detected: bool = True, is_b_detected: bool = True) -> bool:
        """Take a sample, millimetres; return whether it will be sent. Never waits, never raises."""
        if self._wake_out is None:
            self._trouble("not connected: call connect() first")
            return False
        with self._lock:
            why = self._outbox.put(time.monotonic(), dista, distb, is_a_detected, is_b_detected)
        if why is not None:
            self._trouble(f"a sample was not taken: {why}")
            return False
        self._wake()
        return True

    def disconnect(self) -> None:
        """Wait for what isn't acknowledged, `LINGER` seconds at most, and end the thread.

        What is left stays here, and is sent after the next `connect`.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        until = time.monotonic() + LINGER
        with self._settled:
            while self._outbox.waiting and (left := until - time.monotonic()) > 0:
                self._settled.wait(left)
            if self._outbox.waiting:
                log.warning("disconnected with %d samples that the server did not acknowledge", self._outbox.waiting)
        self._stopping.set()
        self._wake()
        thread.join(self._timeout + 1.0)
        for end in (self._wake_in, self._wake_out):
            if end is not None:
                end.close()
        self._wake_in = self._wake_out = None

    def get_stats(self) -> dict[str, Any]:
        """Return `total`, `success` (stored by the server), `failed`, `success_rate` in percent, and `waiting`."""
        with self._lock:
            return {**self._outbox.stats(), "reconnects": self.reconnects, "connected": self.connected}

    @property
    def connected(self) -> bool:
        """Whether the server is there now."""
        return self._connected.is_set()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.disconnect()

    # --- the thread --------------------------------------------------------------------------------------------------

    def _talk(self) -> bool:
        """Connect, and send until the connection ends or `_stopping` is set; return whether anything was settled."""
        raise NotImplementedError

    def _work(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._stopping.is_set():
            settled = False
            try:
                settled = self._talk()
            except (OSError, BrokenProtocol, ValueError) as error:
                self._note(error)
            finally:
                self._connected.clear()
                self._tried.set()
                with self._lock:
                    self._outbox.lost()
            if not self._stopping.is_set():
                self.reconnects += 1
                pause = SHORTEST_PAUSE if settled else min(2 * pause, LONGEST_PAUSE)
                self._stopping.wait(pause)

    def _opened(self) -> None:
        self._connected.set()
        self._tried.set()

    def _note(self, error: Exception) -> None:
        self.last_error = str(error) or type(error).__name__
        self._trouble(f"the server can't be reached: {self.last_error}")

    def _settle(self, numbers: Any, *, stored: bool, reason: str = "") -> int:
        with self._settled:
            count = self._outbox.settled(numbers, stored=stored)
            if not self._outbox.waiting:
                self._settled.notify_all()
        if not stored and count:
            self.last_error = reason
            self._trouble(f"the server did not keep samples: {reason}")
        return count

    def _wake(self) -> None:
        out = self._wake_out
        if out is not None:
            with suppress(OSError):  # full: then it is awake anyway
                out.send(b".")

    def _slept(self) -> None:
        into = self._wake_in
        if into is not None:
            with suppress(OSError):
                while into.recv(4096):
                    pass

    def _trouble(self, text: str) -> None:
        """Write to the log, a line of the same kind every ten seconds at most."""
        now, kind = time.monotonic(), text.partition(":")[0]
        if now - self._logged.get(kind, -LOGGED_EVERY) >= LOGGED_EVERY:
            self._logged[kind] = now  # a key per kind of trouble: a handful
            log.warning("%s", text)


class CameraSender(Sender):
    """Sends over the seed's raw WebSocket.

    :param ws_url: where; a token may stand in it, `ws://server:8080/?token=…`.
    :param context: for `wss://`, where the server's certificate isn't one that the system knows.
    """

    def __init__(
        self,
        laptop_id: int = 1,
        ws_url: str = "ws://localhost:8080",
        *,
        token: str | None = None,
        room: int = ROOM,
        timeout: float = 5.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(laptop_id, token=token, room=room, timeout=timeout)
        self._address = address_of(ws_url)
        self._context = context
        parts = urlsplit(ws_url)
        self.ws_url = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))  # shown: without a token

    def _talk(self) -> bool:
        with self._dial() as sock:
            connection = _Connection(sock, self._timeout, self._address, self._token)
            self._opened()
            settled = False
            while not self._stopping.is_set():
                with self._lock:
                    if connection.has_room:
                        now = time.monotonic()
                        for fields in self._outbox.take(now):
                            connection.say(text_of(fields))
                    expecting = self._outbox.flying > 0
                    more = self._outbox.has_unsent and connection.has_room
                for text in connection.turn(self._wake_in, 0.0 if more else 1.0, expecting=expecting):
                    settled = self._heard(text) or settled
                self._slept()
            connection.bye()
            return settled

    def _dial(self) -> socket.socket:
        sock = socket.create_connection((self._address.host, self._address.port), self._timeout)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._address.secure:
                context = self._context or ssl.create_default_context()
                return context.wrap_socket(sock, server_hostname=self._address.host)
        except BaseException:
            sock.close()
            raise
        return sock

    def _heard(self, text: str) -> bool:
        """Take in what the server says; return whether it settled anything."""
        try:
            said = json.loads(text)
        except ValueError:
            return False
        kind = said.get("type") if isinstance(said, dict) else None
        if kind == "ack" and said.get("sender") == self.sender:
            reason = str(said.get("reason", ""))
            return self._settle(said.get("seq", ()), stored=said.get("stored") is True, reason=reason) > 0
        if kind == "error":
            self.last_error = str(said.get("message"))
            self._trouble(f"the server says: {self.last_error}")
        return False


CameraSenderWS = CameraSender
"""What the seed's scripts call it."""


class _Connection:
    """One WebSocket over a socket, used by the thread alone."""

    def __init__(self, sock: socket.socket, timeout: float, address: Address, token: str | None) -> None:
        self._sock = sock
        self._timeout = timeout
        self._side = ClientSide(address, token)
        self._early: list[str] = []  # what came with the handshake
        self._heard = time.monotonic()
        self._asked = self._heard
        self._shake()

    @property
    def has_room(self) -> bool:
        """Whether more may be made ready to be written."""
        return len(self._side.out) < PIECE

    def _shake(self) -> None:
        """Open the WebSocket; the socket's own time-out bounds each read."""
        self._sock.settimeout(self._timeout)
        self._sock.sendall(self._side.out)
        self._side.out.clear()
        until = self._heard + self._timeout
        while not self._side.is_open:
            data = self._sock.recv(PIECE)
            if not data or time.monotonic() > until:
                raise BrokenProtocol("the server did not finish the handshake")
            self._early += self._side.feed(data)
        self._sock.setblocking(False)
        self._heard = self._asked = time.monotonic()

    def say(self, text: str) -> None:
        """Make a text ready to be written."""
        self._side.say(text)

    def turn(self, wake: socket.socket | None, longest: float, *, expecting: bool) -> list[str]:
        """Write and read what goes, waiting for it no longer than `longest`; return the texts that came.

        :raises BrokenProtocol: if the connection is closed, or dead.
        """
        early, self._early = self._early, []
        if not self._pending():
            waiting = [self._sock] + ([wake] if wake is not None else [])
            select.select(waiting, [self._sock] if self._side.out else [], [], 0.0 if early else longest)
        self._write()
        texts = early + self._read()
        self._look(expecting)
        return texts

    def bye(self) -> None:
        """Say that it is over."""
        self._side.close()
        with suppress(OSError):
            self._write()

    def _pending(self) -> bool:
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def _write(self) -> None:
        out = self._side.out
        while out:
            try:
                sent = self._sock.send(out[:PIECE])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            del out[:sent]

    def _read(self) -> list[str]:
        texts: list[str] = []
        while True:
            try:
                data = self._sock.recv(PIECE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return texts
            if not data:
                raise BrokenProtocol("the server closed the connection")
            self._heard = time.monotonic()
            texts += self._side.feed(data)
            if len(data) < PIECE:
                return texts

    def _look(self, expecting: bool) -> None:
        """Ask for a sign of life, and give up where none comes."""
        now = time.monotonic()
        if now - self._heard > self._timeout and (expecting or now - self._heard > 3 * self._timeout):
            raise BrokenProtocol(f"the server said nothing for {now - self._heard:.0f} s")
        if now - max(self._heard, self._asked) > self._timeout / 2:
            self._asked = now
            self._side.ask()
