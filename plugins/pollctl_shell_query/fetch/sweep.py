"""The sweep: which definitions of ours are upstream, asked now and then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pollctl_shell_query.client import operations
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.session import ApiSession
from pollctl_shell_query.model import KEY_PREFIX, Definition, Settings
from pollctl_shell_query.store import selection

if TYPE_CHECKING:
    from sqlite_utils import Database

SWEEP_EVERY = timedelta(hours=1)
_MOST_DIGITS = 2  # 256 parts of 1,000 definitions and more each


def is_due(db: Database, now: datetime, settings: Settings) -> bool:
    """Whether definitions may have been left behind, and the last sweep was an hour ago."""
    return selection.is_sweep_due(db, now - settings.sweep_after, now - SWEEP_EVERY)


def definitions(session: ApiSession, now: datetime) -> list[Definition]:
    """All definitions of ours; or, where they are too many for one answer, a part of them, another one each hour.

    Keys go on with random hexadecimal digits, and so do the parts with those of the hour, the lowest first.

    Raises:
        UpstreamError: they could not be asked for.
    """
    hour = f"{int(now.timestamp()) // 3600:x}"[::-1]
    for digits in range(_MOST_DIGITS):
        try:
            return operations.list_definitions(session, KEY_PREFIX + hour[:digits])
        except UpstreamError as error:
            if error.kind != "large":
                raise
    return operations.list_definitions(session, KEY_PREFIX + hour[:_MOST_DIGITS])
