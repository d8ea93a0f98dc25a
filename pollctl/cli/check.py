"""``check``: what CI runs as a smoke test, and people after they changed their settings."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pollctl import clock, console
from pollctl.api.listing import Column
from pollctl.cli.arguments import json_option
from pollctl.cli.invocation import Invocation
from pollctl.console.moments import Moments, read

if TYPE_CHECKING:
    from pollctl.inspection.check.findings import Finding

_COLUMNS = (Column("level", kind="state"), Column("subject", kind="id"))


@click.command()
@json_option
@click.pass_obj
def check(invocation: Invocation, *, as_json: bool) -> int:
    """Check settings, database, clock and the contract of every plugin, all of it at once.

    Exit 2 if settings are wrong, else 1 if anything else failed; warnings do not count.
    """
    import msgspec

    from pollctl.config import places
    from pollctl.inspection.check import check as findings_of

    with console.stdout_kept_for_json(as_json):
        path = places.find(invocation.config_file)
        is_obeyed = not invocation.may_look_anywhere
        found = list(findings_of(path, invocation.found, clock.now(), is_obeyed=is_obeyed))
    if as_json:
        keys = ("level", "subject", "text")
        console.print_json([{key: getattr(finding, key) for key in keys} for finding in found])
    elif console.is_terminal():
        moments = _moments(path, is_obeyed=is_obeyed, is_utc=invocation.is_utc)
        rows = [_seen(finding, moments) for finding in found]
        columns = (*_COLUMNS, Column("text", f"text ({moments.zone_name})", wraps=True))
        console.print_rows(rows, as_json=False, columns=columns)
    else:
        rows = [msgspec.to_builtins(finding) for finding in found]
        console.print_rows(rows, as_json=False, columns=(*_COLUMNS, "text"))
    return max(finding.exit_code for finding in found)


def _seen(finding: Finding, moments: Moments) -> dict[str, str]:
    """A finding as a person reads it: a moment that is all of it, as that of the clock, with its date."""
    text = moments.whole(finding.text) if read(finding.text) else moments.in_text(finding.text)
    return {"level": finding.level, "subject": finding.subject, "text": text}


def _moments(path: Path | None, *, is_obeyed: bool, is_utc: bool) -> Moments:
    """How moments are shown; while the settings are wrong, which is a finding, in the zone of the machine."""
    from pollctl.config import settings
    from pollctl.errors import ConfigError

    zone = None
    with suppress(ConfigError):
        zone = settings.load(path, is_obeyed=is_obeyed).reading_zone
    return Moments(clock.now(), zone, is_utc)
