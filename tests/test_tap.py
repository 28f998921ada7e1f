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
from gatekeeper.caller import ITSELF, Caller
from gatekeeper.errors import ConfigurationError, NotReloaded
from gatekeeper.tap import Gatekeeper, Options
from tests.sites import Log

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
    """A site that does nothing but be written down, and stand for how it takes a configuration."""

    def __init__(self, bench: "Bench", settings: config.Site) -> None:
        self.bench, self.settings, self.running, self.waits = bench, settings, 0, False
        self.renewing = self

    def startService(self) -> None:
        self.running = 1
        self.bench.done.append(("start", self.settings.name))

    def stopService(self) -> "Deferred[None]":
        self.running = 0
        self.bench.done.append(("stop", self.settings.name))
        return self.bench.stopped

    async def reload(self, caller: Caller) -> None:
        assert caller is ITSELF
        self.bench.done.append(("reload", self.settings.name))
        if self.bench.error is not None:
            raise self.bench.error


class Bench:
    """A service whose site is a fake."""

    def __init__(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (here / "gatekeeper.toml").write_text('name = "first"')
        self.done: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.stopped: Deferred[None] = succeed(None)
        self.net: Any = MemoryReactorClock()
        self.service = Gatekeeper(options(), self.net)
        monkeypatch.setattr(self.service, "_make", self._make)
        monkeypatch.setattr("gatekeeper.tap.signal.signal", lambda *_: None)
        monkeypatch.setattr("gatekeeper.tap.gc.freeze", lambda: None)
        self.service.privilegedStartService()
        self.service.startService()

    def _make(self, settings: config.Site) -> None:
        self.service._site = FakeSite(self, settings)


@pytest.fixture
def bench(here: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(here, monkeypatch)


def test_a_hangup_has_the_site_read_its_configuration_while_it_runs(bench: Bench) -> None:
    bench.service.reload()
    assert bench.done == [("start", "first"), ("reload", "first")]


def test_a_configuration_that_cannot_be_used_has_been_said_and_ends_nothing(bench: Bench) -> None:
    bench.error = NotReloaded("listen: can't")
    with Log() as log:
        bench.service.reload()
    assert not log.lines
    bench.error = RuntimeError("a bug")
    with Log() as log:
        bench.service.reload()
    assert log.count("an error of ours")
    assert bench.done == [("start", "first"), ("reload", "first"), ("reload", "first")]


def test_a_hangup_while_another_waits_is_the_same_one(bench: Bench) -> None:
    bench.service._site.waits = True
    bench.service.reload()
    assert bench.done == [("start", "first")]


def test_a_hangup_after_the_stop_began_changes_nothing(bench: Bench) -> None:
    bench.stopped = Deferred()
    bench.service.stopService()
    bench.service.reload()
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
