"""What is the same for all checks of a batch."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pollctl_toilet_gap.model import Settings


class Context(NamedTuple):
    """The moment, the settings, and how far the pass could see (``is_drained`` and ``has_judged`` as in ``Batch``)."""

    now: datetime
    settings: Settings
    is_drained: bool = False
    has_judged: bool = False
