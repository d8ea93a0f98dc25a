"""A small Marketing Cloud on the loopback that behaves like the real one: token, SOAP and REST ends, faults included."""

from __future__ import annotations

from pollctl_shell_query.fake.objects import Step, StoredDefinition
from pollctl_shell_query.fake.replies import (
    COMPLETE,
    HTML_500,
    LOGIN_FAILED,
    LOST,
    LOST_AFTER,
    PROCESSING,
    QUEUED,
    TOKEN_EXPIRED,
    Reply,
)
from pollctl_shell_query.fake.upstream import FakeMarketingCloud

__all__ = [
    "COMPLETE",
    "HTML_500",
    "LOGIN_FAILED",
    "LOST",
    "LOST_AFTER",
    "PROCESSING",
    "QUEUED",
    "TOKEN_EXPIRED",
    "FakeMarketingCloud",
    "Reply",
    "Step",
    "StoredDefinition",
]
