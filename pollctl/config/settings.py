"""Settings: from TOML to frozen, typed values; messages name file, key, what was found and what is allowed.

In two steps, because most commands must not import plugins: ``load`` reads the file and ``[pollctl]``; what a
plugin needs is read when it is asked for, the core's keys by ``timing_and_limits``, its own by ``settings``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from pollctl.api.names import canonical
from pollctl.api.names import fault as fault_of_name
from pollctl.config.decoder import Decoder
from pollctl.config.messages import shown
from pollctl.config.places import data_folder, require_utf8
from pollctl.config.reader import Reader, join
from pollctl.config.schema import Core, PluginConfig
from pollctl.config.sections import Section
from pollctl.config.toml import read
from pollctl.errors import ConfigError
from pollctl.redaction import one_line
from pollctl.schedule.model import SEPARATOR

S = TypeVar("S", bound=Struct)
DATABASE = "pollctl.db"
MOST_SECTIONS = 500
"""Each is evaluated every minute; nobody has so many plugins."""
_NO_DEFAULTS: Mapping[str, str] = {}


def load(path: Path | None, environ: Mapping[str, str] = os.environ, *, is_obeyed: bool = True) -> Config:
    """Read the settings file, or the embedded defaults without one.

    Problems of a plugin's section stop that plugin only: ``timing_and_limits`` and ``settings`` tell them.

    Args:
        path: the file, if there is one.
        environ: the environment variables.
        is_obeyed: whether the caller acts by the settings; else it only looks at what they name, and it does not matter
            who may have written them.

    Raises:
        ConfigError: all problems of the file and of ``[pollctl]``.
    """
    if path:
        require_utf8(path.absolute())
    tables = read(path, is_obeyed=is_obeyed) if path else {"plugins": {"latency": {}}}
    source = Source(path, environ, tables, is_obeyed=is_obeyed)
    reader = source.reader({})
    _check_top(tables, reader)
    plugins = tables.get("plugins", {})
    if not isinstance(plugins, dict):
        reader.note("plugins", "allowed a table for each plugin, such as [plugins.latency]")
    elif len(plugins) > MOST_SECTIONS:
        reader.note("plugins", f"found {len(plugins)} sections; allowed at most {MOST_SECTIONS}")
    core = reader.struct(source.common, Core, "pollctl")
    if core and core.window > core.deadline:
        reader.note(
            "pollctl.window",
            f'found {shown(source.common["window"])}; allowed at most the deadline, "{core.deadline}"',
        )
    if core:
        _check_database(core.database, reader)
    if core is None or reader.problems:
        raise ConfigError(*reader.problems)
    # whichever links lead to it: one database has one set of locks
    core = replace(core, database=Path(os.path.realpath(core.database)))
    return Config(path=path, core=core, source=source)


def _with_database(written: dict[str, Any], path: Path | None) -> dict[str, Any]:
    """The table with the usual place of the database, where it names none."""
    if "database" in written:
        return written
    return {"database": DATABASE if path else f"{data_folder()}/{DATABASE}", **written}


def sample() -> str:
    """A settings file in which every key of ``[pollctl]`` stands with its default and a line of meaning."""
    return Path(__file__).with_name("sample.toml").read_text(encoding="utf-8")


class Source:
    """The settings as they were written. They may hold secrets: nothing of them is ever shown."""

    __slots__ = ("_decoder", "_file", "common", "sections")

    def __init__(
        self, path: Path | None, environ: Mapping[str, str], tables: Mapping[str, Any], *, is_obeyed: bool = True
    ) -> None:
        self._file = one_line(str(path)) if path else "(no settings file)"
        self._decoder = Decoder(path.absolute().parent if path else Path(), environ, is_obeyed=is_obeyed)
        written = tables.get("pollctl", {})
        self.common = _with_database(_with_one_schedule(written), path) if isinstance(written, dict) else written
        plugins = tables.get("plugins", {})
        self.sections: dict[str, dict[str, Any]] = {}
        for spelling, table in plugins.items() if isinstance(plugins, dict) else ():
            self.sections.setdefault(canonical(spelling), {})[spelling] = _with_one_schedule(table)

    def reader(self, tables: Mapping[str, type[Struct]]) -> Reader:
        """A reader for this file that knows *tables* beside those of the core."""
        roots: dict[str, type[Struct]] = {**tables, "pollctl": Core, "plugins.NAME": PluginConfig}
        return Reader(self._file, self._decoder, roots)


class Config(Struct, frozen=True):
    """The settings of one pollctl.

    Attributes:
        path: the settings file; None when the embedded defaults hold.
        core: ``[pollctl]``.
        source: what the sections of plugins are read from.
    """

    path: Path | None
    core: Core
    source: Source

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names of the sections of plugins, in file order; there may be no such plugin."""
        return tuple(self.source.sections)

    @property
    def enabled(self) -> tuple[str, ...]:
        """Those of ``names`` whose section does not say ``enabled = false``; a broken one counts."""
        sections = self.source.sections
        return tuple(name for name in sections if not any(map(_is_off, sections[name].values())))

    @property
    def reading_zone(self) -> ZoneInfo | None:
        """The zone in which people here read moments: that of ``[pollctl]`` where the file sets it; None: the machine's."""
        return self.core.timezone if "timezone" in self.source.common else None

    def timing_and_limits(
        self, name: str, defaults: Mapping[str, str] = _NO_DEFAULTS, *, check_schedule: bool = False
    ) -> PluginConfig:
        """The core's keys of a plugin: of its section, else ``[pollctl]``, else *defaults*, else built-in.

        A number where the core wants a duration passes here: it may be the plugin's own key of the same name
        (``backoff = 2.0``), which only ``settings`` can tell. What the section does not set itself gives way: a ``window``
        to the deadline, a ``jitter`` to the distance of two slots, where the schedule is parsed.

        Args:
            name: the plugin, with ``_`` or ``-``; it need not have a section.
            defaults: ``Poller.defaults``, with ``Poller.schedule`` under ``schedule``.
            check_schedule: whether the schedule is parsed too, which costs an import of croniter.

        Raises:
            ConfigError: all problems of these keys.
        """
        reader = self.source.reader({})
        section = self._section(name, defaults, reader)
        config = section.config()
        if check_schedule and not reader.problems:
            config = section.with_checked_schedule(config)
        if reader.problems:
            raise ConfigError(*reader.problems)
        return config

    def digest_of(self, name: str) -> str:
        """A short text that is another one once something else stands in ``[pollctl]`` or in the section of a plugin."""
        import hashlib
        import json

        written = [self.source.common, self.source.sections.get(canonical(name), {})]
        return hashlib.sha256(json.dumps(written, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def check_schedule(self) -> None:
        """See that the schedule in ``[pollctl]`` can be parsed, which costs an import of croniter.

        Raises:
            ConfigError: it cannot.
        """
        reader = self.source.reader({})
        section = Section("NAME", {}, self.source.common, {}, reader)  # of no plugin, so that only [pollctl] counts
        config = section.config()
        if not reader.problems:
            section.with_checked_schedule(config)
        if reader.problems:
            raise ConfigError(*reader.problems)

    def settings(self, name: str, kind: type[S], defaults: Mapping[str, str] = _NO_DEFAULTS) -> S:
        """The plugin's own settings, with secrets resolved.

        A field with the name of a core key receives the value that holds for the plugin; a field that is a
        plain number is the plugin's own key of that name instead.

        Args:
            name: the plugin, with ``_`` or ``-``; it need not have a section.
            kind: the frozen msgspec struct that ``Poller.settings`` names.
            defaults: as for ``timing_and_limits``.

        Raises:
            ConfigError: all problems of the section, those of the core's keys too.
        """
        reader = self.source.reader({f"plugins.{canonical(name)}": kind})
        settings = self._section(name, defaults, reader).settings(kind)
        if settings is None or reader.problems:
            raise ConfigError(*reader.problems)
        return settings

    def _section(self, name: str, defaults: Mapping[str, str], reader: Reader) -> Section:
        name = canonical(name)
        section = Section(name, self.source.sections.get(name, {}), self.source.common, defaults, reader)
        if name in self.source.sections and (problem := fault_of_name(name)):
            reader.note(section.where, problem)
        return section


def _check_top(tables: Mapping[str, Any], reader: Reader) -> None:
    known = ("pollctl", "plugins")
    for key, table in tables.items():
        if isinstance(table, dict) and key not in known and not reader.hint(key, known):
            reader.note(join("", key), f"unknown table; a plugin's section is {join('[plugins', key)}]")
        else:
            reader.unknown({key: table}, known, "")


def _with_one_schedule(table: Any) -> Any:
    """A table whose list of schedules, if it has one, is written as the one text that all else reads."""
    schedules = table.get("schedule") if isinstance(table, dict) else None
    if not (isinstance(schedules, list) and schedules and all(isinstance(one, str) for one in schedules)):
        return table
    return {**table, "schedule": f" {SEPARATOR} ".join(schedules)}


def _check_database(path: Path, reader: Reader) -> None:
    """Note a database that is no file: reading a pipe or a device has no end. That it is missing is not wrong."""
    try:
        is_odd = path.exists() and not path.is_file()
    except OSError as error:
        reader.note("pollctl.database", f"found {shown(str(path))}: {error.strerror}")
        return
    if is_odd:
        reader.note("pollctl.database", f"found {shown(str(path))}, which is not a regular file")


def _is_off(table: Any) -> bool:
    return isinstance(table, dict) and table.get("enabled") is False
