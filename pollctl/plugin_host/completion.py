"""What a shell offers for an argument, from rows of the database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from click import Context, Parameter
    from click.shell_completion import CompletionItem

_MOST = 100


def completion_from(sql: str) -> Callable[[Context, Parameter, str], list[CompletionItem]]:
    """What to give to click as ``shell_complete=``: values from the database, each with a few words about it.

    Args:
        sql: a SELECT of one or two columns, what is offered and what is said about it; the best first.
    """

    def complete(ctx: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
        from click.shell_completion import CompletionItem

        rows = [(str(value), " ".join(map(str, about))) for value, *about in _rows(ctx, sql)]
        fitting = [(value, about) for value, about in rows if value.startswith(incomplete)]
        return [CompletionItem(value, help=about or None) for value, about in fitting[:_MOST]]

    return complete


def _rows(ctx: Context, sql: str) -> list[Any]:
    """What the database answers; nothing where it cannot be asked, as a shell has no place for errors."""
    from pollctl.config import places, settings
    from pollctl.store import database

    try:
        config = settings.load(places.find(ctx.find_root().params.get("config_file")))
        if not config.core.database.exists():
            return []
        with closing(database.open_to_read(config.core.database)) as db:
            return db.conn.execute(sql).fetchall()
    except Exception:  # noqa: BLE001 - see above
        return []
