"""Parameters that several commands share."""

from __future__ import annotations

import click

from pollctl import ReadBy, completion_from
from pollctl_soc_sections import queries
from pollctl_soc_sections.model.identifiers import read_id

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
ID = ReadBy("id", read_id)
number_argument = click.argument("number", metavar="ID", type=ID, shell_complete=completion_from(queries.IDS))
