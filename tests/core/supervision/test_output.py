"""What passes print never gets into their report, and a flood of it never fills the supervisor's memory."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from core.supervision.supervised import Supervised
from plugin_package import json_of, spawn_pollctl

from pollctl.supervision.stderr_lines import MOST_KEPT, StderrLines

AT_EXIT = "import atexit; atexit.register(print, 'good bye')\nyield Batch(1)"
FLOOD = "for _ in range(40_000):\n    print('x' * 1000)\nyield Batch(1)"
FLOOD_AT_EXIT = (
    "import atexit; atexit.register(lambda: [print('x' * 1000) for _ in range(10_000)])\n"
    "raise ValueError('out of beans')\nyield"
)


@pytest.fixture
def world(tmp_path: Path) -> Supervised:
    world = Supervised(tmp_path)
    world.settings("[plugins.alpha]")
    return world


def test_what_a_plugin_prints_at_exit_comes_out_like_a_line_of_stderr(world: Supervised) -> None:
    world.fetching("alpha", AT_EXIT)
    done = world.due_run("due", "--run", "--json")
    (report,) = json_of(done)
    assert (done.returncode, report["outcome"], report["batches"]) == (0, "ok", 1)
    assert done.stderr == "alpha: good bye\n"
    assert world.outcomes() == {"alpha": "ok"}


def test_what_a_plugin_writes_to_the_descriptor_of_stdout_is_not_taken_for_a_report(world: Supervised) -> None:
    forged = '{"outcome": "ok", "plugin": "alpha"}'
    world.fetching("alpha", f"os.write(1, b'{forged}'); os._exit(0)\nyield")
    done = world.due_run()
    assert done.returncode == 1
    assert world.outcomes() == {"alpha": "crashed"}


def test_processes_that_a_plugin_starts_do_not_have_the_descriptor_of_the_report(world: Supervised) -> None:
    look = "subprocess.run(['ls', '-l', '/proc/self/fd'], stdout=(here / 'open').open('w'), close_fds=False)"
    world.fetching("alpha", f"{look}\nyield Batch(1)")
    assert world.due_run().returncode == 0
    assert "pipe:" in (world.folder / "open").read_text()  # stdout and stderr of the pass itself
    assert len({line.split()[-1] for line in (world.folder / "open").read_text().splitlines() if "pipe:" in line}) == 1


@pytest.mark.parametrize(("fetch", "code"), [(FLOOD, 0), (FLOOD_AT_EXIT, 1)], ids=["during the pass", "at exit"])
def test_a_flood_on_stdout_is_cut_off_with_a_note(world: Supervised, fetch: str, code: int) -> None:
    world.fetching("alpha", fetch)
    done = world.due_run(preexec_fn=_with_little_memory)
    assert done.returncode == code
    assert len(done.stderr) < 2 * MOST_KEPT
    assert "(the rest of what it printed is left out: " in done.stderr
    assert ("out of beans" in done.stderr) == bool(code)


def test_why_a_process_ends_is_kept_after_a_flood() -> None:
    lines = StderrLines(is_live=False)
    for _ in range(20_000):
        lines.take("alpha", "x" * 1000)
    lines.take("alpha", "pollctl: no beans left")
    assert lines.errors("alpha") == "no beans left"


def test_a_report_goes_to_stdout_for_people_only(world: Supervised) -> None:
    world.fetching("alpha", AT_EXIT)
    assert world.due_run("run", "alpha", "--json").stdout.startswith("{")
    reader, writer = os.pipe()
    with os.fdopen(reader) as pipe:
        words = ("run", "alpha", "--report-to", str(writer))
        done = spawn_pollctl(world.folder, world.env, *words, pass_fds=(writer,))
        os.close(writer)
        report = pipe.read()
    assert done.returncode == 0
    assert done.stdout == "good bye\n"
    assert report.startswith("{")


def test_a_descriptor_that_is_not_open_is_wrong_usage(world: Supervised) -> None:
    world.fetching("alpha", AT_EXIT)
    done = world.due_run("run", "alpha", "--report-to", "77")
    assert done.returncode == 2
    assert done.stderr.startswith("pollctl: --report-to 77: ")
    assert len(done.stderr.splitlines()) == 1


def _with_little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
