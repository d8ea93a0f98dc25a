"""How long a campaign is, what it prints, and workers for it."""

from __future__ import annotations

import ctypes
import os
import random
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import TypeVar

IS_FULL = os.environ.get("POLLCTL_CAMPAIGN") == "full"
SEED = int(os.environ.get("POLLCTL_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
"""Of every draw; ``POLLCTL_SEED`` repeats one."""
WORKERS = 2
MEMORY = "/dev/shm"

Task = TypeVar("Task")
Result = TypeVar("Result")


def size(bounded: int, full: int) -> int:
    """How much is done: *full* where ``POLLCTL_CAMPAIGN=full``, else *bounded*."""
    return full if IS_FULL else bounded


def folder_in_memory() -> TemporaryDirectory[str]:
    """A temporary folder, in memory where there is such a place: a process that is killed leaves the same behind in both."""
    return TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None)


def figure(text: str) -> None:
    """Print one line that can be quoted."""
    print(f"figure: {text} (seed {SEED}, {'full' if IS_FULL else 'bounded'})")


def side_by_side(function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
    """Do tasks in two processes of their own; an error in one is raised here."""
    count = min(WORKERS, len(tasks))
    with ProcessPoolExecutor(count, get_context("spawn"), initializer=_die_with_parent) as workers:
        return list(workers.map(function, tasks))


def _die_with_parent() -> None:
    """Leave no worker behind when a campaign is killed (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))
