"""Upstreams on the loopback device that behave like the real ones, faults included."""

from __future__ import annotations

from pollctl_latency.fake.api import BROKEN, LOST, FakeApi, Reply

__all__ = ["BROKEN", "LOST", "FakeApi", "Reply"]
