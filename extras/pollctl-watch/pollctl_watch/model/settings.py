"""The keys of the section beside its watches."""

from __future__ import annotations

from pollctl.targets import TargetSettings


class WatchSettings(TargetSettings, frozen=True, kw_only=True):
    """``[plugins.watch]``.

    Attributes:
        chromium: the program that shows pages with ``browser = true``; the first Chromium in PATH if empty.
    """

    chromium: str = ""
