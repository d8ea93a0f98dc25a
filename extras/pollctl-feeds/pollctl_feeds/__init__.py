"""feeds: each new entry of RSS, Atom and JSON feeds once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl import hookimpl
from pollctl.targets import TargetPlugin
from pollctl_feeds.client import read
from pollctl_feeds.decide import compare
from pollctl_feeds.model import Entry, Feed, Known

if TYPE_CHECKING:
    import click


class Feeds(TargetPlugin[Feed, list[Entry]]):
    """A plugin of targets with two commands more."""

    @hookimpl
    def pollctl_commands(self, group: click.Group) -> None:
        """The commands for targets, and those for lists of feeds."""
        from pollctl_feeds.commands import add_commands

        super().pollctl_commands(group)
        add_commands(self, group)


plugin = Feeds(
    "feeds", Feed, list[Entry], kept=Known, key="feeds", summary="What is new in feeds?", read=read, compare=compare
)
