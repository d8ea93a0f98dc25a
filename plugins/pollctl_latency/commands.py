"""The commands of latency: parse, call, print."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from typing import Any

import click

from pollctl import Addresses, Column, Duration, PluginContext, Secret, completion_from
from pollctl_latency import queries
from pollctl_latency.client.targets import infer_probe, shown, split_login, target_error
from pollctl_latency.model import NewJob
from pollctl_latency.store.jobs import add_job, cancel_job

_BARS = "▁▂▃▄▅▆▇█"
_PLOT_WIDTH = 72
_LONGEST = Duration(days=36_500)
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
    Column("error"),
)
_ALERT_COLUMNS = (
    Column("id", kind="number"),
    Column("job_id", "job", "number"),
    Column("target"),
    Column("alert_type", "alert", "state"),
    Column("triggered_at", "triggered", "moment"),
)


class WholeSeconds(click.ParamType[Duration]):
    """A duration of whole seconds, at least one."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        """Read a duration, or end the command with what is wrong with it."""
        if isinstance(value, Duration):
            return value
        try:
            duration = Duration.parse(value)
        except OverflowError:
            self.fail(f"{value!r} is too long; write at most {_LONGEST}", param, ctx)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if duration % timedelta(seconds=1) or not timedelta(seconds=1) <= duration <= _LONGEST:
            self.fail(f"{value!r}: write whole seconds, at least 1s and at most {_LONGEST}", param, ctx)
        return duration


_JOB_ID = click.IntRange(1, 2**63 - 1)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.argument("target")
@click.option("--cadence", type=WholeSeconds(), default="60s", show_default=True, help="One sample every so often.")
@click.option("--duration", type=WholeSeconds(), default="60m", show_default=True, help="Length of the job.")
@click.option("--mode", type=click.Choice(["real_polling", "simulated"]), default="real_polling", show_default=True)
@click.option("--probe", type=click.Choice(["api", "http", "tcp", "icmp"]), help="Inferred from the target by default.")
@click.option("--alert-offline", is_flag=True, help="Record and notify when five samples in a row are missed.")
@click.option("--alert-recovery", is_flag=True, help="Record and notify when it answers again.")
@click.option(
    "--notify",
    "urls",
    type=Addresses(),
    multiple=True,
    metavar="URL",
    help="Apprise address to notify; may be repeated.",
)
@_as_json
@click.pass_obj
def add(
    context: PluginContext,
    target: str,
    cadence: Duration,
    duration: Duration,
    mode: Any,
    probe: Any,
    urls: Sequence[Sequence[Secret]],
    *,
    alert_offline: bool,
    alert_recovery: bool,
    as_json: bool,
) -> None:
    """Start a job: sample TARGET every cadence for a duration, then say how it did. Prints the job's id."""
    if duration < cadence:
        raise click.BadParameter(f"{duration} is shorter than the cadence, {cadence}", param_hint="--duration")
    probe = probe or infer_probe(target)
    error = target_error(target, probe)
    if error:
        raise click.BadParameter(f"{shown(target)!r} cannot be probed by {probe}: {error}", param_hint="TARGET")
    target, login = split_login(target)
    new = NewJob(
        target=target,
        login=Secret(login),
        probe=probe,
        monitoring_mode=mode,
        cadence_seconds=int(cadence.total_seconds()),
        duration_seconds=int(duration.total_seconds()),
        alert_offline=alert_offline,
        alert_recovery=alert_recovery,
    )
    with context.writing() as db:
        job_id = add_job(db, context.now, new, [*chain(*urls)], context.settings.max_running)
        added = queries.job(db, job_id, context.now)
    if as_json:
        context.show(added, as_json=True)
        return
    click.echo(job_id)


@click.command()
@_as_json
@click.pass_obj
def jobs(context: PluginContext, *, as_json: bool) -> None:
    """List the jobs, the newest first."""
    with context.reading() as db:
        rows = queries.jobs(db, context.now)
    context.show(rows, as_json=as_json, columns=_JOB_COLUMNS, empty=_NO_JOB)


@click.command()
@click.argument("job", type=_JOB_ID, shell_complete=completion_from(queries.JOB_IDS))
@_as_json
@click.pass_obj
def show(context: PluginContext, job: int, *, as_json: bool) -> None:
    """Show a job: its numbers, and its latest samples as a small plot."""
    with context.reading() as db:
        row = queries.job(db, job, context.now)
        taken = queries.samples(db, job)
    context.show(row, as_json=as_json)
    if taken and not as_json:
        click.echo(plot(taken[-_PLOT_WIDTH:]))


@click.command()
@click.argument("job", type=_JOB_ID, shell_complete=completion_from(queries.JOB_IDS))
@_as_json
@click.pass_obj
def samples(context: PluginContext, job: int, *, as_json: bool) -> None:
    """List the samples of a job."""
    with context.reading() as db:
        queries.job(db, job, context.now)
        context.show(queries.samples(db, job), as_json=as_json, columns=_SAMPLE_COLUMNS, empty=_NO_SAMPLE)


@click.command()
@_as_json
@click.pass_obj
def alerts(context: PluginContext, *, as_json: bool) -> None:
    """List the alerts, the newest first."""
    with context.reading() as db:
        context.show(queries.alerts(db), as_json=as_json, columns=_ALERT_COLUMNS, empty=_NO_ALERT)


@click.command()
@click.argument("job", type=_JOB_ID, shell_complete=completion_from(queries.JOB_IDS))
@click.pass_obj
def cancel(context: PluginContext, job: int) -> None:
    """Close a running job early; nobody is notified, and a probe in flight is dropped."""
    with context.writing() as db:
        cancel_job(db, job)


def add_to(group: click.Group) -> None:
    """Add all commands to the plugin's group."""
    for command in (add, jobs, show, samples, alerts, cancel):
        group.add_command(command)


def plot(taken: Sequence[dict[str, Any]]) -> str:
    """One character per sample, and the scale."""
    top = max((sample["rtt_ms"] for sample in taken if sample["rtt_ms"] is not None), default=0.0)
    return f"{''.join(_mark(sample, top) for sample in taken)}  █ = {top:.1f} ms, x missed, ? system error"


def _mark(sample: dict[str, Any], top: float) -> str:
    if sample["rtt_ms"] is None:
        return "x" if sample["status"] == "missed" else "?"
    return _BARS[min(int(sample["rtt_ms"] / top * len(_BARS)), len(_BARS) - 1)] if top else _BARS[0]
