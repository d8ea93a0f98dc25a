"""What Prometheus scrapes: the core's families, and those of each enabled plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pollctl import clock, redaction
from pollctl.api.names import fault as fault_of_name
from pollctl.api.outcomes import EFFECT_STATUSES, OUTCOMES
from pollctl.config.secret_names import setting_with
from pollctl.config.target_file import written_whole
from pollctl.damage import moment_of
from pollctl.encoding import secret_in
from pollctl.errors import ConfigError, DatabaseError, PluginError, PollctlError
from pollctl.inspection.status import PluginStatus, latest_runs, plugin_statuses
from pollctl.plugin_host.blame import raised
from pollctl.plugin_host.discovery import Found
from pollctl.plugin_host.loader import load, migrations_of
from pollctl.store import database

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client.core import GaugeMetricFamily, Metric
    from prometheus_client.samples import Sample

    from pollctl.config.settings import Config
    from pollctl.plugin_host.loader import Plugin


class Families:
    """All metric families at the moment they are asked for: a collector of ``prometheus_client``.

    Args:
        config: the settings.
        found: the plugins that are installed; enabled ones are imported.
        warn: called with one line about a plugin whose metrics cannot be had, which is then left out.
    """

    def __init__(self, config: Config, found: Mapping[str, Found], warn: Callable[[str], None]) -> None:
        self._config = config
        self._warn = warn
        self._settings: dict[str, Any] = {"pollctl": config.core}
        self._plugins = [plugin for plugin in map(self._loaded, found.values()) if plugin]

    def collect(self) -> Iterator[Metric]:
        """Yield the families.

        Raises:
            DatabaseError: the database cannot be used.
        """
        now = clock.now()
        statuses = [row for row in plugin_statuses(self._config, now) if not fault_of_name(row.plugin)]
        with database.looking(self._config.core.database) as db:
            yield from _core_families(statuses, latest_runs(db))
        for plugin in self._plugins:
            yield from self._of_plugin(plugin, now)

    def _loaded(self, found: Found) -> Plugin | None:
        if found.name not in self._config.enabled:
            return None
        try:
            plugin = load(found)
        except PluginError as error:
            self._warn(str(error))
            return None
        with suppress(ConfigError):  # `check` says so; what is read here are the secrets that labels must not show
            self._settings[f"plugins.{found.name}"] = self._config.settings(found.name, plugin.poller.settings)
        return plugin

    def _of_plugin(self, plugin: Plugin, now: datetime) -> Sequence[Metric]:
        try:
            with database.looking(self._config.core.database, migrations_of([plugin])) as db:
                families = list(plugin.hooks.pollctl_metrics(db=db, now=now) or ())
            self._refuse_secrets(families)
            families = list(map(_masked, families))
            _text(_Collected(families))
        except DatabaseError:
            raise
        except PollctlError as error:
            self._warn(f"{plugin.guests[0]}: metrics: {error}; they are left out")
            return ()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the bug of one plugin must not take the metrics of all along
            self._warn(f"{raised('metrics', error, plugin.guests)}; they are left out")
            return ()
        return families

    def _refuse_secrets(self, families: Sequence[Metric]) -> None:
        """See that no label shows a secret; shorter ones, which may be ordinary words, are masked."""
        for family in families:
            for name, value in ((name, value) for sample in family.samples for name, value in sample.labels.items()):
                if secret := secret_in(value):
                    setting = setting_with(secret, self._settings)
                    raise PluginError(
                        f"label {name!r} of {family.name} holds {setting}: labels are public; take another"
                    )


def text(families: Families) -> str:
    """The families in the text format of Prometheus.

    Raises:
        DatabaseError: the database cannot be used.
    """
    return _text(families)


def _masked(family: Metric) -> Metric:
    """A family with the secrets in its labels masked; of samples whose labels are the same then, the first stays."""
    known: dict[tuple[str, ...], Sample] = {}
    for sample in family.samples:
        labels = {name: redaction.mask(value) for name, value in sample.labels.items()}
        known.setdefault((sample.name, *labels.values()), sample._replace(labels=labels))
    family.samples = list(known.values())
    return family


class _Collected:
    """Families that are there already, as a collector."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families


def _text(collector: Any) -> str:
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)  # anything with collect() will do
    return generate_latest(registry).decode()


def write_textfile(path: Path, content: str) -> None:
    """Replace *path* atomically, readable for all: node_exporter runs as another user and reads ``*.prom`` at any time.

    Raises:
        PollctlError: it cannot be written.
    """
    try:
        with written_whole(path, mode=0o644) as file:
            file.write(content)
    except OSError as error:
        raise PollctlError(f"{path}: {error.strerror}; the file is as it was") from error


def _core_families(statuses: Sequence[PluginStatus], last: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
    from prometheus_client.core import InfoMetricFamily

    from pollctl import __version__

    yield InfoMetricFamily("pollctl_build", "The pollctl that answered.", value={"version": __version__})
    ended = {name: run for name, run in last.items() if run["finished_at"]}
    started = {row.plugin: at.timestamp() for row in statuses if (at := moment_of(row.last_started_at))}
    yield _gauge("pollctl_last_run_timestamp_seconds", "When the latest pass started.", started)
    seconds = {name: run["duration_ms"] / 1000 for name, run in ended.items() if run["duration_ms"] is not None}
    yield _gauge("pollctl_run_duration_seconds", "How long the latest pass took.", seconds)
    yield _outcomes({name: run["outcome"] for name, run in ended.items()})
    failures = {row.plugin: row.consecutive_failures for row in statuses}
    yield _gauge("pollctl_consecutive_failures", "Passes in a row that failed.", failures)
    enabled = {row.plugin: int(row.enabled) for row in statuses}
    yield _gauge("pollctl_plugin_enabled", "Whether due may start the plugin.", enabled)
    due = {row.plugin: int(row.is_due) for row in statuses}
    yield _gauge("pollctl_plugin_due", "Whether the plugin is due.", due)
    next_due = {row.plugin: _timestamp(row.next_due_at) for row in statuses if row.next_due_at}
    yield _gauge("pollctl_plugin_next_due_timestamp_seconds", "When the plugin is due next.", next_due)
    yield _effects({row.plugin: row.outbox for row in statuses})


def _gauge(name: str, meaning: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, meaning, labels=["plugin"])
    for plugin, value in values.items():
        family.add_metric([plugin], value)
    return family


def _outcomes(last: Mapping[str, str]) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    meaning = "1 for how the latest pass ended, 0 for how else it could have."
    family = GaugeMetricFamily("pollctl_last_run_outcome", meaning, labels=["plugin", "outcome"])
    for plugin, outcome in last.items():
        for possible in OUTCOMES:
            family.add_metric([plugin, possible], int(possible == outcome))
    return family


def _effects(counts: Mapping[str, Mapping[str, int]]) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily("pollctl_outbox", "Effects by status.", labels=["plugin", "status"])
    for plugin, by_status in counts.items():
        for status in EFFECT_STATUSES:
            family.add_metric([plugin, status], by_status.get(status, 0))
    return family


def _timestamp(moment: str) -> float:
    return clock.from_text(moment).timestamp()
