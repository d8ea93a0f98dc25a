"""Whatever a plugin does: its own pass fails, it is named, all others run, and nobody sees a traceback.

``POLLCTL_CAMPAIGN=full`` has every hook raise and touch the database in every way; else it is a part of them.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import faulty_plugins
import pytest
from core.supervision.supervised import is_alive, kill_leftover
from faulty_plugins import Faulty
from msgspec import Struct
from place import eventually
from plugin_package import Env, make_plugin_package, spawn_pollctl, write_settings
from ways_of_starting import FORKED, STARTED_ANEW, starting

from pollctl.store import database

pytestmark = pytest.mark.slow

IS_FULL = os.environ.get("POLLCTL_CAMPAIGN") == "full"
AT_ONCE = 10
DEADLINE_S = 5  # with the grace less than the 10 s that others wait for the database
NOT_IN_BOUNDED = ("_base", "_generator_exit", "_cancelled", "_memory")


def part(cases: Mapping[str, Faulty]) -> dict[str, Faulty]:
    """All cases, or those of ``apply`` and the ones that differ from hook to hook."""
    if IS_FULL:
        return dict(cases)
    return {name: case for name, case in cases.items() if not name.endswith(NOT_IN_BOUNDED) or "apply" in name}


CASES = {
    **faulty_plugins.UNREADABLE,
    **part(faulty_plugins.RAISING),
    **part(faulty_plugins.DATABASE),
    **faulty_plugins.TYPES,
    **faulty_plugins.SURROUNDINGS,
}
FORKING = ("forks", "forks_away", "forks_and_returns")
ALL = {**CASES, **faulty_plugins.HANGING, **faulty_plugins.HOLDING}


class Seen(Struct, frozen=True):
    """What one ``due --run`` left of one faulty plugin, and of the sound plugin beside it."""

    outcome: str
    lines: Sequence[str]
    exit_code: int
    sound: str
    strangers: Sequence[str]
    integrity: str


def try_out(folder: Path, cases: Mapping[str, Faulty], deadline_s: int = 60) -> dict[str, Seen]:
    """Run the faulty plugins and a sound plugin side by side, as cron does."""
    folder.mkdir()
    env: Env = {}
    for name, case in cases.items():
        env = make_plugin_package(folder, name, faulty_plugins.source(name, **case.bodies), env=env)
    env = make_plugin_package(folder, "sound", faulty_plugins.source("sound"), env=env)
    sections = [f'[plugins.{name}]\ndeadline = "{deadline_s}s"' for name in cases]
    write_settings(folder, 'grace = "3s"', *sections, "[plugins.sound]")
    database.open_to_write(folder / "pollctl.db").close()
    done = spawn_pollctl(folder, env, "due", "--run", timeout=240)
    assert done.stdout == ""
    with closing(sqlite3.connect(folder / "pollctl.db")) as db:
        outcomes = dict(db.execute("SELECT plugin, outcome FROM runs"))
        ((integrity,),) = db.execute("PRAGMA integrity_check").fetchall()
    lines = done.stderr.splitlines()
    return {
        name: Seen(
            outcome=outcomes.get(name, ""),
            lines=[line for line in lines if line.startswith(f"{name}: ")],
            exit_code=done.returncode,
            sound=outcomes.get("sound", ""),
            strangers=[line for line in lines if line.partition(":")[0] not in cases],
            integrity=integrity,
        )
        for name in cases
    }


@pytest.fixture(scope="module", params=[FORKED, STARTED_ANEW])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seen]]:
    """All faulty plugins, tried out in groups; one that holds the database has a database of its own."""
    folder = tmp_path_factory.mktemp("faulty")
    names = [name for name in CASES if request.param == FORKED or name not in FORKING]
    groups = [({name: CASES[name] for name in names[at : at + AT_ONCE]}, 60) for at in range(0, len(names), AT_ONCE)]
    groups += [
        (faulty_plugins.HANGING, DEADLINE_S),
        *(({name: case}, DEADLINE_S) for name, case in faulty_plugins.HOLDING.items()),
    ]
    with starting(request.param), ThreadPoolExecutor(3) as side_by_side:
        trials = [
            side_by_side.submit(try_out, folder / str(number), *group) for number, group in enumerate(reversed(groups))
        ]
    yield {name: one for trial in trials for name, one in trial.result().items()}
    for pid_file in folder.glob("*/away-*.pid"):
        kill_leftover(pid_file)


@pytest.mark.parametrize("name", ALL)
def test_a_faulty_plugin_ends_as_it_must_and_is_named(seen: dict[str, Seen], name: str) -> None:
    if name not in seen:
        pytest.skip("there is no fork for it, either, where passes are started anew")
    case, one = ALL[name], seen[name]
    assert case.outcome in ("any", one.outcome), one
    if case.outcome in ("failed", "crashed", "partial", ""):
        assert one.lines, "nobody hears of it"
        assert one.exit_code == 1 or case.outcome == "partial"
    for words in case.says:
        assert words in "\n".join(one.lines)


def test_the_others_run_and_nothing_is_left_half_done(seen: dict[str, Seen]) -> None:
    assert {one.sound for one in seen.values()} == {"ok"}
    assert {one.integrity for one in seen.values()} == {"ok"}
    assert "running" not in {one.outcome for one in seen.values()}
    assert [line for one in seen.values() for line in one.strangers] == []
    print(f"figure: misbehaving plugins: {len(seen)} of {len(ALL)} contained and named; the others ran beside each")


def test_nobody_sees_a_traceback(seen: dict[str, Seen]) -> None:
    told = "\n".join(line for one in seen.values() for line in one.lines)
    assert "Traceback" not in told
    assert 'File "' not in told


def test_a_raised_error_is_one_line(seen: dict[str, Seen]) -> None:
    assert {
        name: len(seen[name].lines) for name in CASES if name in faulty_plugins.RAISING and len(seen[name].lines) != 1
    } == {}


BY_HAND = {
    "raises KeyboardInterrupt": ({"decide": "raise KeyboardInterrupt"}, 1, "decide raised KeyboardInterrupt"),
    "leaves a thread": ({"fetch": "threading.Thread(target=time.sleep, args=(600,)).start()\nyield Batch(1)"}, 0, ""),
    "replaces stdout": ({"fetch": "sys.stdout = io.StringIO()\nyield Batch(1)"}, 0, ""),
    "closes both streams": (
        {"fetch": "sys.stdout.close()\nsys.stderr.close()\nyield 1"},
        1,
        "fetch gave int, not Batch",
    ),
    "hangs": ({"apply": "while True:\n    time.sleep(0.1)"}, 1, "did not end within its deadline of 3s and 1s grace"),
}


@pytest.mark.parametrize(("bodies", "code", "says"), BY_HAND.values(), ids=BY_HAND)
def test_by_hand_a_faulty_plugin_ends_too_and_its_report_comes_out(
    tmp_path: Path, bodies: dict[str, str], code: int, says: str
) -> None:
    env = make_plugin_package(tmp_path, "faulty", faulty_plugins.source("faulty", **bodies))
    write_settings(tmp_path, 'grace = "1s"', '[plugins.faulty]\ndeadline = "3s"')
    began = time.monotonic()
    done = spawn_pollctl(tmp_path, env, "run", "faulty", timeout=100)
    assert time.monotonic() - began < 60
    assert done.returncode == code, done
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert ("faulty: ok" in done.stdout) == (code == 0)


def test_a_child_that_a_pass_leaves_behind_does_not_keep_its_lock(tmp_path: Path) -> None:
    body = faulty_plugins.SURROUNDINGS["forks_away"].bodies
    env = make_plugin_package(tmp_path, "faulty", faulty_plugins.source("faulty", **body))
    write_settings(tmp_path)
    try:
        for children in (1, 2):
            assert spawn_pollctl(tmp_path, env, "run", "faulty", stdout=None, stderr=None).returncode == 0
            assert eventually(lambda: len(list(tmp_path.glob("away-*.pid"))) == children)  # noqa: B023 - called at once
        assert all(map(is_alive, tmp_path.glob("away-*.pid")))
    finally:
        for pid_file in tmp_path.glob("away-*.pid"):
            kill_leftover(pid_file)


def test_ctrl_c_is_still_the_persons(tmp_path: Path) -> None:
    source = faulty_plugins.source("faulty", fetch="os.kill(os.getpid(), signal.SIGINT)\nyield Batch(1)")
    env = make_plugin_package(tmp_path, "faulty", source)
    done = spawn_pollctl(tmp_path, env, "run", "faulty", "--json")
    assert done.returncode == 128 + signal.SIGINT
    assert '"interrupted"' in done.stdout
