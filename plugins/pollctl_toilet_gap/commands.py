"""The commands of toilet_gap: parse, call, show."""

from __future__ import annotations

import sys
from datetime import date as calendar_date
from typing import Any

import click

from pollctl import PluginContext, UsageError
from pollctl_toilet_gap import listings, timeline, wall
from pollctl_toilet_gap.settings import Monitor

_LISTED = ("id", "monitor", "robot_id", "local_date", "phase", "result", "since", "until", "alarms")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_check = click.argument("check", type=click.IntRange(1, 2**63 - 1))


@click.command()
@_as_json
@click.pass_obj
def monitors(context: PluginContext, *, as_json: bool) -> None:
    """List the monitors of the settings, and what each does at this moment."""
    with context.reading() as db:
        found = listings.open_checks(db)
    rows = [_monitor_row(context, monitor, found.get(monitor.name)) for monitor in context.settings.monitors]
    context.show(rows, as_json=as_json)


def _monitor_row(context: PluginContext, monitor: Monitor, check: dict[str, Any] | None) -> dict[str, Any]:
    day = wall.day_at(monitor, context.now)
    return {
        "name": monitor.name,
        "robot_id": monitor.robot_id,
        "timezone": str(monitor.timezone),
        "start": monitor.start,
        "end": monitor.end,
        "gap": str(monitor.gap),
        "is_day": day is not None,
        "check": check["id"] if check else None,
        "phase": check["phase"] if check else None,
        "since": check["since"] if check else None,
        "until": check["until"] if check else None,
    }


@click.command()
@click.option("--monitor", help="Only those of this monitor.")
@click.option("--date", help="Only those of this date, such as 2026-03-08 (of A, in the monitor's zone).")
@_as_json
@click.pass_obj
def checks(context: PluginContext, monitor: str | None, date: str | None, *, as_json: bool) -> None:
    """List the checks, the newest first."""
    if date is not None:
        _check_date(date)
    with context.reading() as db:
        rows = listings.checks(db, monitor, date)
    if not rows and monitor is not None and monitor not in context.settings.by_name:
        known = ", ".join(context.settings.by_name) or "there are none"
        raise UsageError(f"no monitor {monitor!r}, in the settings or among the checks; in the settings: {known}")
    context.show(rows if as_json else [{key: row[key] for key in _LISTED} for row in rows], as_json=as_json)


def _check_date(text: str) -> None:
    try:
        is_date = calendar_date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_date = False
    if not is_date:
        raise click.BadParameter(f"{text!r} is no date; write 2026-03-08", param_hint="--date")


@click.command()
@_check
@_as_json
@click.pass_obj
def records(context: PluginContext, check: int, *, as_json: bool) -> None:
    """List what happened in CHECK, in its order."""
    with context.reading() as db:
        context.show(listings.records(db, check), as_json=as_json)


@click.command("timeline")
@_check
@click.pass_obj
def show_timeline(context: PluginContext, check: int) -> None:
    """Draw the day of CHECK, in its local time."""
    from rich.console import Console
    from rich.text import Text

    with context.reading() as db:
        found, rows = listings.check(db, check), listings.records(db, check)
    is_plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for line in timeline.drawn(found, rows, context.now, is_plain=is_plain):
        console.print(Text.assemble(*((piece.text, piece.style) for piece in line)))


@click.command("seed-template")
@_as_json
@click.pass_obj
def seed_template(context: PluginContext, *, as_json: bool) -> None:
    """Write the description TOILET_ACTIVITY_GAP, its template and phases; a second time changes nothing."""
    with context.writing() as db:
        rows = listings.seed_template(db, "TOILET_ACTIVITY", "NO_TOILET_ACTIVITY_ALARM")
    context.show(rows, as_json=as_json)


@click.command()
@_check
@click.pass_obj
def close(context: PluginContext, check: int) -> None:
    """Let the next pass end CHECK: folded up to then, by its alarms, and unsubscribed."""
    with context.writing() as db:
        listings.close(db, check, context.now)
    click.echo(f"the next pass ends check {check}", err=True)


def add_to(group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    for command in (monitors, checks, records, show_timeline, seed_template, close):
        group.add_command(command)
