"""The metrics."""

from __future__ import annotations

from plugins.toilet_gap.place import Place


def test_the_metrics_count_what_happened(queued: Place) -> None:
    queued.run("08:00")
    queued.visit("09:30")
    queued.visit("09:20")
    queued.passes("09:31", "11:30")
    queued.visit("11:00")
    assert queued.queue
    queued.queue.push("boo")
    queued.run("11:31", code=3)
    text = queued.pollctl("metrics", now=queued.at("11:32"))
    wanted = {
        "pollctl_toilet_gap_windows_ended_by_visit_total": 2,
        "pollctl_toilet_gap_alarms_total": 1,
        "pollctl_toilet_gap_late_events_total": 1,
        "pollctl_toilet_gap_dead_letters_total": 1,
        'pollctl_toilet_gap_checks{result="OPEN"}': 1,
        'pollctl_toilet_gap_checks{result="SUCCESS"}': 0,
    }
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("pollctl_toilet_gap"))
    assert {name: float(lines[name]) for name in wanted} == wanted
