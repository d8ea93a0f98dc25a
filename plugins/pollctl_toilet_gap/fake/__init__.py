"""A small event service and its queue on the loopback; what goes wrong is scripted."""

from __future__ import annotations

from pollctl_toilet_gap.fake.event_service import FakeEventService, Fault, Subscription
from pollctl_toilet_gap.fake.queue import FakeQueue

__all__ = ["FakeEventService", "FakeQueue", "Fault", "Subscription"]
