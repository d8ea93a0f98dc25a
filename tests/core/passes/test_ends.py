"""How a pass ends early: deadline, grace, signals, windows, kills; and one at a time (core §1.1, §1.3)."""

from __future__ import annotations

import json
import os
import signal
import time
from threading import Timer

import pytest
from core.parrot import Parrot
from place import wait_for
from plugin_package import json_of
from sample_plugin import parrot_source

pytestmark = pytest.mark.slow


def test_a_second_pass_of_the_same_plugin_is_told_who_is_at_work(parrot: Parrot) -> None:
    busy = "(run):\n    open('busy', 'w').close()\n    while not os.path.exists('go'):\n        time.sleep(0.02)\n    yield Batch('one')\n"
    parrot.teach(parrot_source(fetch=busy))
    first = parrot.start_pass()
    wait_for((parrot.folder / "busy").exists)
    done = parrot.call("run", "parrot")
    assert done.returncode == 75
    assert f"pid {first.pid}, run " in done.stderr
    assert done.stdout == ""
    Timer(0.2, (parrot.folder / "go").touch).start()
    waiting = parrot.call("run", "parrot", "--wait", "20", "--json")
    assert waiting.returncode == 0
    assert first.wait() == 0
    first.communicate()


def test_of_many_starts_at_once_one_works_and_the_others_say_locked(parrot: Parrot) -> None:
    waiting = "(run):\n    while not os.path.exists('go'):\n        time.sleep(0.05)\n    yield Batch('one')\n"
    parrot.teach(parrot_source(fetch=waiting))
    passes = [parrot.start_pass() for _ in range(10)]
    give_up_at = time.monotonic() + 40
    while sum(child.poll() is None for child in passes) > 1 and time.monotonic() < give_up_at:
        time.sleep(0.05)
    (parrot.folder / "go").touch()
    codes = sorted(child.wait(timeout=60) for child in passes)
    for child in passes:
        child.communicate()
    assert codes == [0] + [75] * 9
    assert parrot.rows("SELECT outcome FROM runs") == ["ok"]


def test_a_killed_pass_is_marked_crashed_by_the_next_which_finishes_its_work(parrot: Parrot) -> None:
    parrot.teach(parrot_source(deliver="(effect):\n    os.kill(os.getpid(), 9)\n"))
    child = parrot.start_pass()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert parrot.rows("SELECT outcome FROM runs") == ["running"]
    assert parrot.rows("SELECT status FROM outbox ORDER BY id") == ["sending", "sending"]
    (status,) = json_of(parrot.call("status", "--json"))
    assert status["outcome"] == "crashed"
    parrot.teach(parrot_source())
    report = parrot.report()
    assert report["effects"] == {"queued": 0, "delivered": 2, "failed": 0}
    assert sorted(parrot.said) == ["one", "two"]
    assert parrot.rows("SELECT outcome FROM runs ORDER BY id") == ["crashed", "ok"]


def test_past_its_deadline_a_pass_ends_as_partial_and_what_is_committed_stands(parrot: Parrot) -> None:
    slow = "(run):\n    yield Batch('one')\n    while not run.is_stopping: time.sleep(0.05)\n    yield Batch('two')\n    yield Batch('three')\n"
    parrot.teach(parrot_source(fetch=slow), 'deadline = "1s"')
    report = parrot.report(code=3)
    assert report["outcome"] == "partial"
    assert "the deadline of 1s" in report["error"]["message"]
    assert parrot.rows("SELECT word FROM parrot_words ORDER BY 1") == ["one", "two"]


def test_a_pass_that_does_not_end_within_grace_is_killed(parrot: Parrot) -> None:
    parrot.teach(
        parrot_source(fetch="(run):\n    yield Batch('one')\n    time.sleep(60)\n"),
        'deadline = "1s"',
        'grace = "1s"',
    )
    started = time.monotonic()
    done = parrot.spawn("run", "parrot")
    assert done.returncode == 1
    assert time.monotonic() - started < 10
    assert "parrot: did not end within its deadline of 1s and 1s grace" in done.stderr
    parrot.teach(parrot_source())
    parrot.report()
    assert parrot.rows("SELECT outcome FROM runs ORDER BY id") == ["crashed", "ok"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_pass_at_the_next_safe_point(parrot: Parrot, number: int, code: int) -> None:
    slow = "(run):\n    yield Batch('one')\n    open('busy', 'w').close()\n    while not run.is_stopping: time.sleep(0.02)\n    yield Batch('two')\n    yield Batch('three')\n"
    parrot.teach(parrot_source(fetch=slow))
    child = parrot.start_pass()
    wait_for((parrot.folder / "busy").exists)
    os.kill(child.pid, number)
    out, _ = child.communicate(timeout=20)
    assert child.returncode == code
    assert json.loads(out)["outcome"] == "interrupted"
    assert parrot.rows("SELECT outcome FROM runs") == ["interrupted"]
    assert parrot.rows("SELECT word FROM parrot_words ORDER BY 1") == ["one", "two"]


def test_a_pass_whose_run_was_ended_by_another_writes_nothing_more(parrot: Parrot) -> None:
    slow = "(run):\n    yield Batch('one')\n    open('busy', 'w').close()\n    time.sleep(3)\n    yield Batch('two')\n"
    parrot.teach(parrot_source(fetch=slow))
    child = parrot.start_pass()
    wait_for((parrot.folder / "busy").exists)
    (parrot.folder / "pollctl.db.parrot.lock").unlink()
    parrot.teach(parrot_source(), "plan = []")
    parrot.report()
    _, err = child.communicate()
    assert child.returncode == 1
    assert "ended by another pass" in err + json.dumps(parrot.rows("SELECT error FROM runs"))
    assert parrot.rows("SELECT word FROM parrot_words") == ["one"]


def test_rounds_go_on_until_the_window_is_used(parrot: Parrot) -> None:
    rounds = (
        "(run):\n    from datetime import timedelta\n    number = 0\n    while True:\n        number += 1\n"
        "        yield Batch(str(number))\n"
        "        if not run.next_round(run.now + timedelta(seconds=0.5)): return\n"
    )
    parrot.teach(parrot_source(fetch=rounds), 'window = "2s"')
    assert 3 <= parrot.report()["batches"] <= 5
    assert parrot.report(now="2026-01-01T00:00:00Z")["batches"] == 1
    assert parrot.report("--dry-run")["batches"] == 1
    parrot.configure('window = "0s"')
    assert parrot.report()["batches"] == 1


def test_an_effect_of_an_early_round_does_not_wait_for_the_end_of_the_window(parrot: Parrot) -> None:
    rounds = (
        "(run):\n    from datetime import timedelta\n    yield Batch('early')\n"
        "    while run.next_round(run.now + timedelta(seconds=0.2)): pass\n"
    )
    parrot.teach(parrot_source(fetch=rounds), 'window = "8s"')
    child = parrot.start_pass()
    wait_for(lambda: parrot.said == ["early"])
    assert child.poll() is None
    child.terminate()
    child.communicate()
