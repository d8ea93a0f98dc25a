"""How long a campaign is, what it prints, and workers for it."""

from __future__ import annotations

import ctypes
import os
import random
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

IS_FULL = os.environ.get("POLLCTL_CAMPAIGN") == "full"
SEED = int(os.environ.get("POLLCTL_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
"""Of every draw; ``POLLCTL_SEED`` repeats one."""
WORKERS = 2

Task = TypeVar("Task")
Result = TypeVar("Result")


def size(bounded: int, full: int) -> int:
    """How much is done: *full* where ``POLLCTL_CAMPAIGN=full``, else *bounded*."""
    return full if IS_FULL else bounded


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
