"""The worlds that there are: one factory per plugin. A new one is a module beside this and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from worlds.latency import LatencyWorld
from worlds.shell_query import ShellQueryWorld
from worlds.soc_sections import SocSectionsWorld
from worlds.stockx_ops import StockXOpsWorld
from worlds.toilet_gap import ToiletGapWorld
from worlds.world import Factory


def every() -> Mapping[str, Factory]:
    """Factories by the names of the plugins."""
    worlds = (LatencyWorld, ShellQueryWorld, SocSectionsWorld, StockXOpsWorld, ToiletGapWorld)
    return {world.name: world for world in worlds}
