"""One pass of a plugin at a time (core §1.1; reliability "The machine")."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pollctl.errors import LockedError
from pollctl.store import lock

HOLD = """
import os, sys, time
from pathlib import Path
from pollctl.store import lock
with lock.held(Path(sys.argv[1]), run_id="run-1"):
    if "fork" in sys.argv:
        if os.fork() == 0:
            os.close(1)
            time.sleep(30)
            os._exit(0)
    if "spawn" in sys.argv:
        import subprocess
        subprocess.Popen(["sleep", "30"], close_fds=False, stdout=subprocess.DEVNULL)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "poll.db.latency.lock"


def hold(path: Path, *how: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), *how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    child.communicate("")


def test_a_second_holder_is_told_who_has_it_and_since_when(path: Path) -> None:
    child = hold(path)
    with (
        pytest.raises(LockedError, match=rf"pid {child.pid}, run run-1, since 20\d\d-"),
        lock.held(path, run_id="run-2"),
    ):
        pass
    end(child)
    with lock.held(path, run_id="run-2"):
        pass


def test_a_killed_holder_leaves_no_stale_lock(path: Path) -> None:
    child = hold(path)
    child.kill()
    child.communicate()
    assert lock.holder(path) is None
    with lock.held(path, run_id="run-2"):
        pass


def test_waiting_takes_the_lock_when_it_comes_free(path: Path) -> None:
    child = hold(path)
    started = time.monotonic()
    waiter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from pollctl.store import lock\n"
            "with lock.held(Path(sys.argv[1]), run_id='run-2', wait=20): print('mine')",
            str(path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.5)
    assert waiter.poll() is None
    end(child)
    assert waiter.communicate()[0] == "mine\n"
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_the_lock_does_not_leak_into_children(path: Path, how: str) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    try:
        with lock.held(path, run_id="run-2", wait=10):  # the child closes its copy as soon as it gets to run
            assert holder.poll() is not None
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.communicate()


def test_asking_who_holds_it_neither_takes_it_nor_makes_a_start_fail(path: Path) -> None:
    asker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from pollctl.store import lock\n"
            "print('asking', flush=True)\n"
            "while True: lock.holder(Path(sys.argv[1]))",
            str(path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asker.stdout is not None
    asker.stdout.readline()
    try:
        for number in range(300):
            with lock.held(path, run_id=f"run-{number}"):
                pass
    finally:
        asker.kill()
        asker.communicate()


def test_a_deleted_lock_file_does_not_lead_two_newcomers_to_different_files(path: Path) -> None:
    with lock.held(path, run_id="run-1"):
        path.unlink()
        newcomer = hold(path)
        with pytest.raises(LockedError), lock.held(path, run_id="run-3"):
            pass
        end(newcomer)


def test_the_lock_file_stays_private_and_is_never_unlinked(path: Path) -> None:
    with lock.held(path, run_id="run-1"):
        number = path.stat().st_ino
    assert path.stat().st_ino == number
    assert path.stat().st_mode & 0o777 == 0o600
