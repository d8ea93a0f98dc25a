"""The life of a pass, seen from outside: every promise of core §1 and §2 with a plugin made for it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from plugin_package import PLAIN, command, json_of, make_plugin_package, run_pollctl, write_settings

PARTS = """
import os, time
from collections.abc import Sequence
from datetime import datetime
import msgspec
from sqlite_utils import Migrations
from pollctl import DeliveryError, Poller, hookimpl

class Settings(msgspec.Struct, frozen=True):
    plan: tuple[str, ...] = ("one", "two")

class Batch(msgspec.Struct, frozen=True):
    word: str

class State(msgspec.Struct, frozen=True):
    known: list[str]

class Learn(msgspec.Struct, frozen=True, tag=True):
    word: str
    reason: str

migrations = Migrations("parrot")

@migrations()
def m001(db):
    db.execute("CREATE TABLE parrot_words (word TEXT PRIMARY KEY) STRICT")
    db.execute("CREATE TABLE parrot_said (word TEXT PRIMARY KEY, result TEXT) STRICT")

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1, summary="Learns words.", settings=Settings, batch=Batch, state=State, decision=Learn,
        migrations=lambda: migrations, effects={"say": "keyed", "shout": "hold"},
    )

@hookimpl
def pollctl_fetch(run, db):
    for word in run.settings.plan:
        yield Batch(word)

@hookimpl
def pollctl_load(db):
    return State([row["word"] for row in db.query("SELECT word FROM parrot_words")])

@hookimpl
def pollctl_decide(state, batch):
    return [] if batch.word in state.known else [Learn(batch.word, "never heard before")]

@hookimpl
def pollctl_apply(db, decisions, run):
    for learn in decisions:
        db.table("parrot_words").insert({"word": learn.word})
        run.effect("say", learn.word, {"word": learn.word})
        run.count(learned=1)

@hookimpl
def pollctl_deliver(effect, run):
    with open("said.txt", "a") as said:
        said.write(effect.key + "\\n")
    return {"said": effect.payload["word"]}

@hookimpl
def pollctl_settle(db, effect, result):
    db.table("parrot_said").insert({"word": effect.payload["word"], "result": result["said"]})
"""


def with_hook(**hooks: str) -> str:
    """The parrot with hooks replaced; a hook is given as its parameters and body: ``(run) -> ...``."""
    source = PARTS
    for name, function in hooks.items():
        start = source.index(f"@hookimpl\ndef pollctl_{name}(")
        end = source.find("@hookimpl\n", start + 1)
        source = f"{source[:start]}@hookimpl\ndef pollctl_{name}{function}\n" + (source[end:] if end > 0 else "")
    return source


class Parrot:
    """One plugin, one database, as many passes as a test wants, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env: dict[str, str] = {}
        self.section = ""
        self.source = PARTS
        self.teach(PARTS)

    def teach(self, source: str, section: str = "", core: str = "") -> Parrot:
        self.source = source
        folder = self.folder / f"v{time.monotonic_ns()}"
        folder.mkdir()
        self.env = {**make_plugin_package(folder, "parrot", source), "HOME": str(self.folder)}
        self.configure(section, core)
        return self

    def configure(self, section: str = "", core: str = "") -> None:
        write_settings(self.folder, core, "[plugins.parrot]", section)

    def run(self, *options: str, now: str = "", code: int | None = 0) -> dict[str, Any]:
        env = {**self.env, **({"POLLCTL_NOW": now} if now else {})}
        done = run_pollctl(self.folder, env, "run", "parrot", "--json", *options)
        assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
        report: dict[str, Any] = json_of(done)
        return report

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command("run", "parrot", "--json", *options),
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "pollctl.db")) as db:
            return [row[0] if len(row) == 1 else row for row in db.execute(sql)]

    @property
    def said(self) -> list[str]:
        """What was said, in order."""
        path = self.folder / "said.txt"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def parrot(tmp_path: Path) -> Parrot:
    return Parrot(tmp_path)


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def test_a_pass_fetches_decides_applies_and_delivers_and_says_so(parrot: Parrot) -> None:
    report = parrot.run()
    assert report | {"run_id": "", "started_at": "", "finished_at": "", "duration_ms": 0} == {
        "run_id": "",
        "plugin": "parrot",
        "outcome": "ok",
        "started_at": "",
        "finished_at": "",
        "duration_ms": 0,
        "batches": 2,
        "decisions": 2,
        "effects": {"queued": 2, "delivered": 2, "failed": 0},
        "stats": {"learned": 2},
        "error": None,
    }
    assert sorted(parrot.said) == ["one", "two"]
    assert parrot.rows("SELECT word, result FROM parrot_said ORDER BY 1") == [("one", "one"), ("two", "two")]
    assert parrot.rows("SELECT outcome, batches, decisions, effects FROM runs") == [("ok", 2, 2, 2)]


def test_a_second_pass_finds_nothing_to_do(parrot: Parrot) -> None:
    parrot.run()
    report = parrot.run()
    assert (report["outcome"], report["decisions"], report["effects"]["queued"]) == ("ok", 0, 0)
    assert sorted(parrot.said) == ["one", "two"]


def test_what_was_fetched_before_a_failure_survives_it(parrot: Parrot) -> None:
    parrot.teach(with_hook(fetch="(run):\n    yield Batch('one')\n    raise OSError('the line is dead')\n"))
    report = parrot.run(code=1)
    assert report["outcome"] == "failed"
    assert (
        "plugin 'parrot' (parrot-package 1.2.3): fetch raised OSError: the line is dead" in report["error"]["message"]
    )
    assert parrot.said == ["one"]


@pytest.mark.parametrize("hook", ["load", "decide", "apply"])
@pytest.mark.parametrize("raised", ["ValueError('no')", "SystemExit(0)", "RecursionError('deep')"])
def test_a_bad_batch_leaves_no_trace_and_does_not_hide_the_next(parrot: Parrot, hook: str, raised: str) -> None:
    bodies = {
        "load": "(db, batch):\n    if batch.word == 'one': raise RAISED\n    return State([])\n",
        "decide": "(state, batch):\n    if batch.word == 'one': raise RAISED\n    return [Learn(batch.word, 'new')]\n",
        "apply": (
            "(db, decisions, run):\n    db.table('parrot_words').insert({'word': decisions[0].word})\n"
            "    run.effect('say', decisions[0].word, {'word': decisions[0].word})\n    run.count(learned=1)\n"
            "    if decisions[0].word == 'one': raise RAISED\n"
        ),
    }
    parrot.teach(with_hook(**{hook: bodies[hook].replace("RAISED", raised)}))
    report = parrot.run(code=1)
    assert (report["outcome"], report["batches"], report["stats"]) == ("failed", 1, {"learned": 1})
    assert f"{hook} raised {raised.split('(', maxsplit=1)[0]}" in report["error"]["message"]
    assert parrot.rows("SELECT word FROM parrot_words") == ["two"]
    assert parrot.said == ["two"]


def test_a_row_that_a_person_changed_during_the_fetch_is_respected(parrot: Parrot) -> None:
    parrot.teach(
        with_hook(
            fetch=(
                "(run):\n    import sqlite3\n    person = sqlite3.connect('pollctl.db')\n"
                "    person.execute(\"INSERT INTO parrot_words VALUES ('one')\")\n    person.commit()\n"
                "    person.close()\n    yield Batch('one')\n"
            )
        )
    )
    assert parrot.run()["decisions"] == 0


@pytest.mark.parametrize(
    ("hook", "body", "named"),
    [
        (
            "fetch",
            "(run, db):\n    db.execute('DELETE FROM parrot_words')\n    yield Batch('x')\n",
            "DELETE from parrot_words",
        ),
        ("load", "(db):\n    db.execute('DELETE FROM parrot_words')\n", "DELETE from parrot_words"),
        ("apply", "(db):\n    db.conn.execute('COMMIT')\n", "TRANSACTION COMMIT"),
        ("apply", "(db):\n    db.conn.rollback()\n", "TRANSACTION ROLLBACK"),
        ("apply", "(db):\n    db.execute('PRAGMA synchronous=OFF')\n", "PRAGMA synchronous OFF"),
        ("apply", "(db):\n    db.execute(\"UPDATE runs SET outcome='ok'\")\n", "UPDATE of runs"),
        ("apply", "(db):\n    db.table('parrot_more').insert({'x': 1})\n", "a change of the schema"),
    ],
    ids=[
        "fetch writes",
        "load writes",
        "apply commits",
        "apply rolls back",
        "pragma",
        "core table",
        "new table",
    ],
)
def test_what_a_hook_may_not_do_to_the_database_is_refused_and_named(
    parrot: Parrot, hook: str, body: str, named: str
) -> None:
    parrot.teach(with_hook(**{hook: body}))
    report = parrot.run(code=1)
    assert f"{hook} may not do this to the database: {named}" in report["error"]["message"]
    assert parrot.rows("SELECT word FROM parrot_words") == []


def test_a_plan_writes_nothing_here_or_upstream(parrot: Parrot) -> None:
    report = parrot.run("--dry-run")
    assert report["decisions"] == [
        {"type": "Learn", "word": "one", "reason": "never heard before"},
        {"type": "Learn", "word": "two", "reason": "never heard before"},
    ]
    assert parrot.said == []
    assert sorted(path.name for path in parrot.folder.iterdir() if path.name.startswith("pollctl.db")) == []


def test_a_plan_leaves_an_existing_database_as_it_is_to_the_byte(parrot: Parrot) -> None:
    parrot.run()
    database = parrot.folder / "pollctl.db"
    before = (database.read_bytes(), database.stat().st_mtime_ns)
    parrot.run("--dry-run")
    assert (database.read_bytes(), database.stat().st_mtime_ns) == before


def test_a_second_pass_of_the_same_plugin_is_told_who_is_at_work(parrot: Parrot) -> None:
    parrot.teach(with_hook(fetch="(run):\n    open('busy', 'w').close()\n    time.sleep(4)\n    yield Batch('one')\n"))
    first = parrot.start()
    wait_for((parrot.folder / "busy").exists)
    done = run_pollctl(parrot.folder, parrot.env, "run", "parrot")
    assert done.returncode == 75
    assert f"pid {first.pid}, run " in done.stderr
    assert done.stdout == ""
    waiting = run_pollctl(parrot.folder, parrot.env, "run", "parrot", "--wait", "20", "--json")
    assert waiting.returncode == 0
    assert first.wait() == 0
    first.communicate()


def test_of_many_starts_at_once_one_works_and_the_others_say_locked(parrot: Parrot) -> None:
    waiting = "(run):\n    while not os.path.exists('go'):\n        time.sleep(0.05)\n    yield Batch('one')\n"
    parrot.teach(with_hook(fetch=waiting))
    passes = [parrot.start() for _ in range(10)]
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
    parrot.teach(with_hook(deliver="(effect):\n    os.kill(os.getpid(), 9)\n"))
    child = parrot.start()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert parrot.rows("SELECT outcome FROM runs") == ["running"]
    assert parrot.rows("SELECT status FROM outbox ORDER BY id") == ["sending", "sending"]
    (status,) = json_of(run_pollctl(parrot.folder, parrot.env, "status", "--json"))
    assert status["outcome"] == "crashed"
    parrot.teach(PARTS)
    report = parrot.run()
    assert report["effects"] == {"queued": 0, "delivered": 2, "failed": 0}
    assert sorted(parrot.said) == ["one", "two"]
    assert parrot.rows("SELECT outcome FROM runs ORDER BY id") == ["crashed", "ok"]


def test_an_effect_that_must_not_be_repeated_waits_for_a_person_as_unknown(parrot: Parrot) -> None:
    loud = PARTS.replace('run.effect("say"', 'run.effect("shout"')
    parrot.teach(loud.replace('    with open("said.txt"', '    os.kill(os.getpid(), 9)\n    with open("said.txt"'))
    parrot.start().communicate()
    parrot.teach(loud)
    parrot.run()
    assert parrot.said == []
    assert parrot.rows("SELECT DISTINCT status FROM outbox") == ["unknown"]
    listed = json_of(run_pollctl(parrot.folder, parrot.env, "outbox", "list", "--json"))
    assert [row["status"] for row in listed] == ["unknown", "unknown"]
    assert run_pollctl(parrot.folder, parrot.env, "outbox", "retry", str(listed[0]["id"])).returncode == 0
    parrot.run()
    assert parrot.said == ["one"]


FAILING = "(effect):\n    raise DeliveryError('the line is dead')\n"


def test_a_failed_delivery_makes_the_pass_partial_and_is_tried_again_later_and_later(parrot: Parrot) -> None:
    parrot.teach(with_hook(deliver=FAILING), "plan = ['one']")
    report = parrot.run(now="2026-01-01T00:00:00Z", code=3)
    assert (report["outcome"], report["effects"]) == ("partial", {"queued": 1, "delivered": 0, "failed": 1})
    (first,) = parrot.rows("SELECT next_attempt_at FROM outbox")
    assert "2026-01-01T00:00:54" <= first <= "2026-01-01T00:01:06"
    assert parrot.run(now="2026-01-01T00:00:30Z")["effects"]["failed"] == 0
    parrot.run(now="2026-01-01T00:02:00Z", code=3)
    (second,) = parrot.rows("SELECT next_attempt_at FROM outbox")
    assert "2026-01-01T00:03:48" <= second <= "2026-01-01T00:04:12"
    parrot.teach(PARTS, "plan = ['one']")
    assert parrot.run(now="2026-01-01T00:10:00Z")["effects"]["delivered"] == 1
    assert parrot.rows("SELECT status, attempts FROM outbox") == [("delivered", 3)]


def test_after_max_attempts_an_effect_is_dead_and_can_be_retried_by_hand(parrot: Parrot) -> None:
    core = "[pollctl.outbox]\nmax_attempts = 2\nbackoff = '0s'"
    parrot.teach(with_hook(deliver=FAILING), "plan = ['one']", core)
    parrot.run(code=3)
    parrot.run(code=3)
    assert parrot.rows("SELECT status, attempts, last_error FROM outbox") == [("dead", 2, "the line is dead")]
    assert parrot.run()["effects"]["failed"] == 0
    status = json_of(run_pollctl(parrot.folder, parrot.env, "status", "--json"))
    assert "dead" in json.dumps(status)
    parrot.teach(PARTS, "plan = ['one']", core)
    assert run_pollctl(parrot.folder, parrot.env, "outbox", "retry", "1").returncode == 0
    assert parrot.run()["effects"]["delivered"] == 1


TIRELESS = ('effects={"say": "keyed", "shout": "hold"}', 'effects={"say": "keyed", "shout": "hold"}, tireless=["say"]')


def test_a_tireless_effect_is_never_given_up_and_never_waits_much_longer_than_two_minutes(parrot: Parrot) -> None:
    core = "[pollctl.outbox]\nmax_attempts = 1\nbackoff = '30m'"
    parrot.teach(with_hook(deliver=FAILING).replace(*TIRELESS), "plan = ['one']", core)
    parrot.run(now="2026-01-01T00:00:00Z", code=3)
    ((status, next_at),) = parrot.rows("SELECT status, next_attempt_at FROM outbox")
    assert status == "pending"
    assert next_at == "2026-01-01T00:02:00.000Z"
    gone = with_hook(deliver="(effect):\n    raise DeliveryError('gone', permanent=True)\n")
    parrot.teach(gone.replace(*TIRELESS), "plan = []")
    parrot.run(now="2026-01-01T00:02:00Z", code=3)
    assert parrot.rows("SELECT status FROM outbox") == ["dead"]


def test_a_tireless_effect_that_kills_every_pass_leaves_others_their_turn(parrot: Parrot) -> None:
    killing = with_hook(deliver="(effect):\n    os.kill(os.getpid(), 9)\n").replace(*TIRELESS)
    parrot.teach(killing, "plan = ['one']", "[pollctl.outbox]\nmax_attempts = 2")
    for _ in range(2):
        parrot.start().communicate()
    assert parrot.run()["outcome"] == "ok"
    assert parrot.rows("SELECT status, attempts FROM outbox") == [("pending", 2)]


def test_a_plugin_that_is_broken_now_leaves_a_cut_off_delivery_to_the_day_when_it_is_mended(parrot: Parrot) -> None:
    shouting = PARTS.replace('run.effect("say"', 'run.effect("shout"')
    killing = with_hook(deliver="(effect):\n    os.kill(os.getpid(), 9)\n").replace(
        'run.effect("say"', 'run.effect("shout"'
    )
    parrot.teach(killing, "plan = ['one']")
    parrot.start().communicate()
    parrot.teach("raise ImportError('half an update')\n")
    assert parrot.run(code=1)["outcome"] == "failed"
    assert parrot.rows("SELECT status FROM outbox") == ["sending"]
    parrot.teach(shouting, "plan = []")
    parrot.run()
    assert parrot.rows("SELECT status FROM outbox") == ["unknown"]


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        ("DeliveryError('gone', permanent=True)", "dead"),
        ("KeyError('a bug')", "pending"),
        ("SystemExit(0)", "pending"),
        ("DeliveryError('wait', retry_after=7200)", "pending"),
        ("DeliveryError('wait', retry_after=1e20)", "pending"),
        ("DeliveryError('wait', retry_after=float('nan'))", "pending"),
        ("DeliveryError('half a character: \\ud800')", "pending"),
    ],
)
def test_what_deliver_raises_says_what_becomes_of_the_effect(parrot: Parrot, raised: str, status: str) -> None:
    parrot.teach(with_hook(deliver=f"(effect):\n    raise {raised}\n"), "plan = ['one']")
    parrot.run(now="2026-01-01T00:00:00Z", code=3)
    ((found, next_at),) = parrot.rows("SELECT status, next_attempt_at FROM outbox")
    assert found == status
    if "7200" in raised:
        assert next_at == "2026-01-01T02:00:00.000Z"


def test_effects_of_one_lane_go_in_order_and_one_dead_lane_does_not_stop_another(parrot: Parrot) -> None:
    lanes = "run.effect('say', learn.word, {'word': learn.word}, lane=learn.word[0])"
    source = with_hook(deliver="(effect):\n    if effect.key == 'a1': raise DeliveryError('no')\n    SAY\n")
    say = "open('said.txt', 'a').write(effect.key + '\\n'); return {'said': effect.key}"
    source = source.replace("SAY", say).replace("open('said.txt', 'a').write", "_append")
    source += "\ndef _append(text):\n    with open('said.txt', 'a') as said:\n        said.write(text)\n"
    parrot.teach(
        source.replace('run.effect("say", learn.word, {"word": learn.word})', lanes),
        "plan = ['a1', 'b1', 'a2', 'b2', 'a3', 'b3']",
    )
    parrot.run(code=3)
    assert parrot.said == ["b1", "b2", "b3"]
    parrot.teach(PARTS)
    parrot.rows("SELECT 1")
    run_pollctl(parrot.folder, parrot.env, "outbox", "retry", "1")
    parrot.configure("plan = []")
    parrot.run()
    assert parrot.said == ["b1", "b2", "b3", "a1", "a2", "a3"]


def test_settle_is_part_of_the_transaction_that_marks_the_effect_delivered(parrot: Parrot) -> None:
    parrot.teach(with_hook(settle="(db, effect):\n    raise ValueError('not now')\n"), "plan = ['one']")
    parrot.run(code=3)
    ((status, error),) = parrot.rows("SELECT status, last_error FROM outbox")
    assert status == "pending"
    assert "settle raised ValueError: not now" in error
    parrot.teach(PARTS, "plan = ['one']")
    run_pollctl(parrot.folder, parrot.env, "outbox", "retry", "1")
    parrot.run()
    assert parrot.rows("SELECT word FROM parrot_said") == ["one"]


def test_an_undeclared_kind_of_effect_is_refused_by_name(parrot: Parrot) -> None:
    parrot.teach(PARTS.replace('run.effect("say"', 'run.effect("whisper"'))
    report = parrot.run(code=1)
    assert "effect kind 'whisper' is not among those of pollctl_poller (say, shout)" in report["error"]["message"]


@pytest.mark.parametrize(
    ("calls", "outcome", "code"),
    [
        ("run.failed('b', 'HTTP 500'); run.reached('a')\n    yield Batch('one')", "partial", 3),
        ("run.failed('b', 'HTTP 500')\n    yield Batch('what failed')", "failed", 1),
        ("run.failed('a', 'x'); run.failed('b', 'HTTP 500')\n    yield from ()", "failed", 1),
        ("run.failed('b', 'HTTP 500'); run.reached('a')\n    yield from ()", "partial", 3),
        ("run.reached('a')\n    yield from ()", "ok", 0),
        ("yield from ()", "ok", 0),
    ],
    ids=["some", "none but a batch about it", "none", "some without a batch", "all", "nothing to do"],
)
def test_the_outcome_says_how_many_targets_were_reached(parrot: Parrot, calls: str, outcome: str, code: int) -> None:
    parrot.teach(with_hook(fetch=f"(run):\n    {calls}\n"))
    report = parrot.run(code=code)
    assert report["outcome"] == outcome
    if "HTTP 500" in calls:
        assert "b: HTTP 500" in report["error"]["message"]


def test_past_its_deadline_a_pass_ends_as_partial_and_what_is_committed_stands(parrot: Parrot) -> None:
    slow = "(run):\n    yield Batch('one')\n    while not run.is_stopping: time.sleep(0.05)\n    yield Batch('two')\n    yield Batch('three')\n"
    parrot.teach(with_hook(fetch=slow), 'deadline = "1s"')
    report = parrot.run(code=3)
    assert report["outcome"] == "partial"
    assert "the deadline of 1s" in report["error"]["message"]
    assert parrot.rows("SELECT word FROM parrot_words ORDER BY 1") == ["one", "two"]


def test_a_pass_that_does_not_end_within_grace_is_killed(parrot: Parrot) -> None:
    parrot.teach(
        with_hook(fetch="(run):\n    yield Batch('one')\n    time.sleep(60)\n"),
        'deadline = "1s"',
        'grace = "1s"',
    )
    started = time.monotonic()
    done = run_pollctl(parrot.folder, parrot.env, "run", "parrot")
    assert done.returncode == 1
    assert time.monotonic() - started < 10
    assert "parrot: did not end within its deadline of 1s and 1s grace" in done.stderr
    parrot.teach(PARTS)
    parrot.run()
    assert parrot.rows("SELECT outcome FROM runs ORDER BY id") == ["crashed", "ok"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_pass_at_the_next_safe_point(parrot: Parrot, number: int, code: int) -> None:
    slow = "(run):\n    yield Batch('one')\n    open('busy', 'w').close()\n    while not run.is_stopping: time.sleep(0.02)\n    yield Batch('two')\n    yield Batch('three')\n"
    parrot.teach(with_hook(fetch=slow))
    child = parrot.start()
    wait_for((parrot.folder / "busy").exists)
    os.kill(child.pid, number)
    out, _ = child.communicate(timeout=20)
    assert child.returncode == code
    assert json.loads(out)["outcome"] == "interrupted"
    assert parrot.rows("SELECT outcome FROM runs") == ["interrupted"]
    assert parrot.rows("SELECT word FROM parrot_words ORDER BY 1") == ["one", "two"]


def test_a_pass_whose_run_was_ended_by_another_writes_nothing_more(parrot: Parrot) -> None:
    slow = "(run):\n    yield Batch('one')\n    open('busy', 'w').close()\n    time.sleep(3)\n    yield Batch('two')\n"
    parrot.teach(with_hook(fetch=slow))
    child = parrot.start()
    wait_for((parrot.folder / "busy").exists)
    (parrot.folder / "pollctl.db.parrot.lock").unlink()
    parrot.teach(PARTS, "plan = []")
    parrot.run()
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
    parrot.teach(with_hook(fetch=rounds), 'window = "2s"')
    assert 3 <= parrot.run()["batches"] <= 5
    assert parrot.run(now="2026-01-01T00:00:00Z")["batches"] == 1
    assert parrot.run("--dry-run")["batches"] == 1
    parrot.configure('window = "0s"')
    assert parrot.run()["batches"] == 1


def test_an_effect_of_an_early_round_does_not_wait_for_the_end_of_the_window(parrot: Parrot) -> None:
    rounds = (
        "(run):\n    from datetime import timedelta\n    yield Batch('early')\n"
        "    while run.next_round(run.now + timedelta(seconds=0.2)): pass\n"
    )
    parrot.teach(with_hook(fetch=rounds), 'window = "8s"')
    child = parrot.start()
    wait_for(lambda: parrot.said == ["early"])
    assert child.poll() is None
    child.terminate()
    child.communicate()


def test_a_wrapper_sees_every_plugin_without_either_knowing_the_other(parrot: Parrot, tmp_path: Path) -> None:
    wrapper = """
from pollctl import hookimpl

@hookimpl(wrapper=True)
def pollctl_decide(batch):
    decisions = yield
    with open("audit.txt", "a") as audit:
        audit.write(f"decide {batch.word} {len(decisions)}\\n")
    return decisions

@hookimpl(wrapper=True)
def pollctl_deliver(effect):
    result = yield
    with open("audit.txt", "a") as audit:
        audit.write(f"deliver {effect.key}\\n")
    return result
"""
    env = make_plugin_package(tmp_path, "auditor", wrapper, group="pollctl.wrappers", env=parrot.env)
    parrot.env = {**env, "HOME": str(tmp_path)}
    parrot.run()
    lines = (tmp_path / "audit.txt").read_text().split("\n")
    assert lines[:2] == ["decide one 1", "decide two 1"]
    assert sorted(lines[2:4]) == ["deliver one", "deliver two"]


BROKEN = {
    "cannot be imported": (
        "raise ImportError('no module named yesterday')",
        "cannot be imported: ImportError",
    ),
    "exits while imported": ("raise SystemExit(3)", "cannot be imported: SystemExit"),
    "lacks a hook": (
        PLAIN.replace("def pollctl_apply", "def apply").replace("@hookimpl\ndef apply", "def apply"),
        "lacks the hook pollctl_apply",
    ),
    "misspells a hook": (PLAIN.replace("pollctl_decide", "pollctl_decyde"), "pollctl_decyde"),
    "forgets the mark": (
        PLAIN.replace("@hookimpl\ndef pollctl_apply", "def pollctl_apply"),
        "pollctl_apply lacks the mark",
    ),
    "has a strange argument": (PLAIN.replace("(db, decisions, run)", "(database, decisions)"), "database"),
    "needs another contract": (
        PLAIN.replace("contract=1", "contract=2"),
        "contract version 2",
    ),
    "exits when asked": (
        PLAIN.replace("    return Poller(", "    raise SystemExit(3)\n    return Poller("),
        "pollctl_poller raised SystemExit",
    ),
    "answers no facts": (
        PLAIN.replace(
            'return Poller(contract=1, summary="Counts to two.", settings=Settings, batch=Batch, decision=Seen)',
            "return None",
        ),
        "answered NoneType",
    ),
}


@pytest.mark.parametrize(("source", "named"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_fails_its_own_pass_and_no_other(
    parrot: Parrot, tmp_path: Path, source: str, named: str
) -> None:
    env = make_plugin_package(tmp_path, "broken", source, env=parrot.env)
    parrot.env = {**env, "HOME": str(tmp_path)}
    write_settings(tmp_path, "[plugins.parrot]", "[plugins.broken]")
    done = run_pollctl(tmp_path, parrot.env, "run", "broken", "--json")
    report = json_of(done)
    assert (done.returncode, report["outcome"]) == (1, "failed")
    assert "plugin 'broken' (broken-package 1.2.3)" in report["error"]["message"]
    assert named in report["error"]["message"]
    assert "Traceback" not in done.stderr
    parrot.run()
    plugins = {row["plugin"]: row for row in json_of(run_pollctl(tmp_path, parrot.env, "plugins", "--json"))}
    assert named in json.dumps(plugins["broken"])
    assert run_pollctl(tmp_path, parrot.env, "check").returncode == 1


def test_after_repeated_failures_people_are_told_once_and_again_when_it_recovers(
    parrot: Parrot, httpserver: Any
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("")
    core = f"[pollctl.notify]\nurls = ['{httpserver.url_for('/hook').replace('http', 'json')}']\nalert_after = 3"
    parrot.teach(with_hook(fetch="(run):\n    raise OSError('the line is dead')\n    yield\n"), "", core)
    for minute in range(5):
        parrot.run(now=f"2026-01-01T00:0{minute}:00Z", code=1)
    assert len(httpserver.log) == 1
    assert "parrot keeps failing" in httpserver.log[0][0].get_data(as_text=True)
    parrot.run(now="2026-01-01T06:02:00Z", code=1)
    assert len(httpserver.log) == 2
    parrot.teach(PARTS, "", core)
    parrot.run(now="2026-01-01T06:03:00Z")
    parrot.run(now="2026-01-01T06:04:00Z")
    assert len(httpserver.log) == 3
    assert "parrot recovered" in httpserver.log[2][0].get_data(as_text=True)
    keys = {request.headers["Idempotency-Key"] for request, _ in httpserver.log}
    assert len(keys) == 3
    assert "/hook" not in json.dumps(parrot.rows("SELECT payload FROM outbox"))


def test_an_upstream_that_asked_to_wait_is_remembered_by_later_passes(parrot: Parrot) -> None:
    parrot.teach(
        with_hook(
            fetch=(
                "(run):\n    from datetime import timedelta\n"
                "    until = run.held_until('api')\n"
                "    yield Batch(f'held {until:%H:%M}' if until else 'free')\n"
            ),
            apply=(
                "(db, decisions, run):\n    from datetime import timedelta\n    for learn in decisions:\n"
                "        db.table('parrot_words').insert({'word': learn.word})\n"
                "        if learn.word == 'free': run.hold('api', run.now + timedelta(minutes=10))\n"
            ),
        )
    )
    for minute in ("00", "05", "10"):
        parrot.run(now=f"2026-01-01T00:{minute}:00Z")
    assert parrot.rows("SELECT word FROM parrot_words ORDER BY rowid") == ["free", "held 00:10"]
    assert parrot.rows("SELECT not_before FROM holds") == ["2026-01-01T00:10:00.000Z"]


def test_recordings_can_be_replayed_against_new_code(parrot: Parrot) -> None:
    parrot.configure('record = "all"')
    parrot.run()
    assert run_pollctl(parrot.folder, parrot.env, "replay", "--all").returncode == 0
    parrot.teach(PARTS.replace("never heard before", "unheard of"), 'record = "all"')
    changed = run_pollctl(parrot.folder, parrot.env, "replay", "--all")
    assert changed.returncode == 1
    assert "unheard of" in changed.stdout


def test_a_batch_that_decide_choked_on_is_recorded_and_replayed_after_the_mend(parrot: Parrot) -> None:
    parrot.teach(with_hook(decide="(state, batch):\n    raise ValueError('choked')\n"))
    parrot.run(code=1)
    assert parrot.rows("SELECT batch, decisions FROM recordings") == [
        ('{"word":"one"}', None),
        ('{"word":"two"}', None),
    ]
    assert run_pollctl(parrot.folder, parrot.env, "replay", "--all").returncode == 1
    parrot.teach(PARTS)
    assert run_pollctl(parrot.folder, parrot.env, "replay", "--all").returncode == 0


def test_recordings_of_good_passes_are_kept_only_when_asked_for(parrot: Parrot) -> None:
    parrot.run()
    assert parrot.rows("SELECT count(*) FROM recordings") == [0]
    parrot.teach(with_hook(decide="(state, batch):\n    raise ValueError('choked')\n"), 'record = "off"')
    parrot.run(code=1)
    assert parrot.rows("SELECT count(*) FROM recordings") == [0]


def test_secrets_reach_neither_errors_nor_recordings_nor_the_outbox(parrot: Parrot) -> None:
    secret = "canary-7f3a"
    source = (
        with_hook(
            fetch="(run):\n    yield Batch(run.settings.token.reveal())\n    raise OSError(run.settings.token.reveal())\n",
            deliver="(effect, run):\n    run.log(run.settings.token.reveal())\n    raise DeliveryError(run.settings.token.reveal())\n",
            apply="(db, decisions, run):\n    run.effect('say', 'x', {'word': 'x'})\n",
        )
        .replace('    plan: tuple[str, ...] = ("one", "two")', "    token: Secret")
        .replace("import DeliveryError,", "import DeliveryError, Secret,")
    )
    parrot.teach(source, f'token = "{secret}"\nrecord = "all"')
    done = run_pollctl(parrot.folder, parrot.env, "run", "parrot", "--json")
    assert done.returncode == 1
    assert "***" in done.stdout
    assert secret not in done.stdout + done.stderr
    assert secret.encode() not in (parrot.folder / "pollctl.db").read_bytes()


def test_old_rows_go_in_bounded_steps(parrot: Parrot) -> None:
    parrot.run(now="2026-01-01T00:00:00Z")
    parrot.run(now="2026-05-30T00:00:00Z")
    assert parrot.rows("SELECT count(*) FROM runs") == [2], "that clock is not trusted before another pass"
    parrot.run(now="2026-06-01T00:00:00Z")
    assert parrot.rows("SELECT started_at FROM runs ORDER BY id") == [
        "2026-05-30T00:00:00.000Z",
        "2026-06-01T00:00:00.000Z",
    ]
    assert parrot.rows("SELECT count(*) FROM outbox") == [0]


def test_an_effect_that_kills_every_pass_is_dead_after_max_attempts(parrot: Parrot) -> None:
    parrot.teach(
        with_hook(deliver="(effect):\n    os.kill(os.getpid(), 9)\n"),
        "plan = ['one']",
        "[pollctl.outbox]\nmax_attempts = 2",
    )
    for _ in range(2):
        parrot.start().communicate()
    assert parrot.run()["outcome"] == "ok"
    assert parrot.rows("SELECT status, attempts FROM outbox") == [("dead", 2)]


def test_a_disk_that_is_full_is_named_and_the_next_pass_goes_on(parrot: Parrot) -> None:
    parrot.configure(f"plan = {[str(number) * 50 for number in range(500)]}")
    parrot.run("--deadline", "1ms", code=None)
    before = parrot.rows("SELECT count(*) FROM parrot_words")
    done = run_pollctl(
        parrot.folder,
        parrot.env,
        "run",
        "parrot",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000)),
    )
    assert done.returncode == 1
    assert "database" in done.stderr
    assert "parrot-package" not in done.stderr, "the plugin is blamed for the disk"
    assert "Traceback" not in done.stderr
    assert parrot.rows("PRAGMA integrity_check") == ["ok"]
    assert parrot.rows("SELECT count(*) FROM parrot_words") >= before
    parrot.run()
    assert parrot.rows("SELECT count(*) FROM parrot_words") == [500]
    assert len(set(parrot.said)) == 500, (
        "what could not be settled was said again, under the same key; nothing was lost"
    )


def test_times_are_kept_as_text_in_utc_that_sorts(parrot: Parrot) -> None:
    parrot.run(now="2026-01-01T01:00:00+01:00")
    assert parrot.rows("SELECT started_at, finished_at FROM runs") == [("2026-01-01T00:00:00.000Z",) * 2]


def test_a_clock_before_2020_is_refused_before_anything_happens(parrot: Parrot) -> None:
    done = run_pollctl(parrot.folder, {**parrot.env, "POLLCTL_NOW": "1970-01-01T00:00:00Z"}, "run", "parrot")
    assert done.returncode == 2
    assert "before 2020" in done.stderr
    assert not (parrot.folder / "pollctl.db").exists()


def test_a_settle_that_raises_leaves_no_effect_and_no_count_behind(parrot: Parrot) -> None:
    settle = "(db, effect, run):\n    run.effect('say', 'follow-up', {'word': 'x'})\n    run.count(settled=1)\n    raise ValueError('not now')\n"
    parrot.teach(with_hook(settle=settle), "plan = ['one']")
    assert parrot.run(code=3)["stats"] == {"learned": 1}
    assert parrot.rows("SELECT key FROM outbox") == ["one"]


UNFIT = {
    "a value that is no JSON": "run.effect('say', 'x', object())",
    "half a character": "run.effect('say', 'x', '\\ud800')",
    "a key that is none": "run.effect('say', None, {})",
    "half a character in a key": "run.effect('say', '\\ud800', {})",
    "a count that is not a number": "run.count(learned=object())",
    "a hold that is not a valid moment": "run.hold('x', 'tomorrow')",
}


@pytest.mark.parametrize("apply", UNFIT.values(), ids=UNFIT)
def test_what_apply_leaves_that_cannot_be_kept_fails_the_batch_and_names_the_plugin(parrot: Parrot, apply: str) -> None:
    parrot.teach(with_hook(apply=f"(db, decisions, run):\n    {apply}\n"), "plan = ['one']")
    report = parrot.run(code=1)
    assert report["outcome"] == "failed"
    assert report["error"]["message"].startswith("plugin 'parrot' (parrot-package 1.2.3): apply ")
    assert parrot.rows("SELECT outcome FROM runs") == ["failed"]
    assert parrot.rows("SELECT key FROM outbox") == []


def test_the_error_of_a_batch_that_cannot_be_recorded_is_told_first(parrot: Parrot) -> None:
    hooks = {
        "load": "(db):\n    return State([object()])\n",
        "decide": "(state):\n    raise ValueError('cannot decide')\n",
    }
    parrot.teach(with_hook(**hooks), "plan = ['one']")
    assert "decide raised ValueError: cannot decide" in parrot.run(code=1)["error"]["message"]


def test_people_are_told_of_a_plugin_whose_every_pass_is_killed(parrot: Parrot, httpserver: Any) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("")
    core = f"[pollctl.notify]\nurls = ['{httpserver.url_for('/hook').replace('http', 'json')}']\nalert_after = 2"
    parrot.teach(with_hook(fetch="(run):\n    os.kill(os.getpid(), 9)\n    yield\n"), "", core)
    for minute in range(5):
        env = {**parrot.env, "POLLCTL_NOW": f"2026-01-01T00:0{minute}:00Z"}
        assert run_pollctl(parrot.folder, env, "run", "parrot").returncode == -9
    assert len(httpserver.log) == 1
    assert "parrot keeps failing" in httpserver.log[0][0].get_data(as_text=True)
    parrot.teach(PARTS, "", core)
    parrot.run(now="2026-01-01T06:03:00Z")
    assert "parrot recovered" in httpserver.log[-1][0].get_data(as_text=True)


def test_a_wrapper_that_replaces_a_hook_is_refused(parrot: Parrot, tmp_path: Path) -> None:
    usurper = "from pollctl import hookimpl\n\n@hookimpl\ndef pollctl_decide():\n    return []\n"
    parrot.env = {
        **make_plugin_package(tmp_path, "usurper", usurper, group="pollctl.wrappers", env=parrot.env),
        "HOME": str(tmp_path),
    }
    message = parrot.run(code=1)["error"]["message"]
    assert "wrapper usurper" in message
    assert "pollctl_decide" in message


def test_a_wrapper_that_raises_fails_the_pass_and_is_named(parrot: Parrot, tmp_path: Path) -> None:
    clumsy = "from pollctl import hookimpl\n\n@hookimpl(wrapper=True)\ndef pollctl_decide():\n    yield\n    raise SystemExit('ouch')\n"
    parrot.env = {
        **make_plugin_package(tmp_path, "clumsy", clumsy, group="pollctl.wrappers", env=parrot.env),
        "HOME": str(tmp_path),
    }
    message = parrot.run(code=1)["error"]["message"]
    assert "SystemExit: ouch (clumsy.py:6)" in message


AWKWARD = 'canary "7f3a"\\line\ntwo'


def test_a_secret_with_quotes_and_lines_reaches_no_recording_either(parrot: Parrot) -> None:
    secret_file = parrot.folder / "token"
    secret_file.write_text(AWKWARD)
    source = (
        with_hook(
            fetch="(run):\n    yield Batch(run.settings.token.reveal())\n",
            apply="(db, decisions, run):\n    run.effect('say', 'x', {'word': 'x'})\n",
            deliver="(effect, run):\n    return {'said': run.settings.token.reveal()}\n",
            settle="():\n    pass\n",
        )
        .replace('    plan: tuple[str, ...] = ("one", "two")', "    token: Secret")
        .replace("import DeliveryError,", "import DeliveryError, Secret,")
    )
    parrot.teach(source, 'token = { file = "token" }\nrecord = "all"')
    parrot.run()
    kept = parrot.rows("SELECT batch || decisions FROM recordings") + parrot.rows("SELECT result FROM outbox")
    assert "canary" not in "".join(kept)
    assert all("***" in text for text in kept)


def test_a_plan_shows_no_secret_that_came_back_from_the_upstream(parrot: Parrot) -> None:
    source = (
        with_hook(fetch="(run):\n    yield Batch(run.settings.token.reveal())\n")
        .replace('    plan: tuple[str, ...] = ("one", "two")', "    token: Secret")
        .replace("import DeliveryError,", "import DeliveryError, Secret,")
    )
    parrot.teach(source, 'token = "canary-7f3a"')
    for options in ((), ("--json",)):
        done = run_pollctl(parrot.folder, parrot.env, "plan", "parrot", *options)
        assert "***" in done.stdout
        assert "canary" not in done.stdout + done.stderr


def test_no_traceback_shows_a_secret(parrot: Parrot) -> None:
    source = (
        with_hook(fetch="(run):\n    yield Batch('x')\n    raise OSError(run.settings.token.reveal())\n")
        .replace('    plan: tuple[str, ...] = ("one", "two")', "    token: Secret")
        .replace("import DeliveryError,", "import DeliveryError, Secret,")
        + """
@hookimpl
def pollctl_commands(group):
    import click
    @group.command()
    @click.pass_obj
    def slip(context):
        raise LookupError(context.settings.token.reveal())

    @group.command()
    @click.pass_obj
    def trip(context):
        try:
            raise LookupError(context.settings.token.reveal())
        except LookupError as error:
            raise DeliveryError("it tripped") from error
"""
    )
    parrot.teach(source, 'token = "canary-7f3a"')
    for words in (("--debug", "parrot", "trip"), ("--debug", "plan", "parrot"), ("parrot", "slip")):
        done = run_pollctl(parrot.folder, parrot.env, *words)
        assert done.returncode == 1, words
        assert "canary" not in done.stdout + done.stderr, words
        assert "***" in done.stderr
    assert "Traceback" in run_pollctl(parrot.folder, parrot.env, "parrot", "slip").stderr


def test_a_plan_that_the_deadline_or_a_signal_cuts_says_so(parrot: Parrot) -> None:
    fetch = "(run):\n    yield Batch('one')\n    open('there', 'w').close()\n    while not run.is_stopping:\n        time.sleep(0.02)\n"
    parrot.teach(with_hook(fetch=fetch))
    report = parrot.run("--dry-run", "--deadline", "0.3", code=3)
    assert (report["outcome"], report["error"]["type"]) == ("partial", "Deadline")
    (parrot.folder / "there").unlink()
    with parrot.start("--dry-run") as process:
        wait_for((parrot.folder / "there").exists)
        process.send_signal(signal.SIGTERM)
        assert json.loads(process.communicate()[0])["outcome"] == "interrupted"
    assert process.returncode == 143


MIGRATING = """from sqlite_utils import Migrations
migrations = Migrations("broken")
@migrations()
def m001(db):
    FAULT
@hookimpl
def pollctl_poller"""
FAULTS = {
    "a step raises": ("1 / 0", "lambda: migrations"),
    "a step is wrong SQL": ("db.execute('CREATE TABLE runs (x)')", "lambda: migrations"),
    "they cannot be had": ("pass", "lambda: 1 / 0"),
}


@pytest.mark.parametrize(("step", "migrations"), FAULTS.values(), ids=FAULTS)
def test_a_plugin_whose_migrations_fail_fails_its_own_passes_and_no_other(
    parrot: Parrot, tmp_path: Path, step: str, migrations: str
) -> None:
    source = PLAIN.replace("@hookimpl\ndef pollctl_poller", MIGRATING.replace("FAULT", step))
    source = source.replace("decision=Seen)", f"decision=Seen, migrations={migrations})")
    parrot.env = {**make_plugin_package(tmp_path, "broken", source, env=parrot.env), "HOME": str(tmp_path)}
    write_settings(tmp_path, "[plugins.parrot]", "[plugins.broken]")
    done = run_pollctl(tmp_path, parrot.env, "due", "--run")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "migrations" in done.stderr
    assert "'broken'" in done.stderr
    assert sorted(parrot.rows("SELECT plugin, outcome FROM runs")) == [("broken", "failed"), ("parrot", "ok")]
    checked = run_pollctl(tmp_path, parrot.env, "check")
    assert (checked.returncode, checked.stderr) == (1, "")
    metrics = run_pollctl(tmp_path, parrot.env, "metrics")
    assert metrics.returncode == 0
    assert 'pollctl_last_run_outcome{outcome="ok",plugin="parrot"} 1.0' in metrics.stdout


def test_core_alerts_wait_for_no_plugin_to_be_mended(parrot: Parrot, httpserver: Any) -> None:
    httpserver.expect_oneshot_request("/hook").respond_with_data("", status=500)
    core = f"[pollctl.notify]\nurls = ['{httpserver.url_for('/hook').replace('http', 'json')}']\nalert_after = 1"
    parrot.teach("raise ImportError('gone')", "", core)
    parrot.run(now="2026-01-01T00:00:00Z", code=1)
    httpserver.expect_request("/hook").respond_with_data("")
    parrot.run(now="2026-01-01T00:10:00Z", code=1)
    assert parrot.rows("SELECT status FROM outbox") == ["delivered"]


def test_what_a_plugin_logs_is_one_line_that_steers_no_terminal(parrot: Parrot) -> None:
    parrot.teach(
        with_hook(fetch="(run):\n    run.log('so\\x1b[31m says\\nthe upstream \\ud800')\n    yield Batch('x')\n")
    )
    done = run_pollctl(parrot.folder, parrot.env, "run", "parrot")
    assert (done.returncode, done.stderr) == (0, "parrot: so\\x1b[31m says\\nthe upstream \\ud800\n")
