"""What options of ``add`` hold: durations, percentages, milliseconds, statuses."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

from pollctl import Duration
from pollctl_latency.client.targets import statuses

LONGEST = Duration(days=36_500)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%?", re.ASCII)
_WHOLE = 100
"""Percent of all."""


class WholeSeconds(click.ParamType[Duration]):
    """A duration of whole seconds, at least one."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        """Read a duration, or end the command with what is wrong with it."""
        if isinstance(value, Duration):
            return value
        try:
            duration = Duration.parse(value)
        except OverflowError:
            self.fail(f"{value!r} is too long; write at most {LONGEST}", param, ctx)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if duration % timedelta(seconds=1) or not timedelta(seconds=1) <= duration <= LONGEST:
            self.fail(f"{value!r}: write whole seconds, at least 1s and at most {LONGEST}", param, ctx)
        return duration


def percent(text: str) -> float:
    """A share as people write it: ``2%``, ``0.5 %``, ``2``.

    Raises:
        ValueError: it is not one, or more than all.
    """
    match = _PERCENT.fullmatch(text)
    if match is None or float(match[1]) > _WHOLE:
        raise ValueError(f"{text!r} is not a valid percentage; write 2% or 0.5%")
    return float(match[1])


def milliseconds(text: str) -> float:
    """A duration as milliseconds: ``100ms``, ``1.5s``."""
    return Duration.parse(text) / timedelta(milliseconds=1)


def status_list(text: str) -> str:
    """HTTP statuses that can be read: ``200-399``."""
    statuses(text)
    return text
