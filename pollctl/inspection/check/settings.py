"""What ``check`` finds in the settings file and in ``[pollctl]``."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pollctl.addresses import is_address
from pollctl.clock import to_text
from pollctl.config.schema import Core
from pollctl.config.settings import Config
from pollctl.console.words import enumeration
from pollctl.delivery.healthcheck import fault_of
from pollctl.errors import ConfigError, DatabaseError
from pollctl.fanout.connecting import problems_of as fanout_problems
from pollctl.http.client_certificate import key_files
from pollctl.http.client_certificate import problems_of as certificate_problems
from pollctl.http.engines import why_no_curl
from pollctl.inspection.check.findings import Finding
from pollctl.ownership import fault_of_file
from pollctl.plugin_host.discovery import Found, folder_fault, named
from pollctl.redaction import Secret, one_line
from pollctl.store import database

_OF_CRON = frozenset({"HOME", "LOGNAME", "PATH", "SHELL", "USER"})
"""Variables that cron sets; others are there only if the crontab sets them."""


def core_problems(config: Config) -> list[str]:
    """What is wrong in ``[pollctl]`` beyond what every command looks at, because looking costs too much or may fail for a while."""
    problems: list[str] = []
    try:
        config.check_schedule()
    except ConfigError as error:
        problems += error.problems
    core, file = config.core, config.path
    problems += (f"{file}: {problem}" for problem in (*_missing_places(core), *certificate_problems(core.http)))
    problems += (f"{file}: {problem}" for problem in fanout_problems(core.fanout))
    if core.http.engine == "curl" and (why := why_no_curl()):
        problems.append(f'{file}: pollctl.http.engine: "curl" {why}')
    for key, url in _switches(config):
        if url and (fault := fault_of(url)):
            problems.append(f"{file}: {key}: {fault}")
    for number, url in enumerate(core.notify.urls):
        if not is_address(url.reveal()):
            problems.append(
                f"{file}: pollctl.notify.urls[{number}]: it is not an address that Apprise knows; see its list of services"
            )
    return [one_line(problem) for problem in problems]


def _missing_places(core: Core) -> Iterator[str]:
    """Files and folders that ``[pollctl]`` names and that cannot be used."""
    if core.http.ca_file and not core.http.ca_file.is_file():
        yield f"pollctl.http.ca_file: there is no file {core.http.ca_file}"
    if fault := folder_fault(core.plugins_dir):
        yield f"pollctl.{fault}"


def _switches(config: Config) -> Iterator[tuple[str, Secret]]:
    """The addresses of the dead man's switches: of all, and of plugins alone."""
    yield "pollctl.healthcheck.url", config.core.healthcheck.url
    for name in config.enabled:
        with suppress(ConfigError):  # a section that is wrong is a finding of its own
            yield f"plugins.{name}.healthcheck", config.timing_and_limits(name, {}).healthcheck


def settings_of_strangers(config: Config) -> Iterator[Finding]:
    """Warn root, who may look at settings of others, that no pass of root's obeys them."""
    fault = fault_of_file(config.path, config.path.stat()) if config.path else ""
    if fault:
        text = f"{config.path}: only commands that change nothing take it from root: {fault}"
        yield Finding(level="warn", subject="settings", text=text)


def open_secrets(config: Config) -> Iterator[Finding]:
    """Warn of secret files, keys of certificates among them, that others than their owner may read."""
    folder = config.path.absolute().parent if config.path else Path()
    names = sorted({*_named("file", config.source.common), *_named("file", config.source.sections)})
    for path in dict.fromkeys([*(folder / name for name in names), *key_files(config.core.http)]):
        with suppress(OSError, ValueError):  # that it cannot be had is told by whoever needs it
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                text = one_line(f"{path}: others may read this secret; `chmod 600` it")
                yield Finding(level="warn", subject="settings", text=text)


def borrowed_variables(config: Config) -> Iterator[Finding]:
    """Warn of secrets that are taken from variables of this shell, unless whoever calls ``due --run`` has had them, too.

    Cron knows them only if its crontab sets them. A pass that it started since the settings were written proves that it does.
    """
    proven = _started_by_due(config)
    names = set() if proven else {*_named("env", config.source.common)}
    for plugin, section in config.source.sections.items():
        if plugin not in proven:
            names |= {*_named("env", section)}
    here = sorted(name for name in names - _OF_CRON if name in os.environ)
    if here:
        are, them = ("is", "it") if len(here) == 1 else ("are", "them")
        text = (
            f"{enumeration(here)} {are} set here; cron knows {them} only if the crontab sets {them}, "
            "a unit if its EnvironmentFile does"
        )
        yield Finding(level="warn", subject="settings", text=text)


def _started_by_due(config: Config) -> set[str]:
    """The plugins of which ``due --run`` has started a pass with the settings as they are now."""
    if config.path is None:
        return set()
    written_at = to_text(datetime.fromtimestamp(config.path.stat().st_mtime, UTC))
    query = "SELECT DISTINCT plugin FROM runs WHERE trigger='due' AND started_at > ?"
    try:
        with database.looking(config.core.database) as db:
            return {name for (name,) in db.execute(query, [written_at])}
    except DatabaseError:
        return set()  # a finding of its own


def unknown_sections(config: Config, found: Mapping[str, Found]) -> Iterator[Finding]:
    """Sections of plugins that are not installed."""
    for name in config.names:
        if name in found:
            continue
        known = named(found)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
        text = f"{config.path}: plugins.{name}: no plugin of that name is installed ({hint})"
        yield Finding(level="FAIL", subject="settings", text=text, exit_code=ConfigError.exit_code)


def _named(key: str, value: Any) -> Iterator[str]:
    """What secrets in a piece of the settings name under *key*, ``file`` or ``env``."""
    if isinstance(value, dict):
        if value.keys() == {key} and isinstance(value[key], str):
            yield value[key]
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _named(key, inner)
