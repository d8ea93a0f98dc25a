"""The sections of a plugin on tables that a test fills itself, and what stands in them."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlite_utils import Database

from pollctl import KeyFigures, Section, State, Table, to_text
from pollctl.plugin_host.discovery import find
from pollctl.plugin_host.loader import load
from pollctl.plugin_host.report_values import drawable
from pollctl.store.migrations import migrations as core_migrations

NOW = datetime(2026, 11, 28, 18, 2, tzinfo=UTC)
SINCE = NOW - timedelta(hours=24)
B = TypeVar("B")


def ago(**length: float) -> str:
    """A moment so long before NOW, as the database keeps it."""
    return to_text(NOW - timedelta(**length))


class Shown:
    """A plugin with empty tables."""

    def __init__(self, name: str) -> None:
        self._plugin = load(find(name))
        self.db = Database(memory=True)
        weakref.finalize(self, self.db.close)
        core_migrations.apply(self.db)
        made: Any = self._plugin.poller.migrations
        (made() if callable(made) else made).apply(self.db)

    def insert(self, table: str, **row: Any) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        self.db.conn.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))

    @property
    def section(self) -> Section:
        """Its one section, which can be drawn."""
        (section,) = drawable(self._plugin.hooks.pollctl_report(db=self.db, now=NOW, since=SINCE))
        return section

    @property
    def figures(self) -> dict[str, Any]:
        return {figure.label: figure.value for block in self.blocks(KeyFigures) for figure in block.figures}

    def blocks(self, kind: type[B]) -> list[B]:
        return [block for block in self.section.blocks if isinstance(block, kind)]

    def rows(self, title: str, *keys: str) -> list[tuple[Any, ...]]:
        """Cells of a table, states by their words."""
        (table,) = (block for block in self.blocks(Table) if block.title == title)
        return [tuple(_word(row[key]) for key in keys) for row in table.rows]


def _word(value: Any) -> Any:
    return value.word if isinstance(value, State) else value


def spans_of(lanes: Sequence[Any]) -> Mapping[str, list[tuple[str, str, str]]]:
    """Of each lane from when to when what was, times of the day in UTC."""
    return {
        lane.label: [(f"{span.start:%H:%M}", f"{span.end:%H:%M}", span.level) for span in lane.spans] for lane in lanes
    }
