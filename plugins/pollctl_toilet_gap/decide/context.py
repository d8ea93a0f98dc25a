"""What is the same for all checks of a batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from pollctl_toilet_gap.model import LastHeard, Settings


class Context(NamedTuple):
    """The moment, the settings, and how far the pass could see (``is_drained`` and the rest as in ``Batch``)."""

    now: datetime
    settings: Settings
    is_drained: bool = False
    has_judged: bool = False
    unread_queue: str = ""
    heard: Mapping[int, LastHeard] = MappingProxyType({})
    known_letters: Collection[str] = ()
