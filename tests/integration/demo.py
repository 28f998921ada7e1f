"""The demo site as a process: `twistd -n gatekeeper` with no configuration file, in an empty folder."""

import http.client
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.integration.processes import BIN, PATIENCE, Process, Server

PASSWORD = "the owner of the demo"
LISTEN = "tcp:0:interface=127.0.0.1"


class Answer:
    """What came back for one HTTP request, redirects not followed."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.body = answer.read()

    @property
    def cookie(self) -> str | None:
        """The cookie that was set, as it is sent back."""
        found = self.headers.get("Set-Cookie")
        return found.partition(";")[0] if found else None


def request(port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> Answer:
    """Ask on a connection of its own; a body is sent as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    fields = dict(headers or {})
    if body is not None:
        fields["Content-Type"] = "application/json"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), fields)
        return Answer(connection.getresponse())
    finally:
        connection.close()


class Demo(Server):
    """The demo site, serving.

    :param twistd: twistd's own options.
    :param command: what runs twistd, with its first arguments.
    """

    def __init__(
        self,
        folder: Path,
        *,
        twistd: Sequence[str] = (),
        command: Sequence[str] = (str(BIN / "twistd"),),
        env: Mapping[str, str] | None = None,
        ready: bool = True,
    ) -> None:
        arguments = [*command, *twistd, "-n", "--pidfile=", "gatekeeper", "--listen", LISTEN]
        Process.__init__(self, arguments, folder, dict(env or {}))
        self.port = 0
        if ready:
            self.serving()

    @property
    def link(self) -> str:
        """The path of the one-time link that the log shows."""
        return self.expect(r"open http://127\.0\.0\.1:\d+(/login\?code=\S+)")[1]

    def log_in(self) -> str:
        """Use the link and choose the owner's password, as its page would; return the cookie."""
        cookie = request(self.port, "GET", self.link).cookie
        assert cookie is not None, self.output
        chosen = {"name": "admin", "password": PASSWORD}
        answer = request(self.port, "POST", "/api/access/setup", {"Cookie": cookie}, chosen)
        assert answer.status == 200, answer.body
        assert answer.cookie is not None
        return answer.cookie

    def token(self) -> str:
        """Log in and make a key for scripts."""
        cookie = {"Cookie": self.log_in()}
        answer = request(self.port, "POST", "/api/access/keys", cookie, {"label": "script"})
        assert answer.status == 200, answer.body
        return str(json.loads(answer.body)["key"])


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment with changes, without what would let a checkout be found."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return {**kept, **changes}
