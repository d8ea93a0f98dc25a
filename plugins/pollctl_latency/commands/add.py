"""``pollctl latency add``: one job, or many from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pollctl import Addresses, PluginContext, ReadBy
from pollctl_latency import queries
from pollctl_latency.commands.options import WholeSeconds, milliseconds, percent, status_list
from pollctl_latency.store.jobs import add_job

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl_latency.commands.new_jobs import Wanted


@click.command()
@click.argument("target", required=False)
@click.option("--from", "file", metavar="FILE.csv", type=click.Path(path_type=Path), help="Many at once, all or none.")
@click.option("--cadence", type=WholeSeconds(), default="60s", show_default=True, help="One sample every so often.")
@click.option("--duration", type=WholeSeconds(), default="60m", show_default=True, help="Length of the job.")
@click.option("--mode", type=click.Choice(["real_polling", "simulated"]), default="real_polling", show_default=True)
@click.option("--probe", type=click.Choice(["api", "http", "tcp", "icmp"]), help="Told from the target by default.")
@click.option("--alert-offline", is_flag=True, help="Record and notify when five samples in a row are missed.")
@click.option("--alert-recovery", is_flag=True, help="Record and notify when it answers again.")
@click.option(
    "--alert-blind/--no-alert-blind",
    default=None,
    help="Record and notify when five samples in a row cannot be taken. Default: where --notify is given.",
)
@click.option("--notify", type=Addresses(), multiple=True, metavar="URL", help="Apprise address; may be repeated.")
@click.option("--max-loss", type=ReadBy("percentage", percent), help="Most that may be lost. Default: 2%.")
@click.option("--max-p95", type=ReadBy("duration", milliseconds), help="Default: 100ms.")
@click.option("--max-jitter", type=ReadBy("duration", milliseconds), help="Most on average. Default: 30ms.")
@click.option("--outage", type=click.IntRange(1, 1000), help="Misses in a row that make an outage. Default: 5.")
@click.option("--family", type=click.Choice(["4", "6"]), help="Only IPv4, or only IPv6.")
@click.option("--expect", type=ReadBy("statuses", status_list), help="Good statuses of http. Default: 200-399.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def add(context: click.Context, /, target: str | None, file: Path | None, *, as_json: bool, **given: Any) -> None:
    """Start a job: sample TARGET every cadence for a duration, then say how it did. Prints what it understood.

    A file has a heading and a job in each line: a column `target`, and others that are called like the options, without the two
    dashes; where a cell is empty, the option counts.
    """
    from pollctl_latency.commands.new_jobs import from_file, new_job, unresolved

    plugin: PluginContext = context.obj
    if (target is None) == (file is None):
        raise click.UsageError("Missing argument 'TARGET': give a target, or --from FILE.csv")
    settings = plugin.settings
    wanted = from_file(context, file, given, settings) if file else [new_job(target or "", given, settings)]
    for warning in unresolved([one.job for one in wanted]):
        click.echo(f"warning: {warning}", err=True)
    with plugin.writing() as db:
        added = [_added(db, plugin, one) for one in wanted]
    if as_json:
        plugin.show(added if file else added[0], as_json=True)
        return
    for row, one in zip(added, wanted, strict=True):
        click.echo(understood(row, one))


def _added(db: Database, plugin: PluginContext, wanted: Wanted) -> dict[str, Any]:
    job_id = add_job(db, plugin.now, wanted.job, wanted.addresses, plugin.settings.max_running)
    return queries.job(db, job_id, plugin.now)


def understood(row: Mapping[str, Any], wanted: Wanted) -> str:
    """What `add` prints: ``job 7: tcp connect to db.example.net:5432 every 30 s for 8 h``, and below it who hears what."""
    from datetime import timedelta

    from pollctl import counted, spoken_length

    act = {"tcp": "tcp connect to", "http": "http GET of", "icmp": "icmp echo to", "api": "api probe of"}[row["probe"]]
    if row["monitoring_mode"] == "simulated":
        act = "simulated samples of"
    every, length = (spoken_length(timedelta(seconds=row[f"{name}_seconds"])) for name in ("cadence", "duration"))
    alerts = [name for name in ("offline", "recovery", "blind") if getattr(wanted.job, f"alert_{name}")]
    to = (
        counted(row["recipients"], "address", "addresses")
        if row["recipients"]
        else "nobody (name somebody by --notify)"
    )
    told = " and ".join([", ".join(alerts[:-1]), alerts[-1]] if alerts[1:] else alerts) or "the verdict"
    line = f"job {row['id']}: {act} {row['target']} every {every} for {length}"
    return f"{line}\n{told} to {to}" if alerts or row["recipients"] else line
