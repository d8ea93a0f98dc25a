"""The sweep: what was left behind upstream, and only that, is deleted."""

from __future__ import annotations

import secrets
from datetime import timedelta

from plugins.shell_query.place import NOON, Place, at

from pollctl_shell_query.client.xml import MAX_BODY
from pollctl_shell_query.fake import COMPLETE, HTML_500, QUEUED, envelopes

DAY = 86_400


def test_a_definition_that_cannot_be_deleted_changes_no_outcome_and_is_swept_a_day_later(place: Place) -> None:
    place.configure(core="[pollctl.outbox]\nmax_attempts = 1")
    run_id = place.started()
    place.upstream.script, place.upstream.replies["delete"] = [COMPLETE], [HTML_500]
    place.run(2, code=3)
    assert place.row(run_id) == "ready"
    assert place.effects("delete_definition") == [(f"delete:{run_id}", "dead")]
    day = 86_400
    place.run(day)
    assert place.upstream.count("list") == 0
    place.run(day + 60)
    assert place.upstream.count("list") == 1
    assert place.upstream.definitions == {}


def test_a_sweep_takes_what_is_ours_and_old_and_comes_once_an_hour(place: Place) -> None:
    living = place.started()
    day = 86_400
    place.upstream.script = [QUEUED]
    place.upstream.now = NOON + timedelta(seconds=day + 60)
    ours = place.upstream.leave_behind("pollctl_orphan", timedelta(days=2))
    others = [
        place.upstream.leave_behind("pollctl_young", timedelta(hours=23)),
        place.upstream.leave_behind("theirs", timedelta(days=9)),
    ]
    place.sql("UPDATE shell_query_runs SET poll_started_at = ?", [at(day + 59)])
    place.run(day + 60)
    assert ours not in place.upstream.definitions
    assert set(others) | {place.row(living, "query_definition_id")} == set(place.upstream.definitions)
    place.run(day + 3659)
    assert place.upstream.count("list") == 1
    place.run(day + 3661)
    assert place.upstream.count("list") == 2


def test_what_is_inactive_is_deleted_already_and_never_again(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.run(2)
    place.upstream.now = NOON + timedelta(seconds=DAY + 60)
    for number in range(40):
        place.upstream.leave_behind(f"pollctl_{number}", timedelta(days=1, hours=1), is_active=False)
    active = place.upstream.leave_behind("pollctl_active", timedelta(days=2))
    for day in (1, 2, 3):
        place.run(day * DAY + 60)
    assert place.upstream.count("list") == 3
    assert place.effects("delete_definition") == [
        (f"delete:{run_id}", "delivered"), (f"sweep:{active}:2026-03-09", "delivered")
    ]  # fmt: skip
    assert set(place.upstream.deletes.values()) == {1}


def test_more_definitions_than_fit_in_an_answer_are_swept_part_by_part(place: Place) -> None:
    place.started()
    place.sql("UPDATE shell_query_runs SET status = 'canceled', completed_at = ?", [at(1)])
    place.upstream.now = NOON + timedelta(seconds=DAY)
    for _ in range(MAX_BODY // 200):
        place.upstream.leave_behind(f"pollctl_{secrets.token_hex(14)}", timedelta(hours=1))
    old = {
        place.upstream.leave_behind(f"pollctl_{digit:x}{secrets.token_hex(13)}x", timedelta(days=2))
        for digit in range(16)
    }
    assert len(envelopes.definitions(place.upstream.definitions.values())) > MAX_BODY
    for hour in range(1, 17):
        place.run(DAY + 3600 * hour + 60 * hour)
        assert len(old & set(place.upstream.definitions)) == 16 - hour
    assert place.upstream.count("list") == 32
