"""A plugin, by its name, held against the contract."""

from __future__ import annotations

from pollctl.errors import PollctlError
from pollctl.plugin_host.conformance.contract import problems_of
from pollctl.plugin_host.discovery import find
from pollctl.plugin_host.loader import load


def contract_problems(name: str) -> list[str]:
    """Every way in which an installed plugin breaks the contract, one line each; empty when it keeps it."""
    try:
        plugin = load(find(name))
    except PollctlError as error:
        return [str(error)]
    return problems_of(plugin)
