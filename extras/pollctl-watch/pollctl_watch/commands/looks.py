"""What a selector gives now: of a watch, or of an address that is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from pollctl import PluginContext, PollctlError, UsageError
from pollctl_watch.client import read
from pollctl_watch.client.browser import Chromium
from pollctl_watch.client.numbers import number_in
from pollctl_watch.fetch import ask
from pollctl_watch.model import Seen, Watch

if TYPE_CHECKING:
    from pollctl import Answer
    from pollctl_watch import WatchPlugin

_AROUND = 3
_READ_BY = (
    *("kind", "select", "without", "xpath", "json", "regex", "when", "threshold", "decimal"),
    *("ignore", "lines", "sort", "unique", "links", "browser", "allow_hosts"),
)
"""Keys that say what is read, and what of it is told."""


def add_commands(plugin: WatchPlugin, group: click.Group) -> None:
    """Add them to the plugin's group; `look` takes the place of the one that every plugin of targets has."""

    @group.command()
    @plugin.name_argument()
    @click.pass_obj
    def look(context: PluginContext, name: str) -> None:
        """Show what would be read now, with three lines around it; nothing is kept of it, and nobody is told."""
        with context.reading() as db:
            watch = plugin.find(db, context.settings, name).target
        _show(context, watch)

    def test(context: PluginContext, /, **keys: Any) -> None:
        """Show what a watch of URL would read, without adding one."""
        try:
            watch = plugin.typed(keys)
            plugin.check(watch)
        except ValueError as error:
            raise UsageError(str(error)) from error
        _show(context, watch)

    command: Any = click.pass_obj(test)
    for option in reversed([click.argument("url"), *plugin.options(*_READ_BY)]):
        command = option(command)
    group.command()(command)


def _show(context: PluginContext, watch: Watch) -> None:
    with context.asking() as send:
        answer = ask(watch.request(), send, {}, context.now, Chromium(context.settings.chromium))
    if answer.error:
        raise PollctlError(f"{watch.title}: {answer.error.message}")
    if not watch.is_answer(answer):
        raise PollctlError(f"{watch.title}: it answered {answer.status}")
    try:
        seen = read(answer, watch)
    except ValueError as error:
        raise PollctlError(f"{watch.title}: {error}") from error
    click.echo("\n".join(_around(seen, answer, watch)) if seen.is_there else "(the selector matches nothing)")
    for line in _said(seen, watch):
        click.echo(line)


def _said(seen: Seen, watch: Watch) -> list[str]:
    """The number that is read, if any, and whether the condition holds."""
    condition = watch.condition
    number = seen.number or (number_in(seen.text, watch.decimal) if "\n" not in seen.text else None)
    said = [f"the number is {number}"] if number and condition.kind not in ("status", "contains", "missing") else []
    if condition.kind in ("changed", "changes by"):
        return said
    return [*said, f"{watch.when}: {'yes' if condition.holds(seen) else 'no'}"]


def _around(seen: Seen, answer: Answer, watch: Watch) -> list[str]:
    """The lines that are read, marked, with those around them on the page if they stand there in one piece."""
    found = seen.text.splitlines()
    marked = [f"> {line}" for line in found]
    if not watch.selector or watch.json or watch.condition.kind == "status":
        return marked
    try:
        page = read(answer, replace(watch, select="", xpath="", regex="", lines=(), when="changed", threshold="")).text
    except ValueError:
        return marked
    lines = page.splitlines()
    at = next((i for i in range(len(lines)) if found and lines[i : i + len(found)] == found), None)
    if at is None:
        return marked
    before, after = lines[max(0, at - _AROUND) : at], lines[at + len(found) : at + len(found) + _AROUND]
    return [*(f"  {line}" for line in before), *marked, *(f"  {line}" for line in after)]
