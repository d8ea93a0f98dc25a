"""``due`` and ``why``: what cron calls, and what a person asks when it did not do what was expected."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from pollctl import clock, console
from pollctl.api.listing import Column
from pollctl.cli.arguments import json_option, plugin_names
from pollctl.cli.invocation import Invocation
from pollctl.console.moments import Moments
from pollctl.errors import ConfigError, PollctlError
from pollctl.plugin_host.moment_option import Moment

_SLOT_COLUMNS = (Column("plugin", kind="id"), Column("slot", kind="moment"))
_GATE_COLUMNS = (Column("", kind="state"), Column("gate", kind="id"))


@click.command()
@click.option("--run", "is_run", is_flag=True, help="Run each in a process of its own, side by side.")
@click.option(
    "--at", metavar="MOMENT", type=Moment(), help="As if it were MOMENT, such as 2026-03-08T06:59:00Z or -2h."
)
@click.option(
    "--next", "count", metavar="N", type=click.IntRange(1, 10_000), help="List the next N slots of each plugin."
)
@json_option
@click.pass_obj
def due(invocation: Invocation, at: datetime | None, count: int | None, *, is_run: bool, as_json: bool) -> int:
    """List the names of the plugins that are due, or run them.

    With --run nothing is printed while all is well. A plugin that another pass is at work on is not an error. A pass
    that does not end within its deadline and grace is killed.
    """
    if is_run and (at or count):
        raise click.UsageError("--run cannot be combined with --at or --next")
    if is_run:
        return _run_due(invocation, as_json=as_json)
    if count:
        return _list_slots(invocation, at or clock.now(), count, as_json=as_json)
    return _list_due(invocation, at or clock.now(), as_json=as_json)


@click.command()
@click.argument("plugin", required=False, shell_complete=plugin_names)
@click.option(
    "--at", metavar="MOMENT", type=Moment(), help="As if it were MOMENT, such as 2026-03-08T06:59:00Z or -2h."
)
@json_option
@click.pass_obj
def why(invocation: Invocation, plugin: str | None, at: datetime | None, *, as_json: bool) -> int:
    """Say why plugins are or are not due, gate by gate, and when they are next."""
    from pollctl.due.selection import why as reasons_of
    from pollctl.inspection.status import notices

    config = invocation.config_to_look
    config.check_schedule()
    names = list(config.enabled) if plugin is None else [_known(invocation, plugin)]
    said = notices(config, {name: one for name, one in invocation.found.items() if name in names}, at or clock.now())
    reasons: list[dict[str, Any]] = []
    code = 0
    with console.stdout_kept_for_json(as_json):
        for name in names:
            try:
                reasons.append({**reasons_of(config, name, at or clock.now())._asdict(), "notice": said.get(name)})
            except ConfigError as error:
                code = error.exit_code
                _warn(error)
    if as_json:
        console.print_json(reasons[0] if plugin and reasons else reasons)
        return code
    if not reasons and not code:
        console.log(console.NOTHING_ENABLED)
    for reason in reasons:
        _tell(reason, invocation.moments)
    return code


def _run_due(invocation: Invocation, *, as_json: bool) -> int:
    from pollctl.cli.copies import command
    from pollctl.supervision.supervisor import run_due

    try:
        batch_result = run_due(invocation.config, clock.now(), command)
    except PollctlError as error:
        if as_json or _is_news(invocation, error):
            raise
        return error.exit_code
    if as_json:
        console.print_json([result.as_json() for result in batch_result.passes])
    return batch_result.exit_code(locked=0)


def _is_news(invocation: Invocation, error: PollctlError) -> bool:
    """Whether what keeps all passes from starting was not said within a day; a person at a terminal always hears of it."""
    from pollctl.supervision.stamps import is_news

    return sys.stderr.isatty() or is_news(invocation.config_path, str(error), clock.now())


def _list_due(invocation: Invocation, now: datetime, *, as_json: bool) -> int:
    from pollctl.due.selection import judge_all

    verdicts = _without_errors(judge_all(invocation.config_to_look, now))
    names = [name for name, verdict in verdicts.items() if verdict.is_due]
    if as_json:
        console.print_json(names)
    elif names:
        console.print_text("\n".join(names))
    return 0


def _list_slots(invocation: Invocation, now: datetime, count: int, *, as_json: bool) -> int:
    from pollctl.due.selection import next_slots

    slots = _without_errors(next_slots(invocation.config_to_look, now, count))
    if as_json:
        console.print_json(slots)
    else:
        rows = [{"plugin": name, "slot": slot} for name in slots for slot in slots[name]]
        console.print_rows(
            rows, as_json=False, columns=_SLOT_COLUMNS, moments=invocation.moments, empty=console.NOTHING_ENABLED
        )
    return 0


def _without_errors(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that are none; an error in the section of one plugin is a warning for the others."""
    for answer in answers.values():
        if isinstance(answer, ConfigError):
            _warn(answer)
    return {name: answer for name, answer in answers.items() if not isinstance(answer, ConfigError)}


def _warn(error: ConfigError) -> None:
    for problem in error.problems:
        console.warn(problem)


def _known(invocation: Invocation, name: str) -> str:
    from pollctl.api.names import canonical

    return canonical(name) if canonical(name) in invocation.config_to_look.names else invocation.find(name).name


def _tell(reason: Mapping[str, Any], moments: Moments) -> None:
    is_seen = console.is_terminal()
    console.print_text(reason["plugin"])
    rows = [
        {
            "": "  yes" if gate.passed else "  no",
            "gate": gate.name,
            "text": moments.in_text(gate.text) if is_seen else gate.text,
        }
        for gate in reason["gates"]
    ]
    heading = f"text ({moments.zone_name})" if is_seen else ""
    console.print_rows(rows, as_json=False, columns=(*_GATE_COLUMNS, Column("text", heading, wraps=True)))
    next_due_at = reason["next_due_at"]
    answer = "due" if reason["is_due"] else "not due"
    when = moments.long(next_due_at) if is_seen and next_due_at else next_due_at and clock.to_text(next_due_at)
    if reason["notice"]:
        console.print_text(f"  says: {reason['notice']}")
    console.print_text(f"  {answer}{f', next at {when}' if when and not reason['is_due'] else ''}\n")
