"""A supervisor that was stopped (SIGSTOP, a paused machine) looks before it kills."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from core.supervision.supervised import Supervised, is_alive
from place import eventually

ENDS_ON_DEMAND = """
(here / 'pid').write_text(str(os.getpid()))
while not (here / 'go').exists():
    time.sleep(0.01)
yield Batch(1)
"""


@pytest.fixture
def world(tmp_path: Path) -> Supervised:
    world = Supervised(tmp_path)
    world.fetching("alpha", ENDS_ON_DEMAND)
    (tmp_path / "pollctl.toml").write_text(
        '[pollctl]\ndatabase = "pollctl.db"\ngrace = "500ms"\n[plugins.alpha]\ndeadline = "3s"\n'
    )
    return world


@pytest.mark.slow
def test_a_pass_that_ended_well_while_its_supervisor_was_stopped_is_not_called_killed(world: Supervised) -> None:
    pid_file = world.folder / "pid"
    with world.running("due", "--run") as process:
        assert eventually(pid_file.exists)
        began = time.monotonic()
        process.send_signal(signal.SIGSTOP)
        (world.folder / "go").touch()
        assert eventually(lambda: not is_alive(pid_file))
        time.sleep(max(0.0, began + 4 - time.monotonic()))
        process.send_signal(signal.SIGCONT)
        stdout, stderr = process.communicate(timeout=20)
    assert stderr == ""
    assert (process.returncode, stdout) == (0, "")
    assert world.outcomes() == {"alpha": "ok"}


@pytest.mark.slow
def test_a_pass_that_still_lives_when_its_supervisor_goes_on_is_killed_all_the_same(world: Supervised) -> None:
    pid_file = world.folder / "pid"
    with world.running("due", "--run") as process:
        assert eventually(pid_file.exists)
        began = time.monotonic()
        process.send_signal(signal.SIGSTOP)
        _stop(pid_file)
        time.sleep(max(0.0, began + 4 - time.monotonic()))
        process.send_signal(signal.SIGCONT)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 1
    assert stderr == "alpha: killed 3.5 s after its start, at the end of deadline and grace\n"
    assert world.outcomes() == {"alpha": "crashed"}


def _stop(pid_file: Path) -> None:
    os.kill(int(pid_file.read_text()), signal.SIGSTOP)
