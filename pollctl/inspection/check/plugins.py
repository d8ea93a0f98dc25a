"""What ``check`` finds in a plugin: its settings, its schedule, its time limits, the contract, and what it says itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import fields as struct_fields

from pollctl.addresses import is_address
from pollctl.concurrency.cancellation import Stop
from pollctl.config.schema import PluginConfig
from pollctl.config.settings import Config
from pollctl.console.words import enumeration
from pollctl.errors import ConfigError, PluginError, PollctlError
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.inspection.addresses import addresses_of
from pollctl.inspection.check.findings import Finding, failures
from pollctl.plugin_host.blame import raised_here
from pollctl.plugin_host.conformance.contract import problems_of
from pollctl.plugin_host.conformance.privacy import privacy_warnings
from pollctl.plugin_host.conformance.tables import table_warnings
from pollctl.plugin_host.discovery import Found
from pollctl.plugin_host.loader import defaults_of, migrations_of
from pollctl.plugin_host.wrappers import hooks_of, wrappers
from pollctl.redaction import one_line
from pollctl.schedule.model import SEPARATOR
from pollctl.store import database

if TYPE_CHECKING:
    from pollctl.plugin_host.loader import Plugin

_WITH_SECONDS = 6  # fields


def of_plugin(config: Config, found: Found, now: datetime | None) -> Iterator[Finding]:
    """Everything about one plugin; without *now* not what it says itself, which takes a database."""
    from pollctl.plugin_host.loader import load as load_plugin

    try:
        plugin = load_plugin(found)
    except PluginError as error:
        yield from failures(found.name, error)
        return
    try:
        if found.name in config.names:
            yield from _settings(config, plugin, now)
    except ConfigError as error:
        yield from failures(found.name, error)
        return
    problems = problems_of(plugin)
    for text in problems:
        yield Finding(level="FAIL", subject=found.name, text=f"{found.entry_point.origin}: {text}", exit_code=1)
    if problems:
        return
    for text in (*table_warnings(plugin), *privacy_warnings(plugin)):
        yield _warning(plugin, text)
    state = "enabled" if found.name in config.enabled else "not enabled"
    yield Finding(level="ok", subject=found.name, text=f"{found.entry_point.origin}, {state}")


def of_wrappers() -> Iterator[Finding]:
    """What goes around the hooks of all plugins, and whether it can be used: else no plugin can."""
    for wrapper in wrappers():
        subject, announced = f"wrapper {wrapper.name}", wrapper.entry_point
        try:
            around = enumeration(hooks_of(wrapper))
        except PluginError as error:
            yield from failures(subject, error)
            continue
        text = f"{announced.origin}, around {around}"
        yield Finding(level="ok", subject=subject, text=text)


def _settings(config: Config, plugin: Plugin, now: datetime | None) -> Iterator[Finding]:
    """Check the settings of a plugin, all of them at once, and warn of what may not mean what it says.

    Raises:
        ConfigError: they are wrong.
    """
    from pollctl.schedule.expression import warnings

    defaults = defaults_of(plugin)
    problems: list[str] = []
    settings: Any = None
    try:
        limits = config.timing_and_limits(plugin.name, defaults, check_schedule=True)
        if limits.jitter < (asked_for := config.timing_and_limits(plugin.name, defaults).jitter):
            yield _warning(
                plugin, f"a jitter of {asked_for} is more than the distance of two slots: {limits.jitter} holds"
            )
        for text in (*warnings(limits.schedule), *_seconds_in_vain(limits)):
            yield _warning(plugin, text)
    except ConfigError as error:
        problems += error.problems
    try:
        settings = config.settings(plugin.name, plugin.poller.settings, defaults)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(*dict.fromkeys(problems))
    yield from _long_timeouts(config, plugin, limits, settings)
    yield from _odd_addresses(plugin, settings)
    if now:
        yield from _own_warnings(config, plugin, settings, now)


def _odd_addresses(plugin: Plugin, settings: Any) -> Iterator[Finding]:
    """Addresses of people to which nothing can be delivered; what they are is a secret."""
    for number, address in enumerate(addresses_of(settings)):
        if not is_address(address.reveal()):
            yield _warning(plugin, f"notify[{number}] is not an address that Apprise knows; see its list of services")


def _seconds_in_vain(limits: PluginConfig) -> Iterator[str]:
    """Cron starts nothing between two minutes; a pass that is to poll more often needs a window."""
    if limits.window:
        return
    for schedule in limits.schedule.split(SEPARATOR):
        if len(fields := schedule.split()) == _WITH_SECONDS and fields[0] != "0":
            yield f"{schedule.strip()!r} has seconds, but cron starts nothing between two minutes: set a window"


def _long_timeouts(config: Config, plugin: Plugin, limits: PluginConfig, settings: Any) -> Iterator[Finding]:
    """Of a time-out that outlasts its pass: a silent target then ends the pass, instead of failing alone."""
    timeouts: dict[str, timedelta] = {"pollctl.http.timeout": config.core.http.timeout}
    for field in struct_fields(settings):
        value = getattr(settings, field.name)
        if "timeout" in field.name and isinstance(value, timedelta):
            timeouts[field.name] = value
    for name, timeout in timeouts.items():
        if timeout >= limits.deadline:
            yield _warning(plugin, f"{name} is {timeout}, and a pass ends after its deadline of {limits.deadline}")


def _own_warnings(config: Config, plugin: Plugin, settings: Any, now: datetime) -> Iterator[Finding]:
    """What ``pollctl_check`` of the plugin warns of."""
    if "pollctl_check" not in plugin.implemented:
        return
    try:
        with (
            database.looking(config.core.database, migrations_of([plugin])) as db,
            closing(Client(Limits.of(config.core.http), stop=Stop())) as client,
        ):
            is_enabled = plugin.name in config.enabled
            answered = plugin.hooks.pollctl_check(
                db=db, settings=settings, now=now, is_enabled=is_enabled, send=client.send
            )
            said = list(answered or ())
    except PollctlError as error:
        said = [str(error)]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - its bug must not hide the other findings
        said = [raised_here("pollctl_check", error, plugin.guests)]
    for text in said:
        yield _warning(plugin, one_line(str(text)))


def _warning(plugin: Plugin, text: str) -> Finding:
    return Finding(level="warn", subject=plugin.name, text=text)
