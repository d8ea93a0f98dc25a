"""``due --run`` and ``run A B``: a process for each pass, bounded, and quiet unless there is news (core §1.6, §6)."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from core.supervision.supervised import NEVER_BACK_OFF, Supervised, is_alive, kill_leftover
from place import eventually
from plugin_package import json_of

from pollctl import clock
from pollctl.config import settings
from pollctl.store import database
from pollctl.store.lock import held
from pollctl.supervision.supervisor import run_due

pytestmark = pytest.mark.slow

OK = "yield Batch(1)"
FAIL = "raise ValueError('out of beans')"
HANG = "(here / 'hanging').touch(); time.sleep(60); yield Batch(1)"
SLOW = """
(here / 'pid').write_text(str(os.getpid()))
while not run.is_stopping:
    time.sleep(0.02)
yield Batch(1)
"""
MEET = """
(here / {own!r}).touch()
give_up_at = time.monotonic() + 15
while not (here / {other!r}).exists():
    if time.monotonic() > give_up_at:
        raise ValueError('nobody came')
    time.sleep(0.01)
yield Batch(1)
"""


@pytest.fixture
def place(tmp_path: Path) -> Supervised:
    return Supervised(tmp_path)


def section(name: str, *lines: str) -> str:
    return "\n".join([f"[plugins.{name}]", *lines, NEVER_BACK_OFF])


def test_passes_that_go_well_are_silent(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.settings(section("alpha"))
    done = place.due_run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert place.sql("SELECT plugin, trigger, outcome FROM runs") == [("alpha", "due", "ok")]


def test_a_plugin_runs_once_per_slot(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.settings(section("alpha"))
    for minute in (0, 0, 1, 1):
        assert place.due_run(minute=minute).returncode == 0
    assert len(place.sql("SELECT id FROM runs")) == 2


def test_passes_run_side_by_side(place: Supervised) -> None:
    place.fetching("alpha", MEET.format(own="a", other="b"))
    place.fetching("beta", MEET.format(own="b", other="a"))
    place.settings(section("alpha"), section("beta"))
    assert place.due_run().stderr == ""
    assert place.outcomes() == {"alpha": "ok", "beta": "ok"}


def test_json_is_one_list_of_reports(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.settings(section("alpha"), section("beta", 'schedule = "never"'))
    beta, alpha = json_of(place.due_run("due", "--run", "--json"))
    assert (alpha["plugin"], alpha["outcome"], alpha["batches"]) == ("alpha", "ok", 1)
    assert (beta["plugin"], beta["outcome"]) == ("beta", "refused")
    assert "'never' is not a valid schedule" in beta["error"]["message"]


def test_a_failing_plugin_hinders_no_other_and_is_told_once(place: Supervised) -> None:
    place.fetching("alpha", FAIL)
    place.fetching("beta", OK)
    place.settings(section("alpha"), section("beta"))
    first = place.due_run(minute=0)
    assert first.returncode == 1
    assert len(first.stderr.splitlines()) == 1
    assert first.stderr.startswith("alpha: failed: ")
    assert "out of beans" in first.stderr
    again = place.due_run(minute=1)
    assert (again.returncode, again.stderr) == (1, "")
    assert place.outcomes() == {"alpha": "failed", "beta": "ok"}


def test_another_failure_is_news_and_so_is_the_same_after_a_recovery(place: Supervised) -> None:
    place.fetching("alpha", "if (here / 'why').exists():\n    raise ValueError((here / 'why').read_text())\n" + OK)
    place.settings(section("alpha"))
    why, told = place.folder / "why", []
    for minute, text in enumerate(["beans", "beans", "milk", "", "milk", "milk"]):
        why.write_text(text) if text else why.unlink()
        told.append(len(place.due_run(minute=minute).stderr.splitlines()))
    assert told == [1, 0, 1, 0, 1, 0]


def test_a_partial_pass_exits_3_and_is_told_once(place: Supervised) -> None:
    place.fetching("alpha", "run.reached('south'); run.failed('north', 'no answer')\n" + OK)
    place.settings(section("alpha"))
    first, again = place.due_run(minute=0), place.due_run(minute=1)
    assert (first.returncode, again.returncode) == (3, 3)
    assert (first.stderr, again.stderr) == ("alpha: partial: north: no answer\n", "")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ('deadline = "soon"', "plugins.alpha.deadline"),
        ("word = 5", "plugins.alpha.word"),
        ('wort = "x"', "unknown key (did you mean 'word'?)"),
    ],
    ids=["a key of the core", "a key of its own", "an unknown key"],
)
def test_wrong_settings_of_one_plugin_are_told_once_though_it_never_ran(
    place: Supervised, wrong: str, message: str
) -> None:
    place.fetching("alpha", OK)
    place.fetching("beta", OK)
    place.settings(section("alpha", wrong), section("beta"))
    first, again = place.due_run(minute=0), place.due_run(minute=1)
    assert (first.returncode, again.returncode) == (1, 1)
    assert message in first.stderr
    assert len(first.stderr.splitlines()) == 1
    assert again.stderr == ""
    assert place.outcomes() == {"beta": "ok"}
    place.settings(section("alpha"), section("beta"))
    assert place.due_run(minute=2).returncode == 0
    place.settings(section("alpha", wrong), section("beta"))
    assert message in place.due_run(minute=3).stderr


def test_a_section_without_a_plugin_is_told_once(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.settings(section("alhpa"), '[plugins."--help"]')
    first, again = place.due_run(minute=0), place.due_run(minute=1)
    assert (first.returncode, again.returncode, again.stderr) == (1, 1, "")
    assert "did you mean 'alpha'" in first.stderr
    assert "'__help' is not a valid name of a plugin" in first.stderr


def test_a_plugin_that_cannot_be_imported_fails_its_own_pass_only(place: Supervised) -> None:
    place.fetching("alpha", "yield")
    (place.folder / "site-alpha/alpha.py").write_text("raise SystemExit('no')")
    place.fetching("beta", OK)
    place.settings(section("alpha"), section("beta"))
    done = place.due_run()
    assert done.returncode == 1
    assert "alpha: failed: plugin 'alpha' (alpha-package 1.2.3)" in done.stderr
    assert place.outcomes() == {"alpha": "failed", "beta": "ok"}


def test_a_bug_in_pollctl_keeps_its_traceback_the_first_time(place: Supervised) -> None:
    """A child that dies with a traceback instead of a report; os._exit stands for any such death."""
    place.fetching(
        "alpha", "sys.stderr.write('Traceback: it was\\nBug: terrible\\n'); sys.stderr.flush(); os._exit(1)\nyield"
    )
    place.settings(section("alpha"))
    first, again = place.due_run(minute=0), place.due_run(minute=1)
    assert first.stderr == "alpha: Traceback: it was\nalpha: Bug: terrible\n"
    assert (first.returncode, again.returncode, again.stderr) == (1, 1, "")
    assert place.outcomes() == {"alpha": "crashed"}


def test_a_process_that_ends_otherwise_than_its_pass_is_explained(place: Supervised) -> None:
    place.fetching("alpha", "import atexit\natexit.register(os._exit, 5)\nyield Batch(1)")
    place.settings(section("alpha"))
    first, again = place.due_run(minute=0), place.due_run(minute=1)
    assert first.stderr == (
        "alpha: the pass was ok, but its process ended with exit code 5 in place of 0: "
        "something that runs when Python ends, an atexit handler perhaps, ended it\n"
    )
    assert (first.returncode, again.returncode, again.stderr) == (1, 1, "")
    assert place.outcomes() == {"alpha": "ok"}
    (report,) = json_of(place.due_run("due", "--run", "--json", minute=2))
    assert (report["outcome"], report["error"]["message"][:15]) == ("ok", "the pass was ok")
    assert report["error"]["type"] == "WrongExitCode"


def test_what_a_pass_logs_comes_through_with_its_name(place: Supervised) -> None:
    place.fetching("alpha", "run.log('one moment'); print('two\\x1b[31m', file=sys.stderr)\n" + OK)
    place.settings(section("alpha"))
    done = place.due_run()
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["alpha: one moment", "alpha: two\\x1b[31m"]


def test_a_pass_whose_lock_is_held_is_no_error_and_says_nothing(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.settings(section("alpha"))
    with held(place.folder / "pollctl.db.alpha.lock", run_id="mine"):
        done = place.due_run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_pass_that_overruns_deadline_and_grace_is_killed_with_all_that_it_started(place: Supervised) -> None:
    child = "subprocess.Popen(['sleep', '60'])"
    place.fetching("alpha", f"(here / 'pid').write_text(str({child}.pid))\n{HANG}")
    place.fetching("beta", OK)
    (place.folder / "pollctl.toml").write_text(
        '[pollctl]\ndatabase = "pollctl.db"\ngrace = "500ms"\n'
        + section("alpha", 'deadline = "2500ms"')
        + section("beta")
    )
    began = time.monotonic()
    done = place.due_run()
    took = time.monotonic() - began
    left = is_alive(place.folder / "pid")
    kill_leftover(place.folder / "pid")
    assert done.returncode == 1
    assert done.stderr == "alpha: killed 3 s after its start, at the end of deadline and grace\n"
    assert place.outcomes() == {"alpha": "crashed", "beta": "ok"}
    assert not left
    assert 3 <= took < 20


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_pass_that_dies_of_a_signal_is_crashed_at_once(place: Supervised, number: signal.Signals) -> None:
    place.fetching("alpha", f"os.kill(os.getpid(), {int(number)})\nyield")
    place.settings(section("alpha"))
    done = place.due_run()
    assert (done.returncode, done.stderr) == (1, f"alpha: ended by {number.name}\n")
    assert place.outcomes() == {"alpha": "crashed"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 143)])
def test_a_signal_to_the_supervisor_ends_all_passes_as_interrupted(
    place: Supervised, number: signal.Signals, code: int
) -> None:
    place.fetching("alpha", SLOW)
    place.settings(section("alpha"))
    with place.running("due", "--run") as process:
        assert eventually((place.folder / "pid").exists)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (code, "")
    assert place.outcomes() == {"alpha": "interrupted"}


def test_passes_end_when_their_supervisor_was_killed(place: Supervised) -> None:
    place.fetching("alpha", SLOW)
    place.settings(section("alpha"))
    with place.running("due", "--run") as process:
        assert eventually((place.folder / "pid").exists)
        process.kill()
    ended = eventually(lambda: not is_alive(place.folder / "pid"))
    kill_leftover(place.folder / "pid")
    assert ended
    assert place.outcomes() == {"alpha": "interrupted"}


def test_sixteen_file_descriptors_are_enough_for_five_passes(place: Supervised) -> None:
    names = ["one", "two", "three", "four", "five"]
    for name in names:
        place.fetching(name, OK)
    place.settings(*map(section, names))
    done = place.due_run(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16)))
    assert (done.returncode, done.stderr) == (0, "")
    assert place.outcomes() == dict.fromkeys(names, "ok")


def test_a_module_in_the_present_folder_is_not_taken_for_one_of_ours(place: Supervised) -> None:
    place.fetching("alpha", OK)
    place.settings(section("alpha"))
    (place.folder / "msgspec.py").write_text("raise SystemExit('the wrong one')")
    script = Path(sys.executable).with_name("pollctl")
    done = subprocess.run(
        [script, "due", "--run"],
        cwd=place.folder,
        env=place.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_several_by_hand_exit_with_the_worst_and_name_it(place: Supervised) -> None:
    for name, fetch in {"alpha": OK, "beta": FAIL, "gamma": "run.reached('w'); run.failed('x', 'y')\n" + OK}.items():
        place.fetching(name, fetch)
    place.settings()
    done = place.due_run("run", "alpha", "beta", "gamma", "--json")
    assert done.returncode == 1
    assert {one["plugin"]: one["outcome"] for one in json_of(done)} == {
        "alpha": "ok",
        "beta": "failed",
        "gamma": "partial",
    }
    assert place.due_run("run", "alpha", "gamma").returncode == 3
    with held(place.folder / "pollctl.db.alpha.lock", run_id="mine"):
        assert place.due_run("run", "alpha", "beta").returncode == 1
        assert place.due_run("run", "alpha", "gamma").returncode == 3
        place.fetching("delta", OK)
        assert place.due_run("run", "alpha", "delta").returncode == 75


def test_by_hand_the_same_failure_is_told_every_time(place: Supervised) -> None:
    place.fetching("alpha", FAIL)
    place.fetching("beta", OK)
    place.settings()
    for minute in (0, 1):
        assert "alpha: failed: " in place.due_run("run", "alpha", "beta", minute=minute).stderr


@pytest.mark.parametrize("arguments", [("run", "alpha"), ("run", "alpha", "beta")], ids=["one", "two"])
def test_a_pass_by_hand_that_hangs_is_ended_too(place: Supervised, arguments: tuple[str, ...]) -> None:
    place.fetching("alpha", HANG)
    place.fetching("beta", OK)
    (place.folder / "pollctl.toml").write_text('[pollctl]\ndatabase = "pollctl.db"\ngrace = "500ms"\ndeadline = "1s"\n')
    began = time.monotonic()
    done = place.due_run(*arguments)
    assert done.returncode == 1
    assert "alpha" in done.stderr
    assert time.monotonic() - began < 20


def test_a_pass_that_holds_the_interpreter_is_ended_by_the_backstop(place: Supervised) -> None:
    place.fetching("alpha", "re.match('(a+)+$', 'a' * 60 + 'b')\nyield")
    (place.folder / "pollctl.toml").write_text('[pollctl]\ndatabase = "pollctl.db"\ngrace = "500ms"\ndeadline = "1s"\n')
    began = time.monotonic()
    done = place.due_run("run", "alpha")
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert time.monotonic() - began < 20


def test_a_database_that_cannot_be_used_starts_nothing(place: Supervised) -> None:
    place.fetching("alpha", "(here / 'ran').touch()\n" + OK)
    place.settings(section("alpha"))
    (place.folder / "pollctl.db").write_text("not at all" * 100)
    done = place.due_run()
    assert done.returncode == 1
    assert "not an SQLite file" in done.stderr
    assert not (place.folder / "ran").exists()


def test_the_complaint_is_kept_where_status_finds_it(place: Supervised) -> None:
    place.fetching("alpha", FAIL)
    place.settings(section("alpha"))
    told = place.due_run().stderr
    ((kept,),) = place.sql("SELECT last_complaint FROM schedules")
    assert told == f"alpha: {kept}\n"


def test_status_tells_of_a_plugin_whose_import_hangs(place: Supervised) -> None:
    place.fetching("alpha", OK)
    (place.folder / "site-alpha/alpha.py").write_text("import time\ntime.sleep(3)\n")
    place.settings("deadline = '300ms'", "grace = '300ms'", section("alpha"))
    assert place.due_run().returncode == 1
    (row,) = json_of(place.due_run("status", "--json"))
    assert "killed" in row["problem"]


def test_a_signal_that_comes_before_a_pass_listens_is_an_interruption_too(place: Supervised) -> None:
    place.fetching("alpha", OK)
    importing = "import os, signal, time\nfrom pathlib import Path\nsignal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
    importing += "(Path(os.environ['HOME']) / 'pid').write_text('')\ntime.sleep(30)\n"
    (place.folder / "site-alpha/alpha.py").write_text(importing)
    place.settings(section("alpha"))
    with place.running("due", "--run") as process:
        assert eventually((place.folder / "pid").exists)
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (143, "")


def test_a_rehearsed_clock_that_runs_goes_on_in_the_passes(place: Supervised) -> None:
    place.fetching("alpha", "(here / 'now').write_text(os.environ['POLLCTL_NOW'])\n" + OK)
    place.settings(section("alpha"))
    assert place.spawn("due", "--run", now="@2026-03-08T11:59:59.900Z").returncode == 0
    assert "@2026-03-08T11:59:59.900Z" < (place.folder / "now").read_text() < "@2026-03-08T12:00:30"


def test_a_pass_that_started_after_the_clock_was_read_is_not_started_again(place: Supervised) -> None:
    place.settings(section("alpha", 'schedule = "0 0 1 1 *"'))
    found = settings.load(place.folder / "pollctl.toml")
    now = clock.now()
    with closing(database.open_to_write(found.core.database)) as db, database.writing(db):
        db.conn.execute("INSERT INTO schedules (plugin, last_started_at) VALUES ('alpha', ?)", (clock.to_text(now),))
    assert run_due(found, now - timedelta(minutes=1)).passes == ()
