"""Metrics count what passes did."""

from __future__ import annotations

from plugins.shell_query.place import Place, at

from pollctl_shell_query.fake import QUEUED


def test_metrics_count_what_passes_did(place: Place) -> None:
    place.upstream.script, place.upstream.running = [QUEUED], [False, True, False]
    place.upstream.missing["DE_1"] = 1
    place.started()
    for second in (200, 300, 400, 500, 503):
        place.run(second)
    timed_out = place.started(seconds=600)
    place.sql("UPDATE shell_query_polls SET poll_count = 120 WHERE run_id = ?", [timed_out])
    place.run(602)
    place.submit(seconds=610)
    samples = dict(
        line.rsplit(" ", 1)
        for line in place.do("metrics", now=at(611)).splitlines()
        if line.startswith("pollctl_shell_query_")
    )
    found = {name.removeprefix("pollctl_shell_query_"): float(value) for name, value in samples.items()}
    expected = {
        'runs{status="queued"}': 1, 'runs{status="running"}': 0, 'runs{status="ready"}': 1, 'runs{status="failed"}': 1,
        'runs{status="canceled"}': 0, "polls_total": 5, 'is_running_total{result="true"}': 1,
        'is_running_total{result="false"}': 3, 'is_running_total{result="failed"}': 0, "confirmations_total": 3,
        "row_probes_total": 0, "fast_ready_total": 0, "rowset_retries_total": 1, 'timeouts_total{kind="polls"}': 1,
        'timeouts_total{kind="duration"}': 0, 'timeouts_total{kind="rowset"}': 0, "reconciled_total": 0,
        'duration_seconds_bucket{le="10"}': 1, 'duration_seconds_bucket{le="300"}': 1,
        'duration_seconds_bucket{le="600"}': 2, "duration_seconds_count": 2, "duration_seconds_sum": 505,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    place.sql("UPDATE shell_query_runs SET poll_started_at = ? WHERE status = 'ready'", [at(203)])
    assert 'pollctl_shell_query_duration_seconds_bucket{le="300"} 2.0' in place.do("metrics", now=at(611)).splitlines()
