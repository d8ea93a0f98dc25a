"""Options that several commands take, and the SQL text that two of them are given."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import click

from pollctl import UsageError
from pollctl_shell_query.client.xml import may_stand

LARGEST_SQL = 1_000_000
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
sql_option = click.option("--sql", help="The SQL text.")
file_option = click.option(
    "--file", "file", type=click.Path(path_type=Path, allow_dash=True), help="A file with it; - is stdin."
)


def sql_text(sql: str | None, file: Path | None) -> str:
    """The SQL text of ``--sql`` or ``--file``, if it can be sent."""
    if (sql is None) == (file is None):
        raise click.UsageError("say what to run: either --sql or --file")
    where = "--sql" if file is None else f"--file {file}"
    text = sql if sql is not None else _read(cast("Path", file))
    if not text.strip():
        raise click.BadParameter("there is no SQL text in it", param_hint=where)
    for offset, char in enumerate(text):
        if not may_stand(char):
            raise click.BadParameter(
                f"it holds {char!r} at {offset}, which cannot be sent; take it out", param_hint=where
            )
    return text


def _read(file: Path) -> str:
    try:
        with nullcontext(sys.stdin) if str(file) == "-" else file.open(encoding="utf-8-sig") as opened:
            text = opened.read(LARGEST_SQL + 1)
    except OSError as error:
        raise UsageError(f"--file {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--file {file} is not UTF-8") from error
    if len(text) > LARGEST_SQL:
        raise UsageError(f"--file {file} is larger than 1 MB; that is not an SQL text")
    return text
