"""Entry points that commands choose from by the names of plugins."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pollctl.api.names import canonical
from pollctl.plugin_host.installed import EntryPoint, entry_points


def named(group: str, what: str, names: Sequence[str]) -> list[EntryPoint]:
    """The entry points of a group by name, ``-`` and ``_`` alike; all of them if none is named.

    Args:
        group: of the entry points.
        what: how messages call one.
        names: those that are wanted.

    Raises:
        click.UsageError: there is not one of a name; with the nearest.
    """
    known = {canonical(entry.name): entry for entry in sorted(entry_points(group), key=lambda one: one.name)}
    for name in names:
        if canonical(name) not in known:
            raise click.UsageError(f"no {what} named {name!r} ({_hint(canonical(name), list(known))})")
    return [known[canonical(name)] for name in names] or list(known.values())


def _hint(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
