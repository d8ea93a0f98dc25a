"""The fake event service."""

from __future__ import annotations

import json

from pollctl_toilet_gap.fake import FakeEventService


def test_the_fake_keeps_what_it_was_given() -> None:
    with FakeEventService() as service:
        service.visit("r-1", "2025-11-12T08:30:00.000Z")
        assert json.dumps(service.incomings("r-1", "TOILET_ACTIVITY", 0)).count("08:30") == 2
        assert service.incomings("r-1", "TOILET_ACTIVITY", 1_762_936_201) == []
