"""What of the trouble is news, and what the dead man's switches hear of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl.api.outcomes import FAILURES
from pollctl.clock import to_text
from pollctl.config.settings import Config
from pollctl.console import log
from pollctl.delivery.channels import Channel, broken
from pollctl.due import state
from pollctl.due.state import CHANNELS, HEALTHCHECK, PluginState, PluginStates
from pollctl.errors import PollctlError
from pollctl.supervision import stamps
from pollctl.supervision.results import FAILED, REFUSED, PassResult, is_bad_unrecorded

if TYPE_CHECKING:
    from pollctl.config.schema import PluginConfig
    from pollctl.delivery.healthcheck import Signal
    from pollctl.redaction import Secret

_UNCHANGED = ("locked", "interrupted")


class News:
    """What was printed, and what is printed now.

    Args:
        config: the settings.
        states: how the plugins stood before, with what was printed about them.
        now: the moment.
    """

    def __init__(self, config: Config, states: PluginStates, now: datetime) -> None:
        self._config = config
        self._states = states
        self._now = now
        self._could_note = True

    def is_of(self, name: str, key: str, message: str) -> bool:
        """Whether what is to be said of a name has changed, or lasts and was last printed a day ago."""
        row = self._states.get(name, PluginState(name))
        before = (
            row.printed if row.printed is not None or row.message != message else key
        )  # printed by an earlier version
        if key != (before or ""):
            return True
        return bool(key) and row.printed_at is not None and not stamps.is_recent(row.printed_at, self._now)

    def say(self, name: str, key: str, message: str, lines: Sequence[str]) -> None:
        """Print lines and note it; where no database can take the note, a file does, so that not every minute says the same."""
        try:
            state.note_message(self._config.core.database, name, message or None, key, to_text(self._now))
        except (PollctlError, sqlite3.Error):
            self._could_note = False
            if lines and not stamps.is_news(self._config.path, f"{name} {key}", self._now):
                return
        for line in lines:
            log(line)

    def settle(self) -> None:
        """What was noted beside the database is over once the database takes notes again."""
        if self._could_note:
            stamps.forget(self._config.path)

    def of_pass(self, result: PassResult) -> bool:
        """Whether the end of a pass is news; one that did not come to an end of its own changes nothing."""
        return self.is_of(result.plugin, result.key, result.message)

    def of_pass_said(self, result: PassResult) -> None:
        """Print the end of a pass, unless it changes nothing."""
        if result.outcome not in _UNCHANGED:
            lines = [f"{result.plugin}: {result.message}"] if result.message else []
            self.say(result.plugin, result.key, result.message, lines)

    def of_channels(self, channels: Sequence[Channel]) -> None:
        """Print a line for each channel that has broken since, or that was last printed a day ago."""
        row = self._states.get(CHANNELS, PluginState(CHANNELS))
        before = _table(row.printed)
        fresh = [one for one in channels if not stamps.is_recent(before.get(one.name), self._now)]
        after = {one.name: before.get(one.name, "") for one in channels} | {
            one.name: to_text(self._now) for one in fresh
        }
        if after != before:
            lines = [f"{one.plugin}: {one.text}; see `pollctl outbox list`" for one in fresh]
            self.say(CHANNELS, json.dumps(after), "channels" if after else "", lines)

    def of_switches(self, problems: Mapping[str, str]) -> None:
        """Print why dead man's switches could not be pinged, once until they can; it changes nothing else."""
        lines = [f"{name}: {problem}" for name, problem in problems.items()]
        key = "; ".join(lines).removeprefix("healthcheck: ")
        if self.is_of(HEALTHCHECK, key, key):
            self.say(HEALTHCHECK, key, key, lines)


def broken_channels(config: Config) -> list[Channel]:
    """The channels that do not work; none where there is no database that says so."""
    with suppress(sqlite3.Error, PollctlError), state.looking(config.core.database) as connection:
        return broken(connection)
    return []


class Health:
    """How all enabled plugins stand after some passes: what the dead man's switches hear.

    Args:
        config: the settings.
        results: of the passes.
        channels: those that do not work.
    """

    def __init__(self, config: Config, results: Sequence[PassResult], channels: Sequence[Channel]) -> None:
        self._config = config
        self._results = {result.plugin: result for result in results}
        self._channels = channels
        self._states: PluginStates = {}
        with suppress(PollctlError, sqlite3.Error):
            self._states = state.read(config.core.database)

    @property
    def has_failed(self) -> bool:
        """Whether any plugin failed last time, or something that everything depends on does not arrive."""
        urls = self._config.core.notify.urls
        return any(map(self.is_bad, self._config.enabled)) or any(one.is_vital(urls) for one in self._channels)

    def is_bad(self, name: str) -> bool:
        """Whether the latest pass of a plugin failed, crashed or could not begin."""
        result = self._results.get(name)
        if result is not None and result.outcome not in _UNCHANGED:
            return result.exit_code in (FAILED, REFUSED)
        row = self._states.get(name, PluginState(name))
        return row.last_outcome in FAILURES or is_bad_unrecorded(row.printed or "")

    @property
    def lines(self) -> Iterator[str]:
        """A line for each pass, for each other plugin that fails, and for each channel that does not work."""
        for result in self._results.values():
            yield self.line(result)
        for name in self._config.enabled:
            if name not in self._results and self.is_bad(name):
                row = self._states.get(name, PluginState(name))
                yield f"{name}: {row.message or row.last_outcome}"
        for one in self._channels:
            yield f"{one.plugin}: {one.text}"

    @staticmethod
    def line(result: PassResult) -> str:
        """How one pass ended."""
        return f"{result.plugin}: {result.message or result.outcome}"


class Switches:
    """The dead man's switches: that of all, and those of plugins alone.

    Args:
        config: the settings.
        limits: by plugin, the core's keys that hold for it.
    """

    def __init__(self, config: Config, limits: Mapping[str, PluginConfig]) -> None:
        self._file = config.path
        self._core = config.core
        self._own = {name: one.healthcheck for name, one in limits.items() if one.healthcheck}

    def start(self, names: Sequence[str]) -> None:
        """Tell them that passes begin, where they want to hear of it; what goes wrong with that, the end says too."""
        if names and self._core.healthcheck.start:
            self._ping_all("start", "")
            for name in names:
                self._ping_own(name, "start", "")

    def end(self, health: Health, results: Sequence[PassResult]) -> dict[str, str]:
        """Tell them how it stands; answers why some could not be pinged, by what each is called."""
        problems = self._ping_all("fail" if health.has_failed else "ok", "\n".join(health.lines))
        for result in results:
            if result.outcome not in _UNCHANGED:
                signal: Signal = "fail" if health.is_bad(result.plugin) else "ok"
                problems |= self._ping_own(result.plugin, signal, health.line(result))
        return problems

    def _ping_all(self, signal: Signal, text: str) -> dict[str, str]:
        return self._ping("healthcheck", "pollctl.healthcheck.url", self._core.healthcheck.url, signal, text)

    def _ping_own(self, name: str, signal: Signal, text: str) -> dict[str, str]:
        url = self._own.get(name)
        return self._ping(f"healthcheck of {name}", f"plugins.{name}.healthcheck", url, signal, text)

    def _ping(self, switch: str, key: str, url: Secret | None, signal: Signal, text: str) -> dict[str, str]:
        """Ping a switch; answers why it could not be, by its name, or by the line of the settings that holds no address."""
        if not url:
            return {}
        from pollctl.delivery.healthcheck import fault_of, ping

        if fault := fault_of(url):
            return {f"{self._file}: {key}": fault}
        problem = ping(self._core, url, signal, text)
        return {switch: problem} if problem else {}


def _table(text: str | None) -> dict[str, str]:
    with suppress(ValueError):
        found = json.loads(text or "{}")
        if isinstance(found, dict):
            return found
    return {}
