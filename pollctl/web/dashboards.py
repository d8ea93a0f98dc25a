"""Named queries, and what datasette-dashboards makes of them: a page of charts for all plugins, and one of tables for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from pollctl.web.database import NAME

_PARAMETER = re.compile(r":([A-Za-z_]\w*)")
_COLOURS = {
    "ok": "#2fa884",
    "partial": "#e69f00",
    "failed": "#cc3311",
    "crashed": "#882255",
    "interrupted": "#999999",
    "running": "#3b8fd4",
}
OF_CORE = "pollctl"
"""Stands for a plugin where the core names a query."""


class Query(NamedTuple):
    """One statement that is worth asking.

    Attributes:
        plugin: whose it is.
        name: what it is called there.
        title: what it answers.
        sql: one SELECT; ``:names`` in it are asked for.
    """

    plugin: str
    name: str
    title: str
    sql: str

    @property
    def slug(self) -> str:
        """The last part of its address; no table can have it."""
        return f"{self.plugin}-{self.name}"

    @property
    def heading(self) -> str:
        """What it answers, among the queries of all plugins."""
        return self.title if self.plugin == OF_CORE else f"{self.plugin}: {self.title}"

    @property
    def parameters(self) -> Sequence[str]:
        """What must be given."""
        return _PARAMETER.findall(self.sql)


class Answered(NamedTuple):
    """A query whose tables are there, and the columns of its answer."""

    query: Query
    columns: Sequence[str]


def dashboards(answered: Sequence[Answered]) -> Mapping[str, Any]:
    """A dashboard for each plugin that has queries without parameters; that of the core begins with charts."""
    askable = [one for one in answered if not one.query.parameters]
    return {
        plugin: _dashboard(plugin, {one.query.name: _table(one) for one in group})
        for plugin, group in groupby(askable, key=lambda one: one.query.plugin)
    }


def _dashboard(plugin: str, tables: Mapping[str, Any]) -> Mapping[str, Any]:
    if plugin != OF_CORE:
        return {"title": plugin, "charts": tables}
    metrics = {name: _metric(*values) for name, values in _METRICS.items()}
    layout = [[*metrics], *([name] * len(metrics) for name in ("beats", *tables))]
    return {"title": "All plugins", "layout": layout, "charts": {**metrics, "beats": _BEATS, **tables}}


def _table(answered: Answered) -> Mapping[str, Any]:
    """A table of a dashboard, which takes cells for HTML and fails of no rows: so they are escaped, and there is always one."""
    names = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in answered.columns]
    cells = [f"replace(replace({name}, '&', '&amp;'), '<', '&lt;') AS {name}" for name in names]
    nothing = ["'nothing'", *["''"] * (len(names) - 1)]
    nothing_asked = f"SELECT {', '.join(nothing)} WHERE NOT EXISTS (SELECT 1 FROM asked)"  # noqa: S608 - own words
    rows = f"SELECT {', '.join(cells)} FROM asked UNION ALL {nothing_asked}"  # noqa: S608 - names in quotes
    sql = f"WITH asked AS ({answered.query.sql}) {rows}"
    return {"title": answered.query.title, "db": NAME, "query": sql, "library": "table"}


def _metric(title: str, sql: str) -> Mapping[str, Any]:
    return {"title": title, "db": NAME, "query": sql, "library": "metric", "display": {"field": "number"}}


_METRICS = {
    "failing": ("plugins failing", "SELECT count(*) AS number FROM schedules WHERE consecutive_failures > 0"),
    "given-up": ("effects given up", "SELECT count(*) AS number FROM outbox WHERE status = 'dead'"),
    "passes": ("passes kept", "SELECT count(*) AS number FROM runs"),
}
_BEATS = {
    "title": "Passes of the last day, by hour and outcome",
    "db": NAME,
    "query": """SELECT substr(started_at, 1, 13) || ':00Z' AS hour, outcome, count(*) AS passes FROM runs
        WHERE id >= (SELECT strftime('%Y%m%dT%H%M%S', max(started_at), '-24 hours') FROM runs) GROUP BY 1, 2""",
    "library": "vega-lite",
    "display": {
        "$schema": None,  # of another version than the one that is brought along, which would say so on the console
        "usermeta": {"embedOptions": {"actions": False}},  # one of them sends what is drawn to an editor elsewhere
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "x": {"field": "hour", "type": "temporal"},
            "y": {"field": "passes", "type": "quantitative"},
            "color": {"field": "outcome", "scale": {"domain": [*_COLOURS], "range": [*_COLOURS.values()]}},
        },
    },
}
