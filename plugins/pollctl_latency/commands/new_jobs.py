"""Jobs as people ask for them, on the command line or in a file: read, checked, and told from what is there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, cast

import click

from pollctl import Secret, UsageError, text_of
from pollctl_latency.client.targets import host_of, infer_probe, shown, split_login, target_error
from pollctl_latency.model import NewJob, Probe, Settings

LOOK_UP_S = 3.0
"""How long ``add`` waits for the look-up of a name."""
_FLAGS = ("alert_offline", "alert_recovery", "alert_blind")
_DIRECT = ("http", "tcp", "icmp")


class Wanted(NamedTuple):
    """A job that is to be added, and who is to be notified of it."""

    job: NewJob
    addresses: Sequence[Secret]


def new_job(target: str, given: Mapping[str, Any], settings: Settings) -> Wanted:
    """A job from a target and the values of the options.

    Raises:
        click.BadParameter: it cannot be probed like that.
    """
    cadence, duration = given["cadence"], given["duration"]
    if duration < cadence:
        raise click.BadParameter(f"{duration} is shorter than the cadence, {cadence}", param_hint="--duration")
    probe = given["probe"] or infer_probe(target) or probe_of_host(target, given["mode"], settings)
    error = target_error(target, probe)
    if error:
        raise click.BadParameter(f"{shown(target)!r} cannot be probed by {probe}: {error}", param_hint="TARGET")
    if probe == "api" and not settings.base_url and given["mode"] != "simulated":
        raise click.BadParameter("api asks a latency API, and base_url is not set", param_hint="--probe")
    _refuse_vain(probe, given)
    target, login = split_login(target)
    job = NewJob(
        target=target,
        login=Secret(login),
        probe=probe,
        monitoring_mode=given["mode"],
        cadence_seconds=int(cadence.total_seconds()),
        duration_seconds=int(duration.total_seconds()),
        alert_offline=given["alert_offline"],
        alert_recovery=given["alert_recovery"],
        alert_blind=given["alert_blind"],
        max_loss_percent=given["max_loss"],
        max_p95_ms=given["max_p95"],
        max_jitter_ms=given["max_jitter"],
        outage_length=given["outage"],
        family=cast("Any", int(given["family"])) if given["family"] else None,
        expect=given["expect"],
    )
    return Wanted(job, [*chain(*given["notify"])])


def probe_of_host(target: str, mode: str, settings: Settings) -> Probe:
    """The probe of a host alone: ``api`` where there is one, else ``icmp`` where the system allows it.

    Raises:
        click.BadParameter: neither can be had; it says what would work.
    """
    from pollctl_latency.client.direct import may_echo

    if settings.base_url or mode == "simulated":
        return "api"
    if target_error(target, "icmp") or may_echo():
        return "icmp"
    advice = f"write a port ({shown(target)}:443), an address (https://{shown(target)}/), or set base_url"
    raise click.BadParameter(
        f"no base_url is set, and this user may not send ICMP echoes; {advice}", param_hint="TARGET"
    )


def _refuse_vain(probe: Probe, given: Mapping[str, Any]) -> None:
    if given["family"] and probe not in _DIRECT:
        raise click.BadParameter("the latency API chooses the address itself", param_hint="--family")
    if given["expect"] and probe != "http":
        raise click.BadParameter(f"{probe} has no HTTP status", param_hint="--expect")


def from_file(context: click.Context, path: Path, given: Mapping[str, Any], settings: Settings) -> list[Wanted]:
    """The jobs of a CSV file, all or none.

    Raises:
        UsageError: it cannot be read, or some lines are wrong: all of them are named.
    """
    rows = csv.DictReader(io.StringIO(text_of(path, "a list of jobs"), newline=""), restkey="more", strict=True)
    wanted: list[Wanted] = []
    problems: list[str] = []
    try:
        _refuse_unknown(rows.fieldnames or (), given)
        for row in rows:
            try:
                wanted.append(_from_row(context, row, given, settings))
            except click.UsageError as error:
                problems.append(f"line {rows.line_num}: {error.format_message()}")
    except (csv.Error, ValueError) as error:
        problems.append(f"line {rows.reader.line_num}: {error}")
    if not wanted and not problems:
        problems = ["it has no job; write a heading with `target`, and a job in each line"]
    if problems:
        raise UsageError("\n".join([f"{path}: nothing was added", *problems]))
    return wanted


def _refuse_unknown(names: Iterable[str], given: Mapping[str, Any]) -> None:
    keys = [_key(name) for name in names]
    if len(set(keys)) < len(keys):
        raise ValueError("a column stands there twice")
    if "target" not in keys:
        raise ValueError("there is no column `target`")
    unknown = [name for name, key in zip(names, keys, strict=True) if key not in {"target", *given}]
    if unknown:
        raise ValueError(f"no option is called {', '.join(map(repr, unknown))}; there are {', '.join(sorted(given))}")


def _from_row(context: click.Context, row: Mapping[str, Any], given: Mapping[str, Any], settings: Settings) -> Wanted:
    if "more" in row:
        raise click.UsageError("more cells than the heading has")
    cells = {_key(name): (value or "").strip() for name, value in row.items()}
    options = {param.name: param for param in context.command.params}
    values = {
        key: _value(context, options[key], cell)
        for key, cell in cells.items()
        if cell and key not in ("target", "more")
    }
    return new_job(cells["target"], {**given, **values}, settings)


def _value(context: click.Context, option: click.Parameter, cell: str) -> Any:
    if option.name in _FLAGS:
        return click.BOOL.convert(cell, option, context)
    value = option.type.convert(cell, option, context)
    return (value,) if option.name == "notify" else value


def _key(name: str) -> str:
    return name.strip().removeprefix("--").replace("-", "_")


def unresolved(jobs: Sequence[NewJob]) -> Iterator[str]:
    """Of names that cannot be looked up now, a sentence each; jobs that look none up are left out."""
    from concurrent.futures import wait

    from pollctl_latency.client.direct import look_up_side_by_side

    asked = {host_of(job.target, job.probe): job.family or 0 for job in jobs if _looks_up(job)}
    futures = look_up_side_by_side(asked)
    wait(futures.values(), timeout=LOOK_UP_S)
    for host, future in futures.items():
        if not future.done():
            yield f"{host} could not be looked up within {LOOK_UP_S:g} s"
        elif future.result():
            yield f"{host} does not resolve now ({future.result()})"


def _looks_up(job: NewJob) -> bool:
    return job.probe in _DIRECT and job.monitoring_mode != "simulated"
