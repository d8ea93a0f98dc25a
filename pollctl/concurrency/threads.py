"""Starting threads, on a machine that may have none to give."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pollctl.errors import MachineError


def start_daemon(target: Callable[..., None], *arguments: Any, name: str) -> threading.Thread:
    """Start a thread that does not keep the process from exiting.

    Raises:
        MachineError: no thread can be started: a limit of the system or of the container is reached.
    """
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise no_thread(error) from error
    return thread


def no_thread(error: RuntimeError) -> MachineError:
    """What Python says where it cannot start a thread, and what would work."""
    return MachineError(f"no thread can be started ({error}): raise the limit of processes (`ulimit -u`, pids.max)")
