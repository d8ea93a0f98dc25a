"""Plugins that misbehave on demand, and `due --run` as a process, for the tests of the supervisor."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from place import Place
from plugin_package import Done
from sample_plugin import indented, plain

from pollctl.store.database import open_to_write

NEVER_BACK_OFF = 'backoff = "0s"\n'
_IMPORTS = "import re, subprocess\nfrom pathlib import Path\n"


class Supervised(Place):
    """A place with a database, whose plugins are given as what their fetch does; ``here`` is the folder there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        open_to_write(self.database).close()

    def fetching(self, name: str, fetch: str) -> None:
        """Install a plugin whose fetch does *fetch*."""
        body = f"here = Path(os.environ['HOME'])\n{fetch}"
        self.plugin(name, plain(module=_IMPORTS, fetch=f"(run):\n{indented(body)}"))

    def due_run(self, *words: str, minute: int = 0, **more: Any) -> Done:
        """Run pollctl as a process at a minute of a stopped clock, so that each minute has its slot; ``due --run`` without words."""
        return self.spawn(*(words or ("due", "--run")), now=f"2026-03-08T12:{minute:02d}:00Z", **more)


def is_alive(pid_file: Path) -> bool:
    """Whether the process whose number is in a file runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{int(pid_file.read_text())}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def kill_leftover(pid_file: Path) -> None:
    """End a process that a failed test may have left."""
    if is_alive(pid_file):
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
