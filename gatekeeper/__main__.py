"""`python -m gatekeeper`: the command line, as the console script `gatekeeper` runs it."""

import sys

from gatekeeper.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
