"""Finding a watch by its name."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

from pollctl import UsageError, completion_from
from pollctl_watch.model import Watch

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import PluginContext
    from pollctl_watch import WatchPlugin

names = completion_from("SELECT name, error FROM watch_targets WHERE retired_at IS NULL ORDER BY name")


class Named(NamedTuple):
    """A watch and its row; None before it was looked at."""

    watch: Watch
    row: int | None


def find(plugin: WatchPlugin, db: Database, context: PluginContext, name: str) -> Named:
    """The watch of that name.

    Raises:
        UsageError: there is none; names the nearest.
    """
    known = plugin.roll(db, context.settings).known
    for one in known:
        if one.title == name and isinstance(one.target, Watch):
            return Named(one.target, one.row.id if one.row else None)
    near = difflib.get_close_matches(name, [one.title for one in known], n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else "; `watches` lists them"
    raise UsageError(f"no watch is called {name!r}{hint}")
