"""What could go wrong, found before it does: settings, database, clock, and the contract of every plugin."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from pollctl.addresses import is_address
from pollctl.clock import from_text, to_text
from pollctl.config.settings import Config, Source, load
from pollctl.config.toml import read
from pollctl.errors import ConfigError, DatabaseError, PluginError, PollctlError
from pollctl.http.client_certificate import key_files
from pollctl.http.client_certificate import problems_of as certificate_problems
from pollctl.inspection.status import channel_troubles
from pollctl.ownership import fault_of_file, fault_of_folder
from pollctl.plugin_host.configured import defaults_of
from pollctl.plugin_host.conformance.contract import problems_of
from pollctl.plugin_host.discovery import Found
from pollctl.redaction import one_line
from pollctl.store import database
from pollctl.units import HttpUrl

if TYPE_CHECKING:
    from pollctl.plugin_host.loader import Plugin

Level = Literal["ok", "warn", "FAIL"]
_AHEAD = timedelta(seconds=5)  # clocks that are set by NTP step back by less


class Finding(Struct, frozen=True, kw_only=True):
    """One line of ``pollctl check``.

    Attributes:
        subject: ``settings``, ``database``, ``clock`` or the name of a plugin.
        exit_code: what the check exits with because of it; 0 unless it failed.
    """

    level: Level
    subject: str
    text: str
    exit_code: int = 0


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
        yield from _failures("settings", error)
        yield from (finding for finding in _sections_of(path, found, is_obeyed=is_obeyed) if finding.text not in known)
        return
    yield Finding(level="ok", subject="settings", text=str(path or "none found; the embedded defaults hold"))
    problems = _core_problems(config)
    yield from _failures("settings", ConfigError(*problems))
    strangers = list(_settings_of_strangers(config))
    yield from strangers or _unsafe_places(config)
    yield from _open_secrets(config)
    yield from _unknown_sections(config, found)
    for one in found.values():
        yield from (finding for finding in _plugin(config, one) if finding.text not in problems)
    yield from _database(config)
    yield from _clock(config, now)
    yield from _channels(config)


def _channels(config: Config) -> Iterator[Finding]:
    """Warn of ways to the outside on which effects were given up, or wait although they were tried again and again."""
    with suppress(DatabaseError), database.looking(config.core.database) as db:
        for plugin, texts in channel_troubles(db).items():
            for text in texts:
                yield Finding(level="warn", subject=plugin, text=f"{text}; see `pollctl outbox list`")


def _is_http(url: str) -> bool:
    try:
        HttpUrl.parse(url)
    except ValueError:
        return False
    return True


def _core_problems(config: Config) -> list[str]:
    """What is wrong in ``[pollctl]`` beyond what every command looks at, because looking costs too much or may fail for a while."""
    problems: list[str] = []
    try:
        config.check_schedule()
    except ConfigError as error:
        problems += error.problems
    core, file = config.core, config.path
    if core.http.ca_file and not core.http.ca_file.is_file():
        problems.append(f"{file}: pollctl.http.ca_file: there is no file {core.http.ca_file}")
    problems += (f"{file}: {problem}" for problem in certificate_problems(core.http))
    if core.healthcheck.url and not _is_http(core.healthcheck.url.reveal()):
        problems.append(f"{file}: pollctl.healthcheck.url: it is not an http or https address")
    for number, url in enumerate(core.notify.urls):
        if not is_address(url.reveal()):
            problems.append(
                f"{file}: pollctl.notify.urls[{number}]: it is not an address that Apprise knows; see its list of services"
            )
    return [one_line(problem) for problem in problems]


def _settings_of_strangers(config: Config) -> Iterator[Finding]:
    """Warn root, who may look at settings of others, that no pass of root's obeys them."""
    fault = fault_of_file(config.path, config.path.stat()) if config.path else ""
    if fault:
        text = f"{config.path}: only commands that change nothing take it from root: {fault}"
        yield Finding(level="warn", subject="settings", text=text)


def _unsafe_places(config: Config) -> Iterator[Finding]:
    """Whether strangers could put a database or locks of their own in the place of ours, or write into ours."""
    path = config.core.database
    folder = Path(os.path.realpath(path)).parent  # which takes links to themselves as they are
    with suppress(OSError):  # that they cannot be had is told by whoever needs them
        if fault := fault_of_folder(folder):
            text = f"the folder {folder} of database and locks: {fault}"
            yield Finding(level="FAIL", subject="database", text=text, exit_code=1)
        if fault := fault_of_file(path, path.stat()):
            yield Finding(level="FAIL", subject="database", text=f"{path}: {fault}", exit_code=1)


def _open_secrets(config: Config) -> Iterator[Finding]:
    """Warn of secret files, keys of certificates among them, that others than their owner may read."""
    folder = config.path.absolute().parent if config.path else Path()
    names = sorted({*_secret_files(config.source.common), *_secret_files(config.source.sections)})
    for path in dict.fromkeys([*(folder / name for name in names), *key_files(config.core.http)]):
        with suppress(OSError, ValueError):  # that it cannot be had is told by whoever needs it
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                text = one_line(f"{path}: others may read this secret; `chmod 600` it")
                yield Finding(level="warn", subject="settings", text=text)


def _secret_files(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.keys() == {"file"} and isinstance(value["file"], str):
            yield value["file"]
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _secret_files(inner)


def _failures(subject: str, error: PollctlError) -> Iterator[Finding]:
    for line in error.problems if isinstance(error, ConfigError) else [str(error)]:
        yield Finding(level="FAIL", subject=subject, text=line, exit_code=error.exit_code)


def _sections_of(path: Path | None, found: Mapping[str, Found], *, is_obeyed: bool) -> Iterator[Finding]:
    """What is wrong in the sections of plugins while ``[pollctl]`` is wrong too."""
    from pollctl.config.schema import Core

    tables = read(path, is_obeyed=is_obeyed) if path else {}
    source = Source(path, os.environ, tables, is_obeyed=is_obeyed)
    config = Config(path=path, core=Core(database=Path()), source=source)
    yield from _unknown_sections(config, found)
    for one in found.values():
        yield from (finding for finding in _plugin(config, one) if finding.level == "FAIL")


def _unknown_sections(config: Config, found: Mapping[str, Found]) -> Iterator[Finding]:
    for name in config.names:
        if name in found:
            continue
        near = difflib.get_close_matches(name, found, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(found) or 'none'}"
        text = f"{config.path}: plugins.{name}: no plugin of that name is installed ({hint})"
        yield Finding(level="FAIL", subject="settings", text=text, exit_code=ConfigError.exit_code)


def _plugin(config: Config, found: Found) -> Iterator[Finding]:
    from pollctl.plugin_host.loader import load as load_plugin

    try:
        plugin = load_plugin(found)
    except PluginError as error:
        yield from _failures(found.name, error)
        return
    try:
        if found.name in config.names:
            yield from _settings(config, plugin)
    except ConfigError as error:
        yield from _failures(found.name, error)
        return
    problems = problems_of(plugin)
    for text in problems:
        yield Finding(
            level="FAIL", subject=found.name, text=f"{found.distribution} {found.version}: {text}", exit_code=1
        )
    if problems:
        return
    state = "enabled" if found.name in config.enabled else "not enabled"
    yield Finding(level="ok", subject=found.name, text=f"{found.distribution} {found.version}, {state}")


def _settings(config: Config, plugin: Plugin) -> Iterator[Finding]:
    """Check the settings of a plugin, all of them at once, and warn of a schedule that may not mean what it says.

    Raises:
        ConfigError: they are wrong.
    """
    from pollctl.schedule.expression import warnings

    defaults = defaults_of(plugin)
    problems: list[str] = []
    try:
        limits = config.timing_and_limits(plugin.name, defaults, check_schedule=True)
        if limits.jitter < (asked_for := config.timing_and_limits(plugin.name, defaults).jitter):
            text = f"a jitter of {asked_for} is more than the distance of two slots: {limits.jitter} holds"
            yield Finding(level="warn", subject=plugin.name, text=text)
        for text in warnings(limits.schedule):
            yield Finding(level="warn", subject=plugin.name, text=text)
    except ConfigError as error:
        problems += error.problems
    try:
        config.settings(plugin.name, plugin.poller.settings, defaults)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(*dict.fromkeys(problems))


def _database(config: Config) -> Iterator[Finding]:
    path = config.core.database
    if not path.exists():
        yield Finding(
            level="warn",
            subject="database",
            text=f"{path}: not there yet; `pollctl init` or the first pass creates it",
        )
        return
    try:
        with closing(database.open_to_read(path)) as db:
            problems = database.problems(db)
    except DatabaseError as error:
        yield from _failures("database", error)
        return
    for problem in problems:
        yield Finding(level="FAIL", subject="database", text=f"{path}: {problem}; restore a backup", exit_code=1)
    if not problems:
        yield Finding(level="ok", subject="database", text=str(path))


def _clock(config: Config, now: datetime) -> Iterator[Finding]:
    """Whether the clock can be trusted; that it stands before 2020 is refused wherever it is read."""
    latest = _latest_start(config)
    if latest and from_text(latest) > now + _AHEAD:
        text = f"it says {to_text(now)}, but the latest pass started at {latest}: it was set back, or was wrong then"
        yield Finding(level="warn", subject="clock", text=text)
        return
    yield Finding(level="ok", subject="clock", text=to_text(now))


def _latest_start(config: Config) -> str | None:
    if not config.core.database.exists():
        return None
    try:
        with closing(database.open_to_read(config.core.database)) as db:
            row = db.execute("SELECT max(last_started_at) FROM schedules").fetchone()
    except DatabaseError:
        return None  # a finding of its own
    latest: str | None = row[0]
    return latest
