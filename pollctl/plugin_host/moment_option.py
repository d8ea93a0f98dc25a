"""What options of commands hold that are moments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from pollctl.clock import EARLIEST, LATEST, from_person, now


class Moment(click.ParamType[datetime]):
    """The type of an option that takes a moment with a zone, or a distance from now such as ``-2h``: a datetime in UTC."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the moment, or end the command with what would work."""
        if isinstance(value, datetime):
            return value
        try:
            at = from_person(value, now())
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a moment with a zone; write 2026-03-08T06:59:00Z or -2h", param, ctx)
        if not EARLIEST <= at < LATEST:
            self.fail(f"{value!r} is not between 2020 and 2200, where schedules are known", param, ctx)
        return at
