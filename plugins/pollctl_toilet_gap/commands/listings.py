"""What monitors and checks there are, and what happened in them."""

from __future__ import annotations

from datetime import date as calendar_date
from typing import Any

import click

from pollctl import Column, PluginContext, UsageError, limit_option
from pollctl_toilet_gap import queries
from pollctl_toilet_gap.commands.parameters import as_json_option, named_check_argument
from pollctl_toilet_gap.decide import local_time
from pollctl_toilet_gap.model import Monitor

_NO_MONITOR = "no monitor; a section [[plugins.toilet_gap.monitors]] in the settings adds one"
_NO_CHECK = "no such check; a pass begins one when its day begins, `pollctl run toilet-gap` makes one now"
_NO_RECORD = "nothing has happened in it yet; the passes note it, `pollctl run toilet-gap` makes one now"
_CHECK_COLUMNS = (
    Column("id", kind="number"),
    Column("monitor"),
    Column("robot_id", "robot", drop=3),
    Column("local_date", "date", "id"),
    Column("phase", kind="state"),
    Column("result", kind="state"),
    Column("since", kind="moment", drop=2),
    Column("until", kind="moment", drop=4),
    Column("alarms", kind="number", drop=1),
)
_MONITOR_COLUMNS = (
    Column("name"),
    Column("robot_id", "robot", drop=3),
    Column("timezone", "zone", "id", drop=5),
    Column("start", "from", "id", drop=6),
    Column("end", "to", "id", drop=7),
    Column("gap", kind="id", drop=4),
    Column("is_day", "day", "id", drop=8),
    Column("check", kind="number"),
    Column("phase", kind="state"),
    Column("since", kind="moment", drop=1),
    Column("until", kind="moment", drop=2),
)
_RECORD_COLUMNS = (
    Column("order", "no", "number"),
    Column("event_name", "event", "id"),
    Column("event_at", "at", "moment"),
    Column("phase", kind="state", drop=2),
    Column("result", kind="state", drop=1),
    Column("incoming_event_id", "incoming", "id", drop=4),
    Column("reference_id", "reference", "id", drop=3),
    Column("created_at", "recorded", "moment", drop=5),
    Column("unread", "could not be read", drop=6),
)


@click.command()
@as_json_option
@click.pass_obj
def monitors(context: PluginContext, *, as_json: bool) -> None:
    """List the monitors of the settings, and what each does at this moment."""
    with context.reading() as db:
        found = queries.open_checks(db)
    rows = [_monitor_row(context, monitor, found.get(monitor.name)) for monitor in context.settings.monitors]
    context.show(rows, as_json=as_json, columns=_MONITOR_COLUMNS, empty=_NO_MONITOR)


def _monitor_row(context: PluginContext, monitor: Monitor, check: dict[str, Any] | None) -> dict[str, Any]:
    day = local_time.day_at(monitor, context.now)
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
@limit_option
@as_json_option
@click.pass_obj
def checks(context: PluginContext, monitor: str | None, date: str | None, limit: int | None, *, as_json: bool) -> None:
    """List the checks, the newest first."""
    if date is not None:
        _check_date(date)
    with context.reading() as db:
        rows = queries.checks(db, monitor, date)
        if not rows and monitor is not None and monitor not in context.settings.by_name:
            known = ", ".join(context.settings.by_name) or "there are none"
            raise UsageError(f"no monitor {monitor!r}, in the settings or among the checks; in the settings: {known}")
        context.show(rows, as_json=as_json, columns=_CHECK_COLUMNS, empty=_NO_CHECK, limit=limit)


def _check_date(text: str) -> None:
    try:
        is_date = calendar_date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_date = False
    if not is_date:
        raise click.BadParameter(f"{text!r} is not a valid date; write 2026-03-08", param_hint="--date")


@click.command()
@named_check_argument
@limit_option
@as_json_option
@click.pass_obj
def records(context: PluginContext, check: int | None, limit: int | None, *, as_json: bool) -> None:
    """List what happened in CHECK, a number or `latest`, in its order."""
    with context.reading() as db:
        rows = queries.records(db, check or queries.newest(db))
    context.show(rows, as_json=as_json, columns=_RECORD_COLUMNS, empty=_NO_RECORD, limit=limit)
