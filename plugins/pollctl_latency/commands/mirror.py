"""``pollctl latency mirror``: what the side where jobs are kept does not take, and the SQL of that side."""

from __future__ import annotations

import click

from pollctl import Column, PluginContext, UsageError, limit_option
from pollctl_latency import queries

_COLUMNS = (
    Column("job_id", "job", "number"),
    Column("sequence_number", "no", "number"),
    Column("target", drop=1),
    Column("reason", wraps=True),
    Column("held_at", "held", "moment"),
    Column("is_released", "released", "state", drop=2),
)
_NONE = "none; all samples that were sent have been taken"


@click.group()
def mirror() -> None:
    """Look after jobs that are kept elsewhere."""


@mirror.command()
@limit_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def held(context: PluginContext, limit: int | None, *, as_json: bool) -> None:
    """List the samples that the other side does not take."""
    with context.reading() as db:
        context.show(queries.held(db), as_json=as_json, columns=_COLUMNS, empty=_NONE, limit=limit)


@mirror.command()
@click.argument("job", type=click.IntRange(1, 2**63 - 1), required=False)
@click.option("--all", "all_jobs", is_flag=True, help="Of all jobs.")
@click.pass_obj
def release(context: PluginContext, job: int | None, *, all_jobs: bool) -> None:
    """Send the held samples of a job once more, with the next pass."""
    from pollctl_latency.store.mirror.release import release as release_samples

    if (job is None) != all_jobs:
        raise click.UsageError("give a JOB, or --all")
    with context.writing() as db:
        released = release_samples(db, job)
    if not released:
        raise UsageError("no sample is held; `pollctl latency mirror held` lists them")
    click.echo(f"{released} to be sent again by the next pass")


@mirror.command()
def sql() -> None:
    """Print the SQL of the other side: tables, policies, GRANTs."""
    from importlib.resources import files

    click.echo(files("pollctl_latency").joinpath("supabase.sql").read_text(encoding="utf-8"), nl=False)
