"""The command line of a process that begins as a copy of its supervisor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from pollctl import clock
from pollctl.cli import shutdown, start
from pollctl.plugin_host.discovery import GROUP
from pollctl.plugin_host.installed import entry_points
from pollctl.supervision import watchdog

LOADED_BEFORE = ("sqlite_utils", "pollctl.cli.passes", "pollctl.passes.engine")
"""What every pass imports, and what that imports: nothing here starts a thread, or opens or locks anything."""


def command() -> Callable[[Sequence[str]], int]:
    """What carries out a command line in a copy of this process, which has all that passes need from now on."""
    for name in LOADED_BEFORE:
        import_module(name)
    entry_points(GROUP)  # what is installed is looked for once, too
    return _carry_out


def _carry_out(words: Sequence[str]) -> int:
    sys.argv[1:] = words
    clock.begin_again()
    watchdog.begin_again()
    shutdown.log_in_one_line()
    return shutdown.leave(start(words))
