"""A plugin deletes its old rows at the end of a pass (authors.md, rule 12)."""

from __future__ import annotations

from core.parrot import Parrot
from sample_plugin import parrot_source

NOTE = """(db, now):
    db.execute("INSERT OR REPLACE INTO parrot_words VALUES (?)", [f"pruned {now:%Y-%m-%d}"])
    BODY"""


def pruning(body: str) -> str:
    return parrot_source(prune=NOTE.replace("BODY", body))


def test_it_is_called_with_a_moment_that_the_clock_alone_cannot_move(parrot: Parrot) -> None:
    parrot.teach(pruning("pass"))
    parrot.report(now="2026-03-02T09:00:00Z")
    assert not [word for word in parrot.rows("SELECT word FROM parrot_words") if word.startswith("pruned")]
    parrot.report(now="2026-03-04T09:00:00Z")
    parrot.report(now="2199-03-04T09:00:00Z")
    pruned = [word for word in parrot.rows("SELECT word FROM parrot_words") if word.startswith("pruned")]
    assert pruned == ["pruned 2026-03-02", "pruned 2026-03-04"]


def test_what_it_raises_is_said_and_its_rows_stay(parrot: Parrot) -> None:
    parrot.teach(pruning("1 / 0"))
    parrot.report(now="2026-03-02T09:00:00Z")
    parrot.env["POLLCTL_NOW"] = "2026-03-04T09:00:00Z"
    done = parrot.call("run", "parrot")
    assert done.returncode == 0
    assert "prune raised ZeroDivisionError: division by zero (parrot.py:" in done.stderr
    assert not [word for word in parrot.rows("SELECT word FROM parrot_words") if word.startswith("pruned")]


def test_it_may_delete_its_own_rows_alone(parrot: Parrot) -> None:
    parrot.teach(parrot_source(prune="(db):\n    db.execute('DELETE FROM runs')"))
    parrot.report(now="2026-03-02T09:00:00Z")
    parrot.env["POLLCTL_NOW"] = "2026-03-04T09:00:00Z"
    done = parrot.call("run", "parrot")
    assert "prune may not do this to the database: DELETE from runs, a table of pollctl (parrot.py:" in done.stderr
