"""Which plugins are due and why: joins the settings, how each plugin stands, and the schedule."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import NamedTuple

from pollctl import clock
from pollctl.api.names import canonical
from pollctl.api.outcomes import FAILURES
from pollctl.config.schema import PluginConfig
from pollctl.config.settings import Config
from pollctl.damage import moment_of
from pollctl.due import state
from pollctl.due.state import DamagedStateError, PluginState, PluginStates
from pollctl.errors import ConfigError, DatabaseError, PollctlError
from pollctl.schedule.evaluation import judge
from pollctl.schedule.model import Gate, Idle, Past, Verdict
from pollctl.schedule.slots import Schedule

NEVER = "9999-12-31T23:59:59.999Z"
HORIZON = timedelta(days=36_525)
"""As far as slots are listed: those of a schedule that rests for years take long to find, and nobody plans further."""


class Evaluation(NamedTuple):
    """Which plugins are due at a moment.

    Attributes:
        at: the moment.
        states: how the plugins stood.
        limits: by plugin, the core's keys that hold for it.
        verdicts: by enabled plugin, in file order; a ConfigError where its timing cannot be read.
    """

    at: datetime
    states: PluginStates
    limits: Mapping[str, PluginConfig]
    verdicts: Mapping[str, Verdict | ConfigError]

    @property
    def has_start_to_come(self) -> bool:
        """Whether a pass started later than the moment: just now, or the clock was stepped back."""
        at = clock.to_text(self.at)
        return any((row.last_started_at or "") > at for row in self.states.values())

    @property
    def due(self) -> list[str]:
        """The names of those that are due."""
        return [name for name, verdict in self.verdicts.items() if isinstance(verdict, Verdict) and verdict.is_due]


class Why(NamedTuple):
    """Why a plugin is or is not due: every gate in order, then the answer, and when next."""

    plugin: str
    gates: tuple[Gate, ...]
    is_due: bool
    next_due_at: datetime | None


def judge_all(config: Config, now: datetime) -> Mapping[str, Verdict | ConfigError]:
    """Judge every enabled plugin, importing none: their own defaults are those of their last pass.

    Raises:
        ConfigError: the schedule in ``[pollctl]`` cannot be read.
        DatabaseError: the database is there but cannot be used.
    """
    return evaluate(config, now).verdicts


def evaluate(config: Config, now: datetime) -> Evaluation:
    """As ``judge_all``, with what was judged from.

    Raises:
        ConfigError: the schedule in ``[pollctl]`` cannot be read.
        DatabaseError: the database is there but cannot be used.
    """
    config.check_schedule()
    states = state.read(config.core.database)
    limits: dict[str, PluginConfig] = {}
    verdicts: dict[str, Verdict | ConfigError] = {}
    for name in config.enabled:
        row = states.get(name, PluginState(name))
        try:
            limits[name] = config.timing_and_limits(name, row.own_defaults, check_schedule=True)
            verdicts[name] = _judge(config, limits[name], row, now)
        except ConfigError as error:
            verdicts[name] = error
    return Evaluation(now, states, limits, verdicts)


def remember(config: Config, evaluation: Evaluation) -> None:
    """Let ``idle`` know until when nothing can be due, if nothing is and no doubt is left."""
    verdicts = [verdict for verdict in evaluation.verdicts.values() if isinstance(verdict, Verdict)]
    has_doubt = len(verdicts) < len(evaluation.verdicts) or clock.VARIABLE in os.environ
    if config.path is None or has_doubt or evaluation.due:
        return
    moments = [clock.to_text(verdict.next_due_at) for verdict in verdicts if verdict.next_due_at]
    state.remember_next_due(
        config.path,
        config.core.database,
        due_at=min(moments, default=NEVER),
        reckoned_at=clock.to_text(evaluation.at),
        zones=[limits.timezone.key for limits in evaluation.limits.values()],
        seen=evaluation.states,
    )


def next_slots(
    config: Config, now: datetime, count: int, names: Iterable[str] = ()
) -> dict[str, list[datetime] | ConfigError]:
    """The next slots of each plugin strictly after *now*, before jitter; of *names*, else of those enabled.

    At most *count*, and fewer where they come so rarely that they lie beyond the horizon of a hundred years. A plugin that
    never ran is imported to learn its own schedule.

    Raises:
        ConfigError: the schedule in ``[pollctl]`` cannot be read.
        DatabaseError: the database is there but cannot be used.
    """
    config.check_schedule()
    end = min(now + HORIZON, clock.LATEST)
    states = state.read(config.core.database)
    found: dict[str, list[datetime] | ConfigError] = {}
    for name in map(canonical, names or config.enabled):
        try:
            limits = config.timing_and_limits(
                name, _defaults(config, states.get(name, PluginState(name))), check_schedule=True
            )
        except ConfigError as error:
            found[name] = error
            continue
        schedule = Schedule.parse(limits.schedule, limits.timezone, spread=f"{name}@{_host(config)}")
        found[name] = list(islice(takewhile(lambda slot: slot < end, schedule.slots_after(now)), count))
    return found


def why(config: Config, name: str, now: datetime) -> Why:
    """Every gate between a plugin and its next pass.

    A pass at work does not make a plugin less due, and one that cannot be loaded is due all the same: its
    pass fails. Those gates say what would come of a pass.

    Raises:
        ConfigError: the plugin's schedule cannot be read.
        DatabaseError: the database is there but cannot be used.
    """
    name = canonical(name)
    row = state.read(config.core.database).get(name, PluginState(name))
    loads = _loads(config, name)
    limits = config.timing_and_limits(name, _defaults(config, row), check_schedule=True)
    verdict = _judge(config, limits, row, now)
    enabled = _enabled(config, name)
    gates = (enabled, loads, *verdict.gates, _lock(config, name))
    is_due = enabled.passed and verdict.is_due
    return Why(name, gates, is_due, verdict.next_due_at if enabled.passed else None)


def _judge(config: Config, limits: PluginConfig, row: PluginState, now: datetime) -> Verdict:
    past = Past(
        last_started_at=_moment(row, row.last_started_at),
        last_finished_at=_moment(row, row.last_finished_at),
        # an interrupted pass leaves the count as it was, but there is nothing to back off from
        consecutive_failures=row.consecutive_failures if row.last_outcome in FAILURES else 0,
        idle=_idle(config, row),
    )
    return judge(limits.timing, past, now, plugin=row.plugin, host=_host(config))


def _idle(config: Config, row: PluginState) -> Idle | None:
    since, until = _moment(row, row.idle_since), _moment(row, row.idle_until)
    if since is None or until is None or not row.idle_settings:
        return None
    is_same = row.idle_settings == config.digest_of(row.plugin)
    return Idle(since=since, until=until, is_of_these_settings=is_same)


def _moment(row: PluginState, text: str | None) -> datetime | None:
    moment = moment_of(text)
    if text and moment is None:
        why = f"what the database has of its last pass is damaged ({text!r})"
        raise DamagedStateError(
            f"{row.plugin}: {why}; restore a backup, or `pollctl run {row.plugin}` to write it again"
        )
    return moment


def _host(config: Config) -> str:
    """What ``H`` and ``jitter`` are spread by: containers have a new name each time, so the settings may pin it."""
    return config.core.host_id or os.uname().nodename


def _defaults(config: Config, row: PluginState) -> Mapping[str, str]:
    """The plugin's own defaults: of its last pass, or asked of itself if it never ran; none if that fails."""
    if row.last_started_at:
        return row.own_defaults
    from pollctl.plugin_host import discovery, loader
    from pollctl.plugin_host.loader import defaults_of

    try:
        return defaults_of(loader.load(discovery.find(row.plugin, config.core.plugins_dir)))
    except PollctlError:
        return {}


def _enabled(config: Config, name: str) -> Gate:
    file = config.path or "the embedded defaults"
    if name in config.enabled:
        return Gate("enabled", True, f"by {file}")
    if name in config.names:
        return Gate("enabled", False, f"its section in {file} says enabled = false")
    return Gate("enabled", False, f"{file} has no section [plugins.{name}]")


def _loads(config: Config, name: str) -> Gate:
    from pollctl.plugin_host import discovery, loader

    try:
        found = loader.load(discovery.find(name, config.core.plugins_dir)).found
    except PollctlError as error:
        return Gate("loads", False, f"a pass would fail: {error}")
    return Gate("loads", True, found.entry_point.origin)


def _lock(config: Config, name: str) -> Gate:
    from pollctl.store.lock import holder, lock_path

    try:
        other = holder(lock_path(config.core.database, name))
    except DatabaseError as error:
        return Gate("lock", False, str(error))
    if other is None:
        return Gate("lock", True, "free")
    return Gate("lock", False, f"a pass would end at once: held by {other}")
