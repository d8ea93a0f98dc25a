"""Where ``pollctl`` and ``python -m pollctl`` begin; what cron starts each minute imports no more than it needs."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line; answers the exit code."""
    from pollctl.due import fast_path

    if fast_path.is_nothing_due(sys.argv[1:], os.environ):
        os._exit(0)  # nothing was said, nothing is open: to take Python down in order takes as long as all of this
    from pollctl.cli import shutdown, start

    shutdown.log_in_one_line()
    return shutdown.leave(start())


if __name__ == "__main__":
    sys.exit(main())
