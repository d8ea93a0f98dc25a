"""Names of plugins, as people and packages write them and as the code has them."""

from __future__ import annotations


def canonical(name: str) -> str:
    """A plugin's name as the code has it; people may write ``-`` for ``_``."""
    return name.replace("-", "_")
