"""The addresses of people that the sections of plugins hold."""

from __future__ import annotations

from typing import Any

from pollctl.addresses import split_addresses
from pollctl.redaction import Secret


def addresses_of(settings: Any) -> list[Secret]:
    """Those under ``notify`` in the settings of a plugin, each by itself; none where the plugin has no such key."""
    kept = getattr(settings, "notify", ())
    several = [kept] if isinstance(kept, Secret) else kept
    if isinstance(several, list | tuple) and all(isinstance(one, Secret) for one in several):
        return split_addresses([one for one in several if one])
    return []
