"""What one plugin shows of itself in the report; one that fails costs its own sections only."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl.api.report import Section, Text
from pollctl.errors import ConfigError, DatabaseError, PollctlError
from pollctl.plugin_host.blame import raised
from pollctl.plugin_host.loader import load, migrations_of
from pollctl.plugin_host.report_values import drawable
from pollctl.store import database

if TYPE_CHECKING:
    from pollctl.config.settings import Config
    from pollctl.plugin_host.discovery import Found
    from pollctl.plugin_host.loader import Plugin


MISSING = "Its part is missing"
"""The title of what stands in the place of a part that cannot be had."""


def sections_of(config: Config, found: Found, since: datetime, now: datetime) -> Sequence[Section]:
    """The sections of one plugin, secrets not masked yet; where they cannot be had, one that says why.

    Raises:
        DatabaseError: the database cannot be used.
    """
    try:
        plugin = load(found)
    except PollctlError as error:
        return _missing(str(error))
    with suppress(ConfigError):  # `check` says so; what is read here are the secrets that must be masked
        config.settings(plugin.name, plugin.poller.settings)
    try:
        with database.looking(config.core.database, migrations_of([plugin])) as db:
            sections = plugin.hooks.pollctl_report(db=db, now=now, since=since)
        return drawable(sections)
    except DatabaseError:
        raise
    except PollctlError as error:
        return _missing(f"{plugin.guests[0]}: report: {error}")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the bug of one plugin must not take the report of all along
        return _missing(_said(plugin, error))


def _said(plugin: Plugin, error: BaseException) -> str:
    return raised("report", error, plugin.guests)


def _missing(why: str) -> Sequence[Section]:
    return [Section(MISSING, [Text(why)], summary="its part of the report is missing")]
