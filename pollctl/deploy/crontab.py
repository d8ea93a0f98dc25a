"""The lines for cron."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pollctl.errors import UsageError

_HEAD = """\
# pollctl: started every minute, it runs what is due and ends at once when nothing is.
# It prints nothing while all is well, so cron's mail means something: name somebody who reads it.
MAILTO=root
"""


def text(program: Sequence[str], user: str = "") -> str:
    """The lines that start ``due --run`` each minute.

    Args:
        program: the words that start pollctl, with its settings file.
        user: who runs it, as files in ``/etc/cron.d`` say; empty for the crontab of one user.

    Raises:
        UsageError: a path among them cannot stand in a crontab.
    """
    command = shlex.join(program).replace("%", "\\%")  # cron takes a bare % for the end of the command
    if not command.isprintable():
        raise UsageError(f"no crontab can hold such a path: {command}")
    return _HEAD + " ".join(["* * * * *", *filter(None, [user]), command, "due --run"])
