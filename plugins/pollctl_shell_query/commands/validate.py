"""``validate``."""

from __future__ import annotations

from pathlib import Path

import click

from pollctl import PluginContext, PollctlError
from pollctl_shell_query.commands.options import file_option, sql_option, sql_text


@click.command()
@sql_option
@file_option
@click.pass_obj
def validate(context: PluginContext, sql: str | None, file: Path | None) -> None:
    """Ask Marketing Cloud whether SQL is valid."""
    from pollctl_shell_query.client import rest
    from pollctl_shell_query.client.errors import UpstreamError
    from pollctl_shell_query.client.sql_removal import without_sql
    from pollctl_shell_query.commands.session import command_session

    text = sql_text(sql, file)
    with command_session(context) as session:
        try:
            validation = rest.validate(session, text)
        except UpstreamError as error:
            raise PollctlError(f"it could not be validated: {without_sql(str(error), text)}") from error
    if validation.query_valid:
        click.echo("valid")
        return
    raise PollctlError("\n".join(validation.reasons))
