"""What options of commands hold that are addresses of people."""

from __future__ import annotations

from typing import Any

import click

from pollctl.addresses import read_addresses
from pollctl.redaction import Secret


class Addresses(click.ParamType[list[Secret]]):
    """The type of an option that takes Apprise addresses, one or several in one text: a list of secrets, each checked."""

    name = "addresses"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Secret]:
        """Read the addresses, or end the command with what is wrong; it does not repeat them."""
        if isinstance(value, list):
            return value
        try:
            return read_addresses(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
