"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Any

import click

from pollctl import completion_from
from pollctl_toilet_gap import queries

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NUMBER = click.IntRange(1, 2**63 - 1)


class CheckOrLatest(click.ParamType[int | None]):
    """The number of a check; None for ``latest``."""

    name = "check"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Read the number, or end the command with what would work."""
        return None if value == "latest" else _NUMBER.convert(value, param, ctx)


check_argument = click.argument("check", type=_NUMBER, shell_complete=completion_from(queries.CHECK_IDS))
named_check_argument = click.argument("check", type=CheckOrLatest(), shell_complete=completion_from(queries.CHECK_IDS))
