"""The section of one plugin, with what holds where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import fields, replace

from pollctl.config.messages import bare, found, shown
from pollctl.config.reader import Reader, join
from pollctl.config.schema import Common, PluginConfig
from pollctl.units import Duration

S = TypeVar("S", bound=Struct)
CORE_KEYS = PluginConfig.__struct_fields__
"""The keys of a plugin's section that are the core's."""

_CORE_TYPES = {field.name: field.type for field in fields(PluginConfig)}


class Section:
    """What holds for one plugin: its section, else ``[pollctl]``, else its own defaults, else built-in.

    Args:
        name: the plugin's canonical name.
        spellings: its section by the name that it was written under; more than one is a problem.
        common: ``[pollctl]`` as it was written.
        defaults: the plugin's own, as the settings file would write them.
        reader: keeps the problems.
    """

    def __init__(
        self,
        name: str,
        spellings: Mapping[str, Any],
        common: Mapping[str, Any],
        defaults: Mapping[str, str],
        reader: Reader,
    ) -> None:
        self.where = join("plugins", next(iter(spellings), name))
        self._table = self._only(spellings, reader)
        self._common = common
        self._defaults = defaults
        self._reader = reader
        reader.unknown(defaults, CORE_KEYS, f"{self.where} (the plugin's defaults)")

    def config(self) -> PluginConfig:
        """The core's keys; the built-in default stands in for one with a problem."""
        values = {}
        for key, kind in _CORE_TYPES.items():
            written = self._written(key)
            value = written and self._reader.value(written[0], kind, written[1])
            if value is not None:
                values[key] = value
        return self._with_fitting_window(PluginConfig(**values))

    def with_checked_schedule(self, config: PluginConfig) -> PluginConfig:
        """Note what is wrong with the schedule of *config* and its jitter; answers it with a jitter that fits."""
        from pollctl.schedule.slots import Schedule

        try:
            schedule = Schedule.parse(config.schedule, ZoneInfo("UTC"))
        except ValueError as error:
            where = (self._written("schedule") or ("", f"{self.where}.schedule"))[1]
            self._reader.note(where, str(error))
            return config
        return self._with_fitting_jitter(config, schedule.shortest_pause) if config.jitter else config

    def settings(self, kind: type[S]) -> S | None:
        """The plugin's own settings, or None when there is a problem."""
        config = self.config()
        declared = {field.encode_name: field.type for field in fields(kind)}
        own = {key for key in CORE_KEYS if bare(declared.get(key)) in (int, float)}
        table = {key: raw for key, raw in self._table.items() if key not in CORE_KEYS or key in own}
        if "host_id" in declared and not table.get("host_id"):
            table["host_id"] = self._common.get("host_id", "")
        for key in set(CORE_KEYS) - own:
            if key in declared:
                table[key] = _as_written(getattr(config, key))
            if self._may_be_own(key):
                self._reader.value(self._table[key], _CORE_TYPES[key], f"{self.where}.{key}")
        return self._reader.struct(table, kind, self.where, known=CORE_KEYS)

    def _only(self, spellings: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
        for spelling in list(spellings)[1:]:
            reader.note(join("plugins", spelling), f"the same plugin as [{self.where}]; keep one of the two")
        table: Any = next(iter(spellings.values()), {})
        if isinstance(table, dict):
            return table
        reader.note(self.where, f"found {found(table, PluginConfig)}; allowed a table")
        return {}

    def _written(self, key: str) -> tuple[Any, str] | None:
        """The value that holds for *key*, and what messages call the place it comes from."""
        if key in self._table and not self._may_be_own(key):
            return self._table[key], f"{self.where}.{key}"
        if key in self._common and key in Common.__struct_fields__:
            return self._common[key], f"pollctl.{key}"
        if key in self._defaults:
            return self._defaults[key], f"{self.where}.{key} (the plugin's default)"
        return None

    def _may_be_own(self, key: str) -> bool:
        """Whether a number stands where the core wants a duration: a plugin may use the word otherwise."""
        raw = self._table.get(key)
        kind = bare(_CORE_TYPES[key])
        is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
        return is_number and isinstance(kind, type) and issubclass(kind, Duration)

    def _with_fitting_jitter(self, config: PluginConfig, pause: timedelta) -> PluginConfig:
        """Bound the jitter: what delays slots beyond the next ones would have to be looked for among all of them."""
        longest = Duration(seconds=pause.total_seconds())
        if config.jitter <= longest:
            return config
        if (self._written("jitter") or ("", ""))[1] == f"{self.where}.jitter":
            text = f'allowed at most "{longest}", the distance of two slots of {config.schedule!r}'
            self._reader.note(f"{self.where}.jitter", f"found {shown(self._table['jitter'])}; {text}")
        return replace(config, jitter=longest)  # one that nobody wrote for this plugin gives way

    def _with_fitting_window(self, config: PluginConfig) -> PluginConfig:
        if config.window <= config.deadline:
            return config
        if "window" in self._table:
            text = f'found {shown(self._table["window"])}; allowed at most the deadline, "{config.deadline}"'
            self._reader.note(f"{self.where}.window", text)
        return replace(config, window=config.deadline)  # one that nobody wrote for this plugin gives way


def _as_written(value: Any) -> Any:
    return value if isinstance(value, bool) else str(value)
