"""Finding plugins by name without importing them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pollctl.api.names import canonical, checked
from pollctl.api.names import fault as fault_of_name
from pollctl.errors import UsageError
from pollctl.plugin_host.installed import EntryPoint, entry_points

GROUP = "pollctl"
OWN_DISTRIBUTION = "pollctl"


class Found(NamedTuple):
    """A plugin as its distribution announces it; ``error`` says why it cannot be used, if that is known already."""

    name: str
    entry_point: EntryPoint
    distribution: str
    version: str
    error: str = ""


def discover(taken: Sequence[str] = (), folder: Path | None = None) -> dict[str, Found]:
    """Every plugin that is installed or lies in a folder, by name and in that order, without importing any.

    Args:
        taken: names that no plugin may have (the commands of pollctl).
        folder: of plugins of one file; `folder_fault` says why none of them can be used.
    """
    found: dict[str, Found] = {}
    for plugin in (*(_announced(one, taken) for one in entry_points(GROUP)), *_in_folder(folder, taken)):
        other = found.get(plugin.name)
        found |= _without_clash(plugin, other) if other else {plugin.name: plugin}
    return dict(sorted(found.items()))


def named(found: Mapping[str, Found]) -> dict[str, Found]:
    """Those that stand under a name: others only tell why they cannot be used."""
    return {name: one for name, one in found.items() if not fault_of_name(name)}


def find(name: str, folder: Path | None = None) -> Found:
    """One plugin by name, ``-`` or ``_`` alike; *folder* as for ``discover``.

    Raises:
        UsageError: there is none of that name, or no plugin can have it; names the nearest.
    """
    plain = checked(name)
    known = named(discover(folder=folder))
    if plain in known:
        return known[plain]
    from difflib import get_close_matches

    near = get_close_matches(plain, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
    fault = folder_fault(folder)
    raise UsageError(f"no plugin named {name!r} ({hint}{fault and f'; {fault}'})")


def _in_folder(folder: Path | None, taken: Sequence[str]) -> Iterator[Found]:
    if folder is None:
        return
    from pollctl.plugin_host.plugin_files import fault_of, files_in

    fault = fault_of(folder)
    for file in files_in(folder):
        plugin = _announced(file, taken)
        yield plugin._replace(error=plugin.error or fault)


def folder_fault(folder: Path | None) -> str:
    """Why no plugin of a folder can be used, as it is called in the settings; empty when they can."""
    if folder is None:
        return ""
    from pollctl.plugin_host.plugin_files import fault_of

    fault = fault_of(folder)
    return f"plugins_dir: {folder}: {fault}" if fault else ""


def _announced(entry_point: EntryPoint, taken: Sequence[str]) -> Found:
    name = canonical(entry_point.name)
    is_taken = name.replace("_", "-") in taken
    error = f"the name {entry_point.name!r} is taken by a command of pollctl" if is_taken else fault_of_name(name)
    return Found(name, entry_point, entry_point.distribution, entry_point.version, error)


def _without_clash(plugin: Found, other: Found) -> dict[str, Found]:
    """Of two plugins with one name pollctl's own wins; of two strangers neither, since nobody can say which was meant.

    The one that lost stands beside it under a key that is not a name, so that listings tell of it and nothing runs it.
    """
    if plugin.entry_point.value == other.entry_point.value:
        return {}
    if OWN_DISTRIBUTION not in (plugin.distribution, other.distribution):
        both = f"{other.distribution} and {plugin.distribution}"
        return {plugin.name: plugin._replace(error=f"the name is taken twice, by {both}")}
    own, stranger = (plugin, other) if plugin.distribution == OWN_DISTRIBUTION else (other, plugin)
    error = f"the name {own.name!r} is taken by a plugin of pollctl"
    return {own.name: own, f"{own.name} of {stranger.distribution}": stranger._replace(error=error)}
