"""``check``: what CI runs as a smoke test, and people after they changed their settings."""

from __future__ import annotations

import click

from pollctl import clock, console
from pollctl.api.listing import Column
from pollctl.cli.arguments import json_option
from pollctl.cli.invocation import Invocation

_COLUMNS = (Column("level", kind="state"), Column("subject", kind="id"), Column("text", wraps=True))


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
    else:
        rows = [msgspec.to_builtins(finding) for finding in found]
        console.print_rows(rows, as_json=False, columns=_COLUMNS)
    return max(finding.exit_code for finding in found)
