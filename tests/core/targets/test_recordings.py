"""What a plugin of targets decides can be read back from its recording, so that a replay compares it."""

from __future__ import annotations

from pollctl import Duration
from pollctl.targets import News
from pollctl.targets.model import Decision, Told
from pollctl.testing import round_trip_problems


def test_news_that_waits_for_a_digest_survives_a_recording() -> None:
    decided = [Told(title="bicycle", news=[News("it changed")], digest=Duration(minutes=10), reason="news")]
    assert round_trip_problems(decided, list[Decision]) == []
