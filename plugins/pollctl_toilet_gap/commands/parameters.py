"""Arguments and options that several commands have."""

from __future__ import annotations

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
check_argument = click.argument("check", type=click.IntRange(1, 2**63 - 1))
