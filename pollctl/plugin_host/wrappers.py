"""Packages that go around the hooks of every plugin, under an entry point of their own."""

from __future__ import annotations

from pollctl.plugin_host.blame import Guest
from pollctl.plugin_host.installed import entry_points
from pollctl.plugin_host.registration import new_manager, register

GROUP = "pollctl.wrappers"


def wrappers() -> tuple[Guest, ...]:
    """Every wrapper that is installed, none of them imported."""
    return tuple(Guest("wrapper", entry_point.name, entry_point) for entry_point in entry_points(GROUP))


def hooks_of(wrapper: Guest) -> list[str]:
    """The hooks that a wrapper goes around, in the order of their names.

    Raises:
        PluginError: it cannot be used; says why.
    """
    return sorted(register(new_manager(), wrapper))
