"""`gatekeeper openapi`: the whole API, without a site."""

import json
import re
from pathlib import Path

from gatekeeper import uris
from tests.commands.line import good, run


def test_every_route_of_the_table_is_described() -> None:
    paths = json.loads(good("openapi"))["paths"]
    told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    promised = {(route.method, re.sub(r"<(?:path:)?(\w+)>", r"{\1}", route.path)) for route in uris.ROUTES}
    assert told - {("GET", uris.WEBSOCKET_PATH)} == promised


def test_it_is_written_to_a_file_again_and_again(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    for _ in range(2):
        assert good("openapi", "--to", str(file)) == ""
    assert json.loads(file.read_bytes())["openapi"].startswith("3.1")
    assert run("openapi", "--to", str(tmp_path / "none" / "x")).why.endswith("No such file or directory")
