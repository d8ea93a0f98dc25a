"""Arguments and options that several commands have."""

from __future__ import annotations

import click

from pollctl import completion_from
from pollctl_toilet_gap import queries

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
check_argument = click.argument(
    "check", type=click.IntRange(1, 2**63 - 1), shell_complete=completion_from(queries.CHECK_IDS)
)
