"""A pass from its fetch to its delivery, seen from outside (core §1 and §2)."""

from __future__ import annotations

import resource

import pytest
from core.parrot import Parrot
from sample_plugin import parrot_source


def test_a_pass_fetches_decides_applies_and_delivers_and_says_so(parrot: Parrot) -> None:
    report = parrot.report()
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
    parrot.report()
    report = parrot.report()
    assert (report["outcome"], report["decisions"], report["effects"]["queued"]) == ("ok", 0, 0)
    assert sorted(parrot.said) == ["one", "two"]


def test_what_was_fetched_before_a_failure_survives_it(parrot: Parrot) -> None:
    parrot.teach(parrot_source(fetch="(run):\n    yield Batch('one')\n    raise OSError('the line is dead')\n"))
    report = parrot.report(code=1)
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
    parrot.teach(parrot_source(**{hook: bodies[hook].replace("RAISED", raised)}))
    report = parrot.report(code=1)
    assert (report["outcome"], report["batches"], report["stats"]) == ("failed", 1, {"learned": 1})
    assert f"{hook} raised {raised.split('(', maxsplit=1)[0]}" in report["error"]["message"]
    assert parrot.rows("SELECT word FROM parrot_words") == ["two"]
    assert parrot.said == ["two"]


def test_a_row_that_a_person_changed_during_the_fetch_is_respected(parrot: Parrot) -> None:
    parrot.teach(
        parrot_source(
            fetch=(
                "(run):\n    import sqlite3\n    person = sqlite3.connect('pollctl.db')\n"
                "    person.execute(\"INSERT INTO parrot_words VALUES ('one')\")\n    person.commit()\n"
                "    person.close()\n    yield Batch('one')\n"
            )
        )
    )
    assert parrot.report()["decisions"] == 0


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
    parrot.teach(parrot_source(**{hook: body}))
    report = parrot.report(code=1)
    assert f"{hook} may not do this to the database: {named}" in report["error"]["message"]
    assert parrot.rows("SELECT word FROM parrot_words") == []


def test_an_undeclared_kind_of_effect_is_refused_by_name(parrot: Parrot) -> None:
    parrot.teach(parrot_source().replace('run.effect("say"', 'run.effect("whisper"'))
    report = parrot.report(code=1)
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
    parrot.teach(parrot_source(fetch=f"(run):\n    {calls}\n"))
    report = parrot.report(code=code)
    assert report["outcome"] == outcome
    if "HTTP 500" in calls:
        assert "b: HTTP 500" in report["error"]["message"]


def test_an_upstream_that_asked_to_wait_is_remembered_by_later_passes(parrot: Parrot) -> None:
    parrot.teach(
        parrot_source(
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
        parrot.report(now=f"2026-01-01T00:{minute}:00Z")
    assert parrot.rows("SELECT word FROM parrot_words ORDER BY rowid") == ["free", "held 00:10"]
    assert parrot.rows("SELECT not_before FROM holds") == ["2026-01-01T00:10:00.000Z"]


def test_old_rows_go_in_bounded_steps(parrot: Parrot) -> None:
    parrot.report(now="2026-01-01T00:00:00Z")
    parrot.report(now="2026-05-30T00:00:00Z")
    assert parrot.rows("SELECT count(*) FROM runs") == [2], "that clock is not trusted before another pass"
    parrot.report(now="2026-06-01T00:00:00Z")
    assert parrot.rows("SELECT started_at FROM runs ORDER BY id") == [
        "2026-05-30T00:00:00.000Z",
        "2026-06-01T00:00:00.000Z",
    ]
    assert parrot.rows("SELECT count(*) FROM outbox") == [0]


def test_a_disk_that_is_full_is_named_and_the_next_pass_goes_on(parrot: Parrot) -> None:
    parrot.configure(f"plan = {[str(number) * 50 for number in range(500)]}")
    parrot.report("--deadline", "1ms", code=None)
    before = parrot.rows("SELECT count(*) FROM parrot_words")
    done = parrot.spawn(
        "run", "parrot", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
    )
    assert done.returncode == 1
    assert "database" in done.stderr
    assert "parrot-package" not in done.stderr, "the plugin is blamed for the disk"
    assert "Traceback" not in done.stderr
    assert parrot.rows("PRAGMA integrity_check") == ["ok"]
    assert parrot.rows("SELECT count(*) FROM parrot_words") >= before
    parrot.report()
    assert parrot.rows("SELECT count(*) FROM parrot_words") == [500]
    assert len(set(parrot.said)) == 500, (
        "what could not be settled was said again, under the same key; nothing was lost"
    )


def test_times_are_kept_as_text_in_utc_that_sorts(parrot: Parrot) -> None:
    parrot.report(now="2026-01-01T01:00:00+01:00")
    assert parrot.rows("SELECT started_at, finished_at FROM runs") == [("2026-01-01T00:00:00.000Z",) * 2]


def test_a_clock_before_2020_is_refused_before_anything_happens(parrot: Parrot) -> None:
    done = parrot.call("run", "parrot", now="1970-01-01T00:00:00Z")
    assert done.returncode == 2
    assert "before 2020" in done.stderr
    assert not (parrot.folder / "pollctl.db").exists()


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
    parrot.teach(parrot_source(apply=f"(db, decisions, run):\n    {apply}\n"), "plan = ['one']")
    report = parrot.report(code=1)
    assert report["outcome"] == "failed"
    assert report["error"]["message"].startswith("plugin 'parrot' (parrot-package 1.2.3): apply ")
    assert parrot.rows("SELECT outcome FROM runs") == ["failed"]
    assert parrot.rows("SELECT key FROM outbox") == []


def test_the_error_of_a_batch_that_cannot_be_recorded_is_told_first(parrot: Parrot) -> None:
    hooks = {
        "load": "(db):\n    return State([object()])\n",
        "decide": "(state):\n    raise ValueError('cannot decide')\n",
    }
    parrot.teach(parrot_source(**hooks), "plan = ['one']")
    assert "decide raised ValueError: cannot decide" in parrot.report(code=1)["error"]["message"]


def test_what_a_plugin_logs_is_one_line_that_steers_no_terminal(parrot: Parrot) -> None:
    parrot.teach(
        parrot_source(fetch="(run):\n    run.log('so\\x1b[31m says\\nthe upstream \\ud800')\n    yield Batch('x')\n")
    )
    parrot.do("db", "migrate")
    done = parrot.call("run", "parrot")
    assert (done.returncode, done.stderr) == (0, "parrot: so\\x1b[31m says\\nthe upstream \\ud800\n")
