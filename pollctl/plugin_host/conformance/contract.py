"""Everything at once, as ``pollctl check``, passes and the conformance kit ask for it."""

from __future__ import annotations

from pathlib import Path

from pollctl.config.schema import Core
from pollctl.config.settings import Config, Source
from pollctl.errors import ConfigError
from pollctl.plugin_host.blame import function_place
from pollctl.plugin_host.conformance.purity import Judgement
from pollctl.plugin_host.conformance.purity import judge as judge_purity
from pollctl.plugin_host.conformance.tables import table_problems
from pollctl.plugin_host.conformance.values import value_problems
from pollctl.plugin_host.loader import Plugin, defaults_of

_NO_FILE = "(no settings file): "


def problems_of(plugin: Plugin) -> list[str]:
    """Every way in which a plugin that was loaded breaks the contract, one line each; empty when it keeps it."""
    return [*table_problems(plugin), *judge(plugin).problems]


def judge(plugin: Plugin) -> Judgement:
    """The same but for its tables, which a pass makes for good."""
    purity = judge_purity(plugin)
    return Judgement([*_default_problems(plugin), *value_problems(plugin), *purity.problems], purity.files)


def _default_problems(plugin: Plugin) -> list[str]:
    """What is wrong with what it says of the core's keys, its schedule among them, where no settings say otherwise."""
    nothing = Config(path=None, core=Core(database=Path()), source=Source(None, {}, {"pollctl": {"database": "none"}}))
    try:
        nothing.timing_and_limits(plugin.name, defaults_of(plugin), check_schedule=True)
    except ConfigError as error:
        place = function_place(plugin.hooks.implementations("pollctl_poller", plugin.name)[0])
        return [f"{problem.removeprefix(_NO_FILE)} ({place})" for problem in error.problems]
    return []
