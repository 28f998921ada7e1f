"""setuptools with the dashboard built first.

A source tree has no built dashboard (`gatekeeper/http/dashboard`), so a wheel or an editable install runs Vite; a
source distribution carries the result and needs no Node.js. Editable installs use setuptools' compat mode: the
default one hides `twisted/plugins` from twistd.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

WEB = Path(__file__).resolve().parent
DASHBOARD = WEB.parent / "gatekeeper" / "http" / "dashboard"

Settings = Mapping[str, Any] | None


def build_dashboard() -> None:
    """Run Vite unless the dashboard is built and newer than its sources, or GATEKEEPER_NO_DASHBOARD is set."""
    if os.environ.get("GATEKEEPER_NO_DASHBOARD"):
        return
    index = DASHBOARD / "index.html"
    sources = [path for path in (WEB / "src").rglob("*") if path.is_file()]
    sources += [
        path for path in (WEB / "index.html", WEB / "package-lock.json", WEB / "vite.config.ts") if path.exists()
    ]
    if index.exists() and all(path.stat().st_mtime <= index.stat().st_mtime for path in sources):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            "gatekeeper: building the dashboard needs Node.js 20 or later with npm; "
            "install it, install a built wheel, or set GATEKEEPER_NO_DASHBOARD=1 to go without the pages"
        )
    if not (WEB / "node_modules" / ".package-lock.json").exists():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=WEB, check=True)
    subprocess.run([npm, "run", "build"], cwd=WEB, check=True)


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    build_dashboard()
    shutil.rmtree(WEB.parent / "build" / "lib", ignore_errors=True)  # a module that is gone would be packed again
    return str(build_meta.build_wheel(wheel_directory, config_settings, metadata_directory))


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    build_dashboard()
    return str(build_meta.build_sdist(sdist_directory, config_settings))


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    build_dashboard()
    settings = {**(config_settings or {}), "editable_mode": "compat"}
    return str(build_meta.build_editable(wheel_directory, settings, metadata_directory))
