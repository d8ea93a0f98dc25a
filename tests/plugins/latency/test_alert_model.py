"""Alerts over real tables, against a model that is told all samples at once."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.latency.values import ERROR, MISS
from plugins.latency.world import World

outcomes = st.lists(st.one_of(st.just(MISS), st.just(ERROR), st.just(20.0)), max_size=40)


def expected(taken: list[Any], length: int) -> list[tuple[str, int]]:
    """Kind and sample of each alert, as the rules say them: the last N that are not system errors, the last N samples."""
    alerts: list[tuple[str, int]] = []
    is_offline = is_blind = False
    for end in range(1, len(taken) + 1):
        now, before = taken[end - 1], taken[:end]
        if is_blind and now != ERROR:
            is_blind = False
            alerts.append(("seeing", end - 1))
        if not is_blind and before[-length:] == [ERROR] * length:
            is_blind = True
            alerts.append(("blind", end - 1))
        counted = [one for one in before if one != ERROR][-length:]
        if now == ERROR or len(counted) < length:
            continue
        if not is_offline and set(counted) == {MISS}:
            is_offline = True
            alerts.append(("offline", end - 1))
        elif is_offline and set(counted) == {20.0}:
            is_offline = False
            alerts.append(("recovery", end - 1))
    return alerts


@settings(deadline=None, max_examples=60)
@given(outcomes, st.integers(1, 6))
def test_alerts_are_those_of_the_model_whatever_comes(taken: list[Any], length: int) -> None:
    world = World()
    job_id = world.add_job(alert_offline=1, alert_recovery=1, alert_blind=1, outage_length=length)
    world.add_job(target="another", outage_length=2)
    world.sample(job_id, taken)
    raised = world.rows(
        """SELECT alert_type, sequence_number FROM latency_alerts AS alert JOIN latency_samples AS sample
           ON sample.job_id = alert.job_id AND recorded_at = triggered_at ORDER BY alert.id"""
    )
    state = world.rows(
        f"SELECT alert_state, offline_since IS NULL, is_blind, blind_since IS NULL FROM latency_jobs WHERE id={job_id}"
    )
    world.db.close()
    assert raised == expected(taken, length)
    kinds = [kind for kind, _ in raised]
    offline = [kind for kind in kinds if kind in ("offline", "recovery")][-1:] == ["offline"]
    blind = [kind for kind in kinds if kind in ("blind", "seeing")][-1:] == ["blind"]
    assert state == [("offline_alerted" if offline else "ok", not offline, blind, not blind)]
    assert len(world.run.messages) == len(raised)
