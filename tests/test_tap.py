"""The command line, and a reload with parts that are played by hand."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError

import gatekeeper
from gatekeeper import config
from gatekeeper.errors import ConfigurationError
from gatekeeper.tap import Gatekeeper, Options

ROOT = Path(__file__).parent.parent
SITE = 'name = "shop"\n[[doors]]\nid = "front"\nurl = "ws://192.168.137.21/ws"\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(*arguments: str) -> Options:
    it = Options()
    it.parseOptions(list(arguments))
    return it


def refused(*arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        options(*arguments)
    text = str(caught.value)
    assert text.startswith("gatekeeper: ")
    assert "\n" not in text
    return text


# --- options ---


def test_without_a_file_it_is_the_demo_site() -> None:
    assert options()["site"] is None


def test_the_file_in_the_folder_is_found(here: Path) -> None:
    (here / "gatekeeper.toml").write_text(SITE)
    assert options()["site"].name == "shop"
    assert options("--demo")["site"] is None


def test_a_named_file_is_read_and_its_folder_is_where_paths_begin(here: Path) -> None:
    (here / "etc").mkdir()
    (here / "etc" / "shop.toml").write_text(SITE)
    it = options("--config", "etc/shop.toml")
    assert it["site"].name == "shop"
    assert it.folder == Path("etc")
    assert options().folder == Path()


def test_the_command_line_overrides_the_file(here: Path) -> None:
    (here / "gatekeeper.toml").write_text(SITE)
    site = options("--data", "/var/lib/gatekeeper", "--listen", "tcp:9000")["site"]
    assert (site.data, site.listen, site.name) == ("/var/lib/gatekeeper", "tcp:9000", "shop")


def test_what_is_wrong_ends_it_with_one_line(here: Path) -> None:
    assert "can't be read: No such file or directory" in refused("--config", "none.toml")
    (here / "gatekeeper.toml").write_text("nam = 5")
    assert refused() == 'gatekeeper: gatekeeper.toml: nam: no such key; did you mean "name"? Allowed: ' + ", ".join(
        config.Site.__struct_fields__
    )
    (here / "gatekeeper.toml").write_text(SITE)
    assert refused("--listen", "9000").startswith('gatekeeper: listen: found "9000"')
    with pytest.raises(UsageError):
        options("--nothing")


def test_check_says_that_it_is_good_and_ends(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "gatekeeper.toml").write_text(SITE)
    with pytest.raises(SystemExit) as caught:
        options("--check")
    assert caught.value.code == 0
    assert capsys.readouterr().out == "the configuration is good: 0 cameras, 1 doors\n"


def test_check_looks_for_the_secrets_and_for_a_file(here: Path) -> None:
    assert "there is no configuration file to check" in refused("--check")
    (here / "gatekeeper.toml").write_text(SITE + '[access]\nadmin_token = {file = "none"}')
    assert "access.admin_token: can't read none: No such file or directory" in refused("--check")


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options("--version")
    assert capsys.readouterr().out == f"gatekeeper {gatekeeper.__version__}\n"


# --- what is imported ---


def python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_the_plugin_imports_nothing_of_gatekeeper() -> None:
    code = "import runpy, sys; runpy.run_path('twisted/plugins/gatekeeper_plugin.py'); print([*sys.modules])"
    modules = python(code)
    assert "'gatekeeper'" not in modules
    assert "'twisted.internet.reactor'" not in modules


def test_the_options_install_no_reactor() -> None:
    code = "import gatekeeper.tap, sys; gatekeeper.tap.Options(); print([*sys.modules])"
    modules = python(code)
    assert "'gatekeeper.tap'" in modules
    assert "'twisted.internet.reactor'" not in modules
    assert "'klein'" not in modules


# --- reloading ---


class FakeSite:
    """A site that does nothing but be written down."""

    def __init__(self, bench: "Bench", settings: config.Site) -> None:
        self.bench, self.settings, self.running = bench, settings, 0

    def startService(self) -> None:
        self.running = 1
        self.bench.done.append(("start", self.settings.name))

    def stopService(self) -> "Deferred[None]":
        self.running = 0
        self.bench.done.append(("stop", self.settings.name))
        return self.bench.stopped


class Bench:
    """A service whose sites are fakes; a site named `bad` can't be made."""

    def __init__(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = here / "gatekeeper.toml"
        self.done: list[tuple[str, str]] = []
        self.stopped: Deferred[None] = succeed(None)
        self.bad = {"bad"}
        self.net: Any = MemoryReactorClock()
        self.write("first")
        self.service = Gatekeeper(options(), self.net)
        monkeypatch.setattr(self.service, "_make", self._make)
        monkeypatch.setattr("gatekeeper.tap.signal.signal", lambda *_: None)
        monkeypatch.setattr("gatekeeper.tap.gc.freeze", lambda: None)
        self.service.privilegedStartService()
        self.service.startService()

    def write(self, name: str) -> None:
        self.file.write_text(f'name = "{name}"')

    def _make(self, settings: config.Site) -> None:
        if settings.name in self.bad:
            raise ConfigurationError("listen: can't")
        self.service._site = FakeSite(self, settings)

    def reload(self) -> None:
        self.service.reload()


@pytest.fixture
def bench(here: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(here, monkeypatch)


def test_a_reload_ends_the_old_site_before_the_new_one_begins(bench: Bench) -> None:
    bench.write("second")
    bench.stopped = Deferred()
    bench.reload()
    assert bench.done == [("start", "first"), ("stop", "first")]
    bench.stopped.callback(None)
    assert bench.done == [("start", "first"), ("stop", "first"), ("start", "second")]


def test_a_wrong_file_changes_nothing(bench: Bench) -> None:
    bench.file.write_text("nam = 5")
    bench.reload()
    assert bench.done == [("start", "first")]


def test_a_site_that_cannot_be_made_leads_back_to_the_one_before(bench: Bench) -> None:
    bench.write("bad")
    bench.reload()
    assert bench.done == [("start", "first"), ("stop", "first"), ("start", "first")]
    bench.write("second")
    bench.reload()
    assert bench.done[3:] == [("stop", "first"), ("start", "second")]


def test_where_neither_can_be_made_the_process_stops(bench: Bench) -> None:
    bench.bad = {"bad", "first"}
    bench.write("bad")
    bench.reload()
    assert bench.done == [("start", "first"), ("stop", "first")]
    assert bench.net.hasStopped


def test_a_second_hangup_while_reloading_changes_nothing(bench: Bench) -> None:
    bench.stopped = Deferred()
    bench.reload()
    bench.reload()
    bench.stopped.callback(None)
    assert bench.done == [("start", "first"), ("stop", "first"), ("start", "first")]


def test_a_stop_while_reloading_starts_nothing_again(bench: Bench) -> None:
    bench.stopped = Deferred()
    bench.reload()
    bench.service.stopService()
    bench.stopped.callback(None)
    assert bench.done == [("start", "first"), ("stop", "first")]


def test_a_port_that_is_taken_ends_the_start_with_one_line(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "gatekeeper.toml").write_text('name = "bad"')
    service = Gatekeeper(options(), MemoryReactorClock())

    def cannot(_: object) -> None:
        raise ConfigurationError("listen: can't listen on tcp:8000: taken")

    monkeypatch.setattr(service, "_make", cannot)
    with pytest.raises(SystemExit, match=r"^gatekeeper: listen: can't listen on tcp:8000: taken$"):
        service.privilegedStartService()
