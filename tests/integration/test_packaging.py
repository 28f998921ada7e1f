"""The wheel and the editable install: what is in them, and that `twistd gatekeeper` works from any folder."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import gatekeeper
from tests.integration.conftest import Started
from tests.integration.processes import BIN

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds for a build


def build(kind: str, source: Path, folder: Path, **env: str) -> Path:
    """Build a `wheel` or an `sdist` without fetching the build's own requirements again."""
    built = subprocess.run(
        [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(folder), str(source)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, **env},
    )
    assert built.returncode == 0, built.stdout + built.stderr
    [made] = folder.glob({"wheel": "*.whl", "sdist": "*.tar.gz"}[kind])
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as `pip wheel .` does."""
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(folder), str(wheel)], check=True, timeout=PATIENCE)
    return folder


def test_the_wheel_holds_the_program_the_plugin_and_the_built_pages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "gatekeeper/http/dashboard/index.html" in names
    assert any(name.startswith("gatekeeper/http/dashboard/assets/") and name.endswith(".js") for name in names)
    assert "twisted/plugins/gatekeeper_plugin.py" in names
    assert "gatekeeper/py.typed" in names
    assert not {"twisted/__init__.py", "twisted/plugins/__init__.py"} & set(names)
    assert not [name for name in names if name.startswith(("tests/", "web/", "firmware/")) or "node_modules" in name]
    assert wheel.name.startswith(f"gatekeeper_server-{gatekeeper.__version__}-py3-none-any")


def test_a_source_distribution_builds_the_same_wheel_without_node(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(build("sdist", ROOT, tmp_path)) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = (path for path in tmp_path.iterdir() if path.is_dir())
    again = build("wheel", source, tmp_path / "out", PATH=str(tmp_path))  # no npm there
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_an_installed_wheel_runs_the_demo_site_with_its_pages_from_any_folder(start: Started, installed: Path) -> None:
    code = "import gatekeeper, sys; sys.stdout.write(gatekeeper.__file__)"
    # `twistd` of this environment, and the wheel's folder before the editable install.
    env = {"PYTHONPATH": str(installed)}
    where = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **env},
        cwd=start.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(installed))
    options = ("--pidfile=", "gatekeeper", "--listen", "tcp:0:interface=127.0.0.1")
    site = start.process(str(BIN / "twistd"), "-n", *options, env=env)
    port = site.expect(r"open http://127\.0\.0\.1:(\d+)/login")[1]
    page = subprocess.run(
        [sys.executable, "-c", f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{port}/').read())"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert "/assets/index-" in page.stdout


def test_the_editable_install_gives_twistd_gatekeeper_in_any_folder(start: Started) -> None:
    shown = start.process(str(BIN / "twistd"), "gatekeeper", "--version")
    assert shown.wait() == 0
    assert shown.output == f"gatekeeper {gatekeeper.__version__}"


def test_twistds_help_lists_gatekeeper_and_imports_nothing_of_it(start: Started) -> None:
    code = (
        "import sys\nfrom twisted.application.twist import _options\nfrom twisted.plugin import getPlugins\n"
        "from twisted.application.service import IServiceMaker\n"
        "print([p.description for p in getPlugins(IServiceMaker) if p.tapname == 'gatekeeper'])\n"
        "print(sorted(name for name in sys.modules if name.startswith('gatekeeper')))"
    )
    listed = start.process(sys.executable, "-c", code)
    assert listed.wait() == 0, listed.output
    assert listed.lines == ["['Watch cameras and work doors.']", "[]"]
