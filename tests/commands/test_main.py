"""What is the same for every command: help, options in any place, one line when something is wrong."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gatekeeper
from gatekeeper.commands import main as line
from gatekeeper.errors import ConfigurationError, NoSuchUser
from tests.commands.line import good, run

ROOT = Path(__file__).parents[2]


def parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return a parser and all below it."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [parser, *(one for action in below for child in action.choices.values() for one in parsers(child))]


ALL = {parser.prog: parser for parser in parsers(line.parser())}
LEAVES = {name: parser for name, parser in ALL.items() if parser.get_default("run") is not None}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let every command do what the list's first element says: raise it or return it."""
    todo: list[Any] = []

    def do(_: argparse.Namespace) -> Any:
        if isinstance(todo[0], BaseException):
            raise todo[0]
        return todo[0]

    make = line.parser

    def parser() -> argparse.ArgumentParser:
        it = make()
        for one in parsers(it):
            if one.get_default("run") is not None:
                one.set_defaults(run=do)
        return it

    monkeypatch.setattr(line, "parser", parser)
    return todo


# --- help ---


@pytest.mark.parametrize("name", ALL)
def test_every_command_explains_itself(name: str) -> None:
    text = good(*name.split()[1:], "--help")
    assert text.startswith(f"usage: {name} ")
    assert "--config" in text
    about = ALL[name].description
    assert about is not None
    assert about.strip().endswith(".")


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_of_a_command_is_explained(name: str) -> None:
    for action in LEAVES[name]._actions:
        assert action.help or not action.option_strings, f"{name}: {action.dest}"


def test_every_command_is_listed_with_a_phrase() -> None:
    for parser in ALL.values():
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                listed = {choice.dest: choice.help for choice in action._choices_actions}
                assert set(listed) == set(action.choices)
                assert all(listed.values())


def test_the_version_is_told() -> None:
    assert good("--version") == f"gatekeeper {gatekeeper.__version__}\n"


def test_no_command_takes_a_password_as_an_argument() -> None:
    for name, parser in ALL.items():
        for action in parser._actions:
            if "password" in action.dest:
                assert action.nargs == 0, f"{name} {action.dest}: others see what a process was started with"


# --- what is wrong with the line itself ---


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "the following arguments are required: COMMAND; see gatekeeper --help"),
        (["tls"], "the following arguments are required: COMMAND; see gatekeeper tls --help"),
        (["tls", "init", "--nam", "x"], "unrecognized arguments: --nam x; see gatekeeper --help"),
        (["tls", "init", "--name"], "argument -n/--name: expected one argument; see gatekeeper tls init --help"),
    ],
)
def test_a_wrong_line_is_told_in_one(arguments: list[str], why: str) -> None:
    assert run(*arguments).why == why


def test_an_unknown_command_is_told_with_those_that_there_are() -> None:
    assert "'frobnicate'" in run("frobnicate").why
    assert "tls" in run("frobnicate").why


# --- what goes wrong in a command ---


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NoSuchUser("there is no user ana"), "there is no user ana"),
        (ConfigurationError("two\nlines"), "two lines"),
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y: Permission denied"),
        (OSError("odd"), "odd"),
    ],
)
def test_what_goes_wrong_is_one_line(failing: list[Any], error: Exception, why: str) -> None:
    failing.append(error)
    assert run("tls", "init").why == why


def test_a_mistake_of_ours_is_not_hidden(failing: list[Any]) -> None:
    failing.append(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run("tls", "init")


@pytest.mark.parametrize(("given", "code"), [(None, 0), (0, 0), (3, 3)])
def test_a_command_says_how_it_ended(failing: list[Any], given: int | None, code: int) -> None:
    failing.append(given)
    assert run("tls", "init").code == code


def test_ctrl_c_is_no_traceback(failing: list[Any]) -> None:
    failing.append(KeyboardInterrupt())
    done = run("tls", "init")
    assert (done.code, done.err) == (130, "")


def test_a_reader_that_went_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m gatekeeper openapi | head -c 10"
    ended = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S602
    assert (ended.stdout[:1], ended.stderr) == ("{", "")


# --- which site ---


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "etc/shop.toml", "tls", "init"],
        ["tls", "--config", "etc/shop.toml", "init"],
        ["tls", "init", "-c", "etc/shop.toml"],
        ["tls", "init", "--config=etc/shop.toml"],
    ],
)
def test_the_configuration_may_be_named_anywhere(here: Path, arguments: list[str]) -> None:
    (here / "etc").mkdir()
    (here / "etc" / "shop.toml").write_text('data = "kept"')
    good(*arguments)
    assert (here / "etc" / "kept" / "tls" / "ca.pem").exists()


def test_the_data_folder_may_be_named_anywhere(here: Path) -> None:
    good("--data", "one", "tls", "init")
    good("tls", "init", "-d", "two")
    assert {path.name for path in here.iterdir()} == {"one", "two"}


def test_the_file_in_the_folder_is_found(here: Path) -> None:
    (here / "gatekeeper.toml").write_text('data = "kept"')
    good("tls", "init")
    assert (here / "kept").exists()


def test_without_a_file_it_is_the_demo_sites_data(here: Path) -> None:
    good("tls", "init")
    assert (here / "gatekeeper-data").exists()


def test_a_wrong_configuration_is_told(here: Path) -> None:
    assert run("tls", "init", "-c", "none.toml").why.startswith("none.toml: can't be read: ")
    (here / "gatekeeper.toml").write_text("nam = 5")
    assert "nam: no such key" in run("tls", "init").why


# --- what is loaded ---


def test_the_frame_needs_no_reactor() -> None:
    code = "import gatekeeper.commands.main as m, sys; m.parser(); print('twisted.internet.reactor' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_it_is_run_as_a_module() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "gatekeeper", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout == f"gatekeeper {gatekeeper.__version__}\n"
