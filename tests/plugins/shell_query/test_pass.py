"""Whole passes: a plan changes nothing, and recordings decide the same again."""

from __future__ import annotations

import json

from plugins.shell_query.place import Place, at

from pollctl_shell_query.fake import COMPLETE


def test_recorded_passes_decide_the_same_again(place: Place) -> None:
    place.configure(core='record = "all"', jitter=0.2)
    place.upstream.missing["DE_1"] = 3
    place.started()
    for second in range(2, 60, 3):
        place.run(second)
    assert place.sql("SELECT count(*) FROM recordings")[0][0] > 4
    place.do("replay", "--all")


def test_a_plan_asks_and_changes_nothing(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    before = place.row(run_id, "*")
    place.take_requests()
    plan = json.loads(place.do("plan", "shell_query", "--json", now=at(2)))
    assert [decision["type"] for decision in plan["decisions"]] == ["FinishRun"]
    assert place.take_requests() == ["status", "rowset"]
    assert place.row(run_id, "*") == before
