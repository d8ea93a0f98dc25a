"""The facts that a plugin states of itself, and the tables that it makes."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from pollctl import units
from pollctl.errors import PluginError
from pollctl.plugin_host.loader import Plugin, migrations_of
from pollctl.store import database


def fact_problems(plugin: Plugin) -> list[str]:
    """What is wrong with the answer of ``pollctl_poller``, one line each."""
    poller = plugin.poller
    found = []
    if "\n" in poller.summary or not poller.summary.strip():
        found.append("its summary must be one line")
    if poller.effects and "pollctl_deliver" not in plugin.implemented:
        found.append("it names kinds of effects but has no pollctl_deliver")
    if unknown := set(poller.tireless) - set(poller.effects):
        found.append(
            f"it calls kinds of effects tireless that it does not name in effects: {', '.join(sorted(unknown))}"
        )
    found += _migration_problems(plugin)
    for role in ("batch", "state", "decision"):
        found += _type_problems(role, getattr(poller, role))
    return found


def _migration_problems(plugin: Plugin) -> list[str]:
    """Whether the tables can be made, tried in memory, and whose they are said to be."""
    try:
        sets = migrations_of([plugin])
        with closing(database.open_to_plan(Path(os.devnull, "nowhere"), sets)):
            return [
                f"its migrations are named {one.name!r}, not {plugin.name!r}" for one in sets if one.name != plugin.name
            ]
    except PluginError as error:
        return [str(error)]


def _type_problems(role: str, kind: Any) -> list[str]:
    try:
        msgspec.json.Decoder(kind, dec_hook=units.decode)
    except TypeError as error:
        return [f"its {role} cannot be read back from a recording: {error}"]
    return []
