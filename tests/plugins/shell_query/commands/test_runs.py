"""``runs``, ``show`` and ``cancel``."""

from __future__ import annotations

import pytest
from plugins.shell_query.place import Place


def test_runs_are_listed_the_newest_first_without_their_sql(place: Place) -> None:
    older, newer = place.submit(seconds=0), place.submit(seconds=1)
    rows = place.shown("runs")
    assert [row["id"] for row in rows] == [newer, older]
    assert "sql_text" not in rows[0]
    assert older in place.do("shell-query", "runs")
    assert place.shown("show", "latest")["id"] == newer
    place.do("shell-query", "results", "latest", code=1)
    assert f"run {newer} is queued" in place.stderr


def test_cancel_of_a_finished_run_says_so_and_changes_nothing(place: Place) -> None:
    run_id = place.ready([])
    before = place.row(run_id, "*")
    assert place.do("shell-query", "cancel", run_id) == f"run {run_id} is ready already; nothing changed\n"
    assert place.row(run_id, "*") == before
    other = place.submit()
    assert place.do("shell-query", "cancel", other) == ""
    assert "canceled already" in place.do("shell-query", "cancel", other)


@pytest.mark.parametrize("command", ["show", "cancel", "results"])
def test_an_unknown_id_is_an_error(place: Place, command: str) -> None:
    place.do("shell-query", command, "nobody", code=2)
    assert "no run 'nobody'" in place.stderr
    place.do("shell-query", command, "latest", code=2)
    assert "no run 'latest'" in place.stderr if command == "cancel" else "no run yet" in place.stderr
