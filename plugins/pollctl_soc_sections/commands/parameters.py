"""Parameters that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pollctl import completion_from
from pollctl_soc_sections import queries
from pollctl_soc_sections.model.identifiers import read_id


class Checked(click.ParamType[Any]):
    """A value that a function reads from text; its ValueError becomes the message."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the value, or end the command with what is wrong with it."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
ID = Checked("id", read_id)
number_argument = click.argument("number", metavar="ID", type=ID, shell_complete=completion_from(queries.IDS))
