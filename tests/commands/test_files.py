"""Files that commands write: whole or not at all."""

from pathlib import Path

import pytest

from gatekeeper.commands.files import written
from gatekeeper.errors import Conflict


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    with written(str(tmp_path / "x")) as file:
        file.write(b"all")
        assert not (tmp_path / "x").exists()
    assert (tmp_path / "x").read_bytes() == b"all"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_one_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("before")
    with pytest.raises(Conflict, match="is there already"), written(str(tmp_path / "x")):
        pytest.fail("it must not be begun")
    assert (tmp_path / "x").read_text() == "before"
    with written(str(tmp_path / "x"), replace=True) as file:
        file.write(b"after")
    assert (tmp_path / "x").read_text() == "after"


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("before")

    def fail() -> None:
        with written(str(tmp_path / "x"), replace=True) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("x", "before")]
