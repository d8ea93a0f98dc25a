"""Measurements of simulated targets."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from plugins.latency.values import NOON, job

from pollctl_latency.client.simulation import simulate


def test_a_simulation_is_the_same_for_the_same_job_and_moment() -> None:
    simulated = job(target="router-7", monitoring_mode="simulated")
    moments = [NOON + timedelta(seconds=second) for second in range(50)]
    first = [simulate(simulated, moment) for moment in moments]

    assert first == [simulate(simulated, moment) for moment in moments]
    assert first != [simulate(msgspec.structs.replace(simulated, id=2), moment) for moment in moments]


@pytest.mark.parametrize(
    ("profile", "fewest", "most"), [("healthy", 0, 20), ("intermittent", 200, 400), ("offline", 1000, 1000)]
)
def test_a_simulated_target_may_name_its_profile(profile: str, fewest: int, most: int) -> None:
    simulated = job(target=f"{profile}-1", monitoring_mode="simulated")
    measurements = [simulate(simulated, NOON + timedelta(seconds=second)) for second in range(1000)]

    assert fewest <= sum(measured.status == "missed" for measured in measurements) <= most
