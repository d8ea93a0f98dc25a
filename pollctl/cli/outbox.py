"""``outbox``: effects that wait, that failed, and what a person decides about them."""

from __future__ import annotations

from contextlib import closing

import click

from pollctl import clock, console
from pollctl.api.listing import Column
from pollctl.api.outcomes import EFFECT_STATUSES
from pollctl.cli.arguments import ROW, effect_ids, json_option, plugin_names
from pollctl.cli.invocation import Invocation

_EMPTY = "the outbox is empty: no pass has queued an effect yet (`pollctl plan PLUGIN` says what one would do)"
_NO_SUCH = "no such effect; `pollctl outbox list` without options lists them all"
_COLUMNS = (
    Column("id", kind="number"),
    Column("plugin", kind="id"),
    Column("kind", drop=3),
    Column("key", drop=4),
    Column("lane", drop=6),
    Column("status", kind="state"),
    Column("attempts", "tries", "number", drop=2),
    Column("next_attempt_at", "next try", "age", drop=5),
    Column("last_error"),
)


@click.group()
def outbox() -> None:
    """List, retry or drop effects."""


@outbox.command("list")
@click.option("--plugin", default="", help="Only those of one plugin.", shell_complete=plugin_names)
@click.option("--status", type=click.Choice(EFFECT_STATUSES), help="Only those in one state.")
@click.option("--limit", type=ROW, default=100, show_default=True, help="How many at most.")
@json_option
@click.pass_obj
def list_effects(invocation: Invocation, plugin: str, status: str | None, limit: int, *, as_json: bool) -> None:
    """List effects, newest first.

    `pending` ones wait for their next attempt, `sending` ones are on their way, `unknown` ones may have arrived and
    wait for a person, `dead` ones were given up.
    """
    from pollctl.api.names import canonical
    from pollctl.delivery.admin import listing
    from pollctl.store import database

    with database.looking(invocation.config_to_look.core.database) as db:
        rows, more = listing(db, plugin=canonical(plugin), status=status or "", limit=limit)
    if not as_json:
        rows = [row if row["status"] == "pending" else {**row, "next_attempt_at": None} for row in rows]
    empty = _NO_SUCH if plugin or status else _EMPTY
    console.print_rows(rows, as_json=as_json, columns=_COLUMNS, moments=invocation.moments, empty=empty)
    if more:
        console.log(f"{more} more; `--limit {limit + more}` shows all, `--plugin` and `--status` choose among them")


@outbox.command("show")
@click.argument("number", metavar="ID", type=ROW, shell_complete=effect_ids)
@json_option
@click.pass_obj
def show_effect(invocation: Invocation, number: int, *, as_json: bool) -> None:
    """Show everything about one effect: what it is to do, its tries, what came of it."""
    from pollctl.delivery.admin import effect
    from pollctl.store import database

    with database.looking(invocation.config_to_look.core.database) as db:
        console.print_rows(effect(db, number), as_json=as_json, moments=invocation.moments)


@outbox.command("retry")
@click.argument("numbers", metavar="[ID]...", nargs=-1, type=ROW, shell_complete=effect_ids)
@click.option("--dead", "is_dead", is_flag=True, help="Every dead effect.")
@click.pass_obj
def retry(invocation: Invocation, numbers: tuple[int, ...], *, is_dead: bool) -> None:
    """Let the next pass send effects again that are dead, unknown or waiting; their attempts are counted from 0 again."""
    from pollctl.console.words import count
    from pollctl.delivery.admin import dead, plugins_of, retry_now
    from pollctl.store import database

    _some(numbers, is_dead=is_dead)
    with closing(database.open_to_write(invocation.config.core.database)) as db:
        chosen = [*numbers, *(dead(db) if is_dead else ())]
        retry_now(db, chosen, clock.now())
        plugins = plugins_of(db, chosen)
    if not chosen:
        console.print_text("there is no dead effect")
    for plugin, number in plugins.items():
        console.print_text(f"{count(number, 'effect')} of {plugin}: {_next_pass(invocation, plugin)}")


@outbox.command("drop")
@click.argument("numbers", metavar="ID...", nargs=-1, type=ROW, required=True, shell_complete=effect_ids)
@click.pass_obj
def drop(invocation: Invocation, numbers: tuple[int, ...]) -> None:
    """Give effects up: they stay listed as dead, and their keys stay known, so that nothing queues them again."""
    from pollctl.delivery.admin import drop as give_up
    from pollctl.store import database

    with closing(database.open_to_write(invocation.config.core.database)) as db:
        give_up(db, numbers, clock.now())
    console.print_text(f"{len(numbers)} dropped")


def _next_pass(invocation: Invocation, plugin: str) -> str:
    """When the effects of a plugin will be sent, or why no pass will come for them."""
    from pollctl.due.selection import judge_all
    from pollctl.errors import ConfigError

    word = plugin.replace("_", "-")
    if plugin not in invocation.config.enabled:
        return f"no pass will send them, as it is not enabled; `pollctl plugins enable {word}`, or `pollctl run {word}`"
    verdict = judge_all(invocation.config, clock.now())[plugin]
    if isinstance(verdict, ConfigError):
        return f"no pass will send them: {'; '.join(verdict.problems)}"
    if verdict.is_due:
        return "its next pass, which is due now, sends them"
    at = invocation.moments.long(verdict.next_due_at) if console.is_terminal() else clock.to_text(verdict.next_due_at)
    return f"its next pass sends them, due at {at}"


def _some(numbers: tuple[int, ...], *, is_dead: bool) -> None:
    if not numbers and not is_dead:
        raise click.UsageError("name effects by their ids (see `pollctl outbox list`), or say --dead")
