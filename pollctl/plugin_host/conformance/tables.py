"""The tables that a plugin makes, tried in memory."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from pollctl.errors import PluginError
from pollctl.plugin_host.loader import Plugin, migrations_of
from pollctl.store import database


def table_problems(plugin: Plugin) -> list[str]:
    """Why its tables cannot be made; empty when they can. A pass makes them for good, and fails of the same."""
    try:
        with closing(database.open_to_plan(Path(os.devnull, "nowhere"), migrations_of([plugin]))):
            return []
    except PluginError as error:
        return [str(error)]
