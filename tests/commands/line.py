"""The command line, run in this process."""

import sys
from dataclasses import dataclass
from io import StringIO
from unittest.mock import patch

from gatekeeper.commands.main import main


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def why(self) -> str:
        """The one line that a command that failed says."""
        assert self.code == 1, self
        assert self.err.startswith("gatekeeper: "), self.err
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix("gatekeeper: ").rstrip("\n")


def run(*arguments: str, stdin: str = "") -> Done:
    """Run a command."""
    out, err = StringIO(), StringIO()
    with (
        patch.object(sys, "stdout", out),
        patch.object(sys, "stderr", err),
        patch.object(sys, "stdin", StringIO(stdin)),
    ):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
    return Done(code, out.getvalue(), err.getvalue())


def good(*arguments: str, stdin: str = "") -> str:
    """Run a command that has to succeed; return what it said."""
    done = run(*arguments, stdin=stdin)
    assert (done.code, done.err) == (0, ""), done
    return done.out
