"""What ``pollctl demo`` shows of latency."""

from __future__ import annotations

from pathlib import Path

import pytest

from pollctl.cli import start
from pollctl.demo import DemoSession
from pollctl_latency.demo import run


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Apprise, when it is imported
def test_the_crew_is_notified_of_the_outage_the_recovery_and_the_verdict(tmp_path: Path) -> None:
    with DemoSession(tmp_path, start) as session:
        run(session)

    assert [(message.recipient, message.title) for message in session.messages] == [
        ("crew", "gateway.example.net is offline since 09:03:00 UTC (5 misses in a row: Request timeout)"),
        ("crew", "gateway.example.net is back after 6 min"),
        ("crew", "gateway.example.net: fail: 6 of 16 probes lost (limit 2 %)"),
    ]
