"""What there is: jobs, one job, its samples, alerts; and the end of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from pollctl import Column, PluginContext, completion_from, limit_option
from pollctl_latency import queries
from pollctl_latency.decide.summary import summarise
from pollctl_latency.model import Limits, Stats, Summary
from pollctl_latency.store.jobs import cancel_job
from pollctl_latency.store.load import samples_for_numbers

if TYPE_CHECKING:
    from sqlite_utils import Database

_BARS = "▁▂▃▄▅▆▇█"
_PLOT_WIDTH = 72
_SHOWN = 100
_ALL = 2**63 - 1  # as far as SQLite counts
_PLACES = 3
_NO_JOB = "no job yet; `pollctl latency add TARGET` starts one"
_NO_SAMPLE = "no sample yet; the passes take them, `pollctl run latency` makes one now"
_NO_ALERT = "no alert yet; jobs make them that are added by `pollctl latency add TARGET --alert-offline`"
_JOB_COLUMNS = (
    Column("id", kind="number"),
    Column("target"),
    Column("probe", kind="id", drop=5),
    Column("monitoring_mode", "mode", "id", drop=9),
    Column("status", kind="state"),
    Column("stale", kind="state", drop=6),
    Column("alert_state", "alert", "state", drop=2),
    Column("success", kind="number", drop=4),
    Column("missed", kind="number", drop=3),
    Column("system_error", kind="number", drop=7),
    Column("loss_percent", "lost %", "number", drop=1),
    Column("verdict", kind="state"),
)
_SAMPLE_COLUMNS = (
    Column("sequence_number", "no", "number"),
    Column("status", kind="state"),
    Column("rtt_ms", "rtt ms", "number"),
    Column("jitter_ms", "jitter ms", "number", drop=1),
    Column("recorded_at", "recorded", "moment"),
    Column("reason"),
    Column("address", kind="id", drop=2),
)
_ALERT_COLUMNS = (
    Column("id", kind="number"),
    Column("job_id", "job", "number"),
    Column("target"),
    Column("alert_type", "alert", "state"),
    Column("triggered_at", "triggered", "moment"),
)


_JOB_ID = click.IntRange(1, 2**63 - 1)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@limit_option
@_as_json
@click.pass_obj
def jobs(context: PluginContext, limit: int | None, *, as_json: bool) -> None:
    """List the jobs, the newest first."""
    with context.reading() as db:
        found = queries.jobs(db, context.now).then(lambda row: _listed(numbers_so_far(db, row), as_json=as_json))
        context.show(found, as_json=as_json, columns=_JOB_COLUMNS, empty=_NO_JOB, limit=limit)


@click.command()
@click.argument("job", type=_JOB_ID, shell_complete=completion_from(queries.JOB_IDS))
@_as_json
@click.pass_obj
def show(context: PluginContext, job: int, *, as_json: bool) -> None:
    """Show a job: its numbers, and its latest samples as a small plot."""
    with context.reading() as db:
        row = rounded(numbers_so_far(db, queries.job(db, job, context.now)))
        taken = queries.samples(db, job, limit=_PLOT_WIDTH)[::-1]
    context.show(row, as_json=as_json)
    if taken and not as_json:
        click.echo(plot(taken))


@click.command()
@click.argument("job", type=_JOB_ID, shell_complete=completion_from(queries.JOB_IDS))
@click.option("--format", "format_", type=click.Choice(["csv", "json", "table"]), default="table", show_default=True)
@limit_option
@_as_json
@click.pass_obj
def samples(context: PluginContext, job: int, format_: str, limit: int | None, *, as_json: bool) -> None:
    """List the samples of a job, the newest first."""
    is_table = format_ == "table" and not as_json
    with context.reading() as db:
        queries.job(db, job, context.now)
        most = _SHOWN + 1 if is_table and limit is None else min(limit or _ALL, _ALL)
        rows = [rounded(row) for row in queries.samples(db, job, limit=most)]
    if format_ == "csv":
        _write_csv(context, rows)
        return
    shown = rows[:_SHOWN] if is_table and limit is None else rows
    context.show(shown, as_json=not is_table, columns=_SAMPLE_COLUMNS, empty=_NO_SAMPLE)
    if len(shown) < len(rows):
        click.echo(f"the latest {_SHOWN}; `--limit 0` shows all", err=True)


def _write_csv(context: PluginContext, rows: Sequence[dict[str, Any]]) -> None:
    import csv

    with context.exporting(None) as out:
        writer = csv.DictWriter(out, queries.SAMPLE_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with milliseconds and percentages to three places: what lies below is the arithmetic of a computer."""
    return {key: round(value, _PLACES) if isinstance(value, float) else value for key, value in row.items()}


@click.command()
@limit_option
@_as_json
@click.pass_obj
def alerts(context: PluginContext, limit: int | None, *, as_json: bool) -> None:
    """List the alerts, the newest first."""
    with context.reading() as db:
        context.show(queries.alerts(db), as_json=as_json, columns=_ALERT_COLUMNS, empty=_NO_ALERT, limit=limit)


@click.command()
@click.argument("job", type=_JOB_ID, shell_complete=completion_from(queries.JOB_IDS))
@click.pass_obj
def cancel(context: PluginContext, job: int) -> None:
    """Close a running job early; nobody is notified, and a probe in flight is dropped."""
    with context.writing() as db:
        cancel_job(db, job)


def _listed(row: Mapping[str, Any], *, as_json: bool) -> dict[str, Any]:
    """A job as the listing has it: for people the verdict says that it is provisional."""
    shown = rounded(row)
    if as_json or not row["provisional"]:
        return shown
    return {**shown, "verdict": f"{row['verdict'].replace('_', ' ')} so far"}


def numbers_so_far(db: Database, row: dict[str, Any]) -> dict[str, Any]:
    """A job with its numbers: of a running one provisional, over the samples that there are."""
    if row["status"] != "running":
        return {**row, "provisional": False}
    limits = Limits(**{name: row[name] for name in Limits.__struct_fields__})
    summary = summarise(samples_for_numbers(db, row["id"]), limits)
    numbers = {name: getattr(summary, name) for name in Summary.__struct_fields__ if name != "stats"}
    stats = {name: getattr(summary.stats, name) for name in Stats.__struct_fields__}
    return {**row, **stats, **numbers, "cause": summary.cause or None, "provisional": True}


def plot(taken: Sequence[dict[str, Any]]) -> str:
    """One character per sample, and the scale."""
    top = max((sample["rtt_ms"] for sample in taken if sample["rtt_ms"] is not None), default=0.0)
    return f"{''.join(_mark(sample, top) for sample in taken)}  █ = {top:.1f} ms, x missed, ? system error"


def _mark(sample: dict[str, Any], top: float) -> str:
    if sample["rtt_ms"] is None:
        return "x" if sample["status"] == "missed" else "?"
    return _BARS[min(int(sample["rtt_ms"] / top * len(_BARS)), len(_BARS) - 1)] if top else _BARS[0]
