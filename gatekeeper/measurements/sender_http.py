"""The sender over HTTP, with the same face: for networks that let nothing else through. See `sender.py`."""

import http.client
import json
import select
import time
from typing import Any, Final
from urllib.parse import urlsplit

from gatekeeper.measurements.client_side import BrokenProtocol
from gatekeeper.measurements.outbox import ROOM
from gatekeeper.measurements.sender import Sender

PATH: Final = "/measurements/samples"
BATCH: Final = 200
"""Samples in one request: 40 KB of the 64 KB that a server takes."""

GATHER: Final = 0.1
"""Seconds in which samples gather for one request: a request costs a millisecond, and 60 a second would be many."""


class CameraSenderHTTP(Sender):
    """Sends in requests, some samples each, over a connection that is kept.

    :param url: of the server: `http://server:8000`.
    """

    def __init__(
        self,
        laptop_id: int = 1,
        url: str = "http://localhost:8000",
        *,
        token: str | None = None,
        room: int = ROOM,
        timeout: float = 5.0,
    ) -> None:
        super().__init__(laptop_id, token=token, room=room, timeout=timeout)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http:// or https:// address")
        self.url = url
        self._host, self._port, self._secure = parts.hostname, parts.port, parts.scheme == "https"
        self._most = BATCH

    def _talk(self) -> bool:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        settled = False
        try:
            connection.connect()
            self._opened()
            while not self._stopping.is_set():
                with self._lock:
                    batch = self._outbox.take(time.monotonic(), self._most)
                if batch:
                    settled = self._post(connection, batch) or settled
                elif self._wake_in is not None:
                    select.select([self._wake_in], [], [], 1.0)
                    self._slept()
                    self._stopping.wait(GATHER)
        except http.client.HTTPException as error:
            raise BrokenProtocol(f"the server answered with what is no HTTP: {error!r}") from error
        finally:
            connection.close()
        return settled

    def _post(self, connection: http.client.HTTPConnection, batch: list[dict[str, Any]]) -> bool:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        samples = [{name: value for name, value in fields.items() if name != "type"} for fields in batch]
        connection.request("POST", PATH, json.dumps({"samples": samples}), headers)
        answer = connection.getresponse()
        body = answer.read(1024 * 1024)
        numbers = [fields["seq"] for fields in batch]
        if answer.status == 200:
            unrecorded = set(json.loads(body).get("unrecorded", ()))
            self._settle([one for one in numbers if one not in unrecorded], stored=True)
            self._settle(unrecorded, stored=False, reason="no session is running and the master tap is closed")
            self._most = BATCH
            return True
        if answer.status in (400, 413) and len(batch) == 1:  # it would be refused for ever
            self._settle(numbers, stored=False, reason=_message(body))
            return True
        self._most = 1 if answer.status in (400, 413) else self._most
        raise BrokenProtocol(f"the server answered {answer.status}: {_message(body)}")


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return body[:80].decode("utf-8", "replace")
