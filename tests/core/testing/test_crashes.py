"""authors.md 18: passes on a bench that are killed anywhere, and what comes of the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from core.testing.gauge import HOOKS, URL, gauge

from pollctl.testing import Bench

pytestmark = pytest.mark.slow


@pytest.fixture
def river(tmp_path: Path) -> Iterator[Bench]:
    with gauge(tmp_path) as bench:
        yield bench.answer(URL, {"cm": 300})


def test_a_pass_that_is_killed_leaves_what_it_had_committed(river: Bench) -> None:
    river.answer(URL, {"cm": 100}).run()
    river.answer(URL, {"cm": 300}).at("+10m")
    for point in range(1, 100):
        killed = river.kill_at(point)
        if killed.error == "POST http://inbox/crew":
            break
        river.sql("DELETE FROM gauge_levels WHERE cm = 300")
        river.sql("DELETE FROM outbox")
    assert killed.outcome == "killed"
    assert [one.status for one in killed.effects] == ["sending"]
    assert killed.decisions[-1].reason == "it rose"
    assert (killed.messages, river.messages) == ([], [])
    assert river.run().outcome == "ok"
    assert [one.body for one in river.messages] == ["300 cm"]


def test_a_pass_that_ends_before_it_is_killed_is_a_pass(river: Bench) -> None:
    result = river.kill_at(99)
    assert (result.outcome, result.stats, len(result.decisions)) == ("ok", {"levels": 1}, 2)
    assert [one.body for one in result.messages] == ["300 cm"]


def test_a_plugin_that_is_idempotent_ends_alike_wherever_it_is_killed(river: Bench) -> None:
    assert river.crashes() == []
    assert (river.rows(), river.messages, f"{river.now:%H:%M}") == ({}, [], "09:00")


def test_a_plugin_that_keeps_a_row_for_each_try_is_found(tmp_path: Path) -> None:
    apply = HOOKS["apply"] + (
        '\n    db.execute("INSERT INTO gauge_levels VALUES (?, ?, 0)", [f"0 {time.time_ns()}", 1])'
    )
    with gauge(tmp_path, apply=apply) as bench:
        found = bench.answer(URL, {"cm": 300}).crashes(ignore=["gauge_levels.at"])
        assert found
        assert all(line.startswith("killed before ") for line in found)
        assert any("too much: gauge_levels: " in line for line in found), found


def test_a_plugin_that_asks_to_change_something_while_it_fetches_is_found(tmp_path: Path) -> None:
    fetch = HOOKS["fetch"] + (
        '\n        body = str(time.time_ns()).encode()\n        list(run.get_many([Request(url=run.settings.url, method="POST", body=body)]))'
    )
    with gauge(tmp_path, fetch=fetch) as bench:
        found = bench.answer(URL, {"cm": 300}).crashes()
        assert any("sent, though it should not be: POST" in line for line in found)
