"""Everything at once, as ``pollctl check`` and the conformance kit ask for it."""

from __future__ import annotations

from pollctl.plugin_host.conformance.purity import purity_problems
from pollctl.plugin_host.conformance.tables import table_problems
from pollctl.plugin_host.loader import Plugin


def problems_of(plugin: Plugin) -> list[str]:
    """Every way in which a plugin that was loaded breaks the contract, one line each; empty when it keeps it."""
    return [*table_problems(plugin), *purity_problems(plugin)]
