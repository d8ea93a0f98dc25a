"""The old name of ``pollctl.demo``; it goes on for two minor versions."""

from __future__ import annotations

import warnings

from pollctl.demo import DemoSession as Stage
from pollctl.demo import Message

__all__ = ["Message", "Stage"]

warnings.warn(
    "pollctl.stage.Stage is now pollctl.demo.DemoSession; the old name goes in 0.3", DeprecationWarning, stacklevel=2
)
