"""What a report says, before anything is drawn: read from the database and the plugins, which are let go of then."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from os import uname
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from pollctl.api.listing import Column, Standing, State
from pollctl.api.report import Heartbeat, Notice, Section, Table
from pollctl.console.words import count
from pollctl.damage import moment_of
from pollctl.delivery.admin import listing
from pollctl.encoding import masked
from pollctl.inspection.attention import Attention, Urgency, attention, most_urgent_first
from pollctl.inspection.looking_back import Window, beats, standing_of, troubled
from pollctl.inspection.past import past_passes
from pollctl.inspection.status import PluginStatus, notices, plugin_statuses
from pollctl.pages.plugin_sections import sections_of
from pollctl.store import database

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.config.settings import Config
    from pollctl.plugin_host.discovery import Found

_MOST_ROWS = 15
_NOT_DELIVERED = ("dead", "unknown", "pending", "sending")
_EFFECT_STANDINGS: Mapping[str, Standing] = {"dead": "fail", "unknown": "warn", "pending": "info", "sending": "info"}
_PASS_COLUMNS = (
    Column("last", kind="moment"),
    Column("first", kind="moment", drop=2),
    Column("passes", kind="number", drop=1),
    Column("plugin", kind="id"),
    Column("outcome", kind="state"),
    Column("said", "what it said", wraps=True),
    Column("run", "pass", "id", drop=2),
)
_EFFECT_COLUMNS = (
    Column("id", kind="id"),
    Column("plugin", kind="id", drop=1),
    Column("kind"),
    Column("status", kind="state"),
    Column("attempts", "tries", "number", drop=1),
    Column("created_at", "since", "moment"),
    Column("next_attempt_at", "next try", "moment", drop=2),
    Column("last_error", "last error", wraps=True),
)


class Stretch(NamedTuple):
    """How far back a report goes, and the length of time of one bar."""

    length: timedelta
    bar: timedelta


STRETCHES = {
    "24h": Stretch(timedelta(hours=24), timedelta(minutes=15)),
    "7d": Stretch(timedelta(days=7), timedelta(hours=2)),
    "90d": Stretch(timedelta(days=90), timedelta(days=1)),
}
"""96, 84 and 90 bars."""


class PluginReport(Struct, frozen=True, kw_only=True):
    """One plugin: how it stands, its passes as a strip, what it shows itself."""

    plugin: str
    state: State
    last_started_at: datetime | None
    next_due_at: datetime | None
    passes: int
    troubled: int
    outbox: Mapping[str, int]
    heartbeat: Heartbeat
    summary: str
    sections: Sequence[Section]


class Report(Struct, frozen=True, kw_only=True):
    """All that a report says.

    Attributes:
        level: of the worst that needs attention.
        headline: the state in words.
        host: where it was written.
        written_at: when; ages are counted from then.
        since: how far it goes back, and *bar_s* the seconds of one bar.
        attention: what needs somebody, failures first.
        plugins: each that was asked for, by name.
        passes: those that did not end well.
        outbox: what was not delivered.
    """

    level: Standing
    headline: str
    host: str
    version: str
    written_at: datetime
    since: datetime
    bar_s: int
    database_bytes: int
    attention: Sequence[Attention]
    plugins: Sequence[PluginReport]
    passes: Table
    outbox: Table


def read_report(
    config: Config, found: Mapping[str, Found], names: Collection[str], stretch: Stretch, now: datetime
) -> Report:
    """Read all that a report says of the plugins that are named, or of all; secrets masked.

    Raises:
        DatabaseError: the database cannot be used.
    """
    statuses = [row for row in plugin_statuses(config, now) if not names or row.plugin in names]
    chosen = {row.plugin: found[row.plugin] for row in statuses if row.plugin in found}
    window = Window(now - stretch.length, now, stretch.bar)
    with past_passes(config) as past:
        needed = attention(statuses, past)
    needed += [Attention("warn", name, text) for name, text in notices(config, chosen, now).items()]
    sections = {
        name: sections_of(config, one, window.since, now) for name, one in chosen.items() if name in config.enabled
    }
    needed += [_needed(name, notice) for name, shown in sections.items() for one in shown for notice in one.notices]
    with database.looking(config.core.database) as db:
        strips = beats(db, window)
        passes = _passes(db, window, {row.plugin for row in statuses})
        outbox = _outbox(db, names)
    from pollctl import __version__

    whole: Report = masked(
        Report(
            level=_level(needed, statuses),
            headline=_headline(needed, statuses),
            host=uname().nodename,
            version=__version__,
            written_at=now,
            since=window.since,
            bar_s=int(stretch.bar.total_seconds()),
            database_bytes=path.stat().st_size if (path := config.core.database).exists() else 0,
            attention=most_urgent_first(needed),
            plugins=[
                _plugin(
                    row,
                    Heartbeat(strips.get(row.plugin, ()), window.since, now, row.plugin),
                    sections.get(row.plugin, ()),
                )
                for row in statuses
            ],
            passes=passes,
            outbox=outbox,
        ),
        keeps_names=True,
    )
    return whole


def _needed(plugin: str, notice: Notice) -> Attention:
    urgency: Urgency = "failed" if notice.level == "fail" else "warn"
    return Attention(urgency, plugin, notice.text, since=notice.since, remedy=notice.remedy)


def _level(needed: Sequence[Attention], statuses: Sequence[PluginStatus]) -> Standing:
    if any(one.urgency == "failed" for one in needed):
        return "fail"
    return "warn" if needed or not statuses else "ok"


def _headline(needed: Sequence[Attention], statuses: Sequence[PluginStatus]) -> str:
    if needed:
        return f"{count(len(needed), 'thing needs', 'things need')} attention"
    return "All well" if statuses else "No plugin is enabled"


def _plugin(row: PluginStatus, heartbeat: Heartbeat, sections: Sequence[Section]) -> PluginReport:
    word = row.outcome or "never ran"
    return PluginReport(
        plugin=row.plugin,
        state=State(word if row.enabled else f"{word}, disabled", standing_of(word)),
        last_started_at=moment_of(row.last_started_at),
        next_due_at=moment_of(row.next_due_at),
        passes=sum(beat.count for beat in heartbeat.beats),
        troubled=sum(beat.count for beat in heartbeat.beats if beat.level in ("warn", "fail")),
        outbox={status: number for status, number in row.outbox.items() if status != "delivered" and number},
        heartbeat=heartbeat,
        summary="; ".join(section.summary for section in sections if section.summary),
        sections=sections,
    )


def _passes(db: Database, window: Window, plugins: Collection[str]) -> Table:
    rows = [row for row in troubled(db, window) if row["plugin"] in plugins]
    shown = [
        {**row, "outcome": State(row["outcome"], standing_of(row["outcome"])), "run": row["id"].rpartition("-")[2]}
        for row in rows[:_MOST_ROWS]
    ]
    return Table(_PASS_COLUMNS, shown, empty="Every pass ended well.", total=len(rows))


def _outbox(db: Database, names: Collection[str]) -> Table:
    """What has not arrived, what was given up first."""
    rows: list[dict[str, Any]] = []
    total = 0
    for status in _NOT_DELIVERED:
        for name in sorted(names) or [""]:
            found = listing(db, plugin=name, status=status, limit=_MOST_ROWS)
            rows += found.rows
            total += len(found.rows) + found.more
    shown = [_effect(row) for row in rows[:_MOST_ROWS]]
    return Table(_EFFECT_COLUMNS, shown, empty="Everything was delivered.", total=total)


def _effect(row: Mapping[str, Any]) -> dict[str, Any]:
    """An effect without its payload, which is for its addressee."""
    shown = {column.key: row[column.key] for column in _EFFECT_COLUMNS}
    is_waiting = row["status"] == "pending"
    return {
        **shown,
        "status": State(row["status"], _EFFECT_STANDINGS.get(row["status"], "none")),
        "next_attempt_at": row["next_attempt_at"] if is_waiting else None,
    }
