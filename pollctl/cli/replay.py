"""``replay``: the proof that decide is pure, and a rehearsal for a new version of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from pollctl import console
from pollctl.cli.arguments import json_option, run_ids
from pollctl.cli.invocation import Invocation
from pollctl.redaction import one_line

if TYPE_CHECKING:
    from pollctl.passes.replay import Replayed

_EMPTY = 'nothing was recorded; with record = "all" in its section a plugin\'s passes are, from the next `pollctl run PLUGIN` on'


@click.command()
@click.argument("words", metavar="[RUN]...", nargs=-1, shell_complete=run_ids)
@click.option("--all", "is_all", is_flag=True, help="Every pass that was recorded.")
@json_option
@click.pass_obj
def replay(invocation: Invocation, words: tuple[str, ...], *, is_all: bool, as_json: bool) -> int:
    """Decide again what was recorded and show any difference; exit 1 if there is one.

    RUN is an id, any unique beginning of it or of the letters after its dash, `latest`, or `latest PLUGIN`. Without
    RUN or --all: the newest recorded pass of each plugin. Nothing is written or sent. A pass is recorded when its
    plugin's setting `record` is "all", or "failures" and decide or apply raised.
    """
    from pollctl.passes.replay import recorded_runs
    from pollctl.passes.replay import replay as decide_again
    from pollctl.store import database, run_ids

    with (
        closing(database.open_to_read(invocation.config_to_look.core.database)) as db,
        console.stdout_kept_for_json(as_json),
        console.progress() as line,
    ):
        chosen = recorded_runs(db, run_ids.resolved(db, words) if words else (), is_all=is_all)
        results: list[Replayed] = []
        with console.until_stopped(lambda: _so_far(results, len(chosen))):
            for result in decide_again(db, invocation.found, chosen):
                results.append(result)
                line.count(f"passes decided again, {_to_look_at(results)} to look at", _passes(results), len(chosen))
    if as_json:
        console.print_json(results)
    else:
        _show(results)
    return int(any(result.is_difference for result in results))


def _show(results: list[Replayed]) -> None:
    if not results:
        console.log(_EMPTY)
        return
    for result in results:
        console.print_text(f"{result.run_id} {result.plugin} #{result.seq}: {result.verdict}")
        for line in result.detail:
            console.print_text(f"    {one_line(line)}")
    console.print_text(f"{len(results)} decided again, {_to_look_at(results)} to look at")


def _to_look_at(results: Sequence[Replayed]) -> str:
    return str(sum(result.is_difference for result in results) or "none")


def _passes(results: Sequence[Replayed]) -> int:
    return len({result.run_id for result in results})


def _so_far(results: Sequence[Replayed], total: int) -> str:
    done = f"{_passes(results)} of {total} passes were decided again, {_to_look_at(results)} to look at"
    return f"{done}; a replay writes nothing"
