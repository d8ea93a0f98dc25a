"""What could go wrong, found before it does: settings, places, database, clock, callers, and every plugin."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pollctl.config.settings import Config, Source, load
from pollctl.config.toml import read
from pollctl.errors import ConfigError
from pollctl.inspection.check.database import of_caller, of_channels, of_clock, of_content
from pollctl.inspection.check.findings import Finding, failures
from pollctl.inspection.check.places import of_database
from pollctl.inspection.check.plugins import of_plugin, of_wrappers
from pollctl.inspection.check.settings import (
    borrowed_variables,
    core_problems,
    open_secrets,
    settings_of_strangers,
    unknown_sections,
)
from pollctl.plugin_host.discovery import Found


def check(path: Path | None, found: Mapping[str, Found], now: datetime, *, is_obeyed: bool = True) -> Iterator[Finding]:
    """Look at everything and yield one finding after the other, good ones too.

    Args:
        path: the settings file, None for the embedded defaults.
        found: every plugin that is installed; all are imported.
        now: the present moment.
        is_obeyed: whether it is this user who would act by the settings; else it is root, who looks at somebody's.

    Raises:
        ConfigError: the settings file cannot be read or is not TOML.
    """
    try:
        config = load(path, is_obeyed=is_obeyed)
    except ConfigError as error:
        known = set(error.problems)
        yield from failures("settings", error)
        yield from (finding for finding in _sections_of(path, found, is_obeyed=is_obeyed) if finding.text not in known)
        return
    yield Finding(level="ok", subject="settings", text=str(path or "none found; the embedded defaults hold"))
    problems = core_problems(config)
    yield from failures("settings", ConfigError(*problems))
    yield from settings_of_strangers(config)
    yield from of_database(config.core.database, is_obeyed=is_obeyed)
    yield from open_secrets(config)
    yield from borrowed_variables(config)
    yield from unknown_sections(config, found)
    for one in found.values():
        yield from (finding for finding in of_plugin(config, one, now) if finding.text not in problems)
    yield from of_wrappers()
    yield from of_content(config)
    yield from of_clock(config, now)
    yield from of_channels(config)
    yield from of_caller(config, now)


def _sections_of(path: Path | None, found: Mapping[str, Found], *, is_obeyed: bool) -> Iterator[Finding]:
    """What is wrong in the sections of plugins while ``[pollctl]`` is wrong too."""
    from pollctl.config.schema import Core

    tables = read(path, is_obeyed=is_obeyed) if path else {}
    source = Source(path, os.environ, tables, is_obeyed=is_obeyed)
    config = Config(path=path, core=Core(database=Path()), source=source)
    yield from unknown_sections(config, found)
    for one in found.values():
        yield from (finding for finding in of_plugin(config, one, None) if finding.level == "FAIL")
