"""Where ``pollctl`` and ``python -m pollctl`` begin; what cron starts each minute imports no more than it needs."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # see pollctl/__init__.py
if TYPE_CHECKING:
    from typing import NoReturn

_ALLOCATIONS = 20_000
"""Between two looks for garbage; with Python's 700, imports alone make a hundred of them."""


def main() -> int:
    """Run the command line; answers the exit code."""
    from pollctl.due import fast_path

    if fast_path.is_nothing_due(sys.argv[1:], os.environ):
        os._exit(0)  # nothing was said, nothing is open: to take Python down in order takes as long as all of this
    import gc

    gc.set_threshold(_ALLOCATIONS)
    from pollctl.cli import shutdown, start

    shutdown.log_in_one_line()
    return shutdown.leave(start())


def run() -> NoReturn:
    """Run the command line and end the process; what the commands ``pollctl`` and ``python -m pollctl`` do."""
    code = main()
    from pollctl.cli import shutdown

    shutdown.end_soon(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
