"""Deciding again what was recorded: the same code must decide the same, and a new one shows what it would change."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from pollctl import units
from pollctl.clock import from_text
from pollctl.errors import PluginError, PollctlError, UsageError
from pollctl.passes.report import explain, recorded
from pollctl.plugin_host.discovery import Found
from pollctl.plugin_host.hooks import Hooks
from pollctl.plugin_host.loader import load

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.plugin_host.loader import Plugin

Verdict = Literal["same", "differs", "raises", "unreadable", "decides now"]
_LINES_SHOWN = 40


class Replayed(Struct, frozen=True, kw_only=True):
    """What became of one recording when it was decided again.

    Attributes:
        verdict: ``decides now`` where decide raised then: news, but no difference.
        detail: the lines that differ, or what was raised, or what cannot be read.
    """

    run_id: str
    plugin: str
    seq: int
    verdict: Verdict
    detail: Sequence[str] = ()

    @property
    def is_difference(self) -> bool:
        """Whether this must be looked at."""
        return self.verdict not in ("same", "decides now")


def recorded_runs(db: Database, run_ids: Sequence[str], *, is_all: bool) -> list[str]:
    """The runs to replay: those named, or all that were recorded, or the newest recorded one of each plugin.

    Raises:
        UsageError: a run that was named has no recording.
    """
    if run_ids:
        for run_id in run_ids:
            if not db.execute("SELECT 1 FROM recordings WHERE run_id=?", [run_id]).fetchone():
                raise UsageError(
                    f"nothing was recorded of run {run_id!r} (see `pollctl history`, and the setting record)"
                )
        return list(run_ids)
    chosen = "DISTINCT run_id" if is_all else "max(run_id)"
    grouped = "" if is_all else "GROUP BY plugin"
    query = f"SELECT {chosen} AS id FROM recordings JOIN runs ON runs.id=run_id {grouped} ORDER BY 1"  # noqa: S608 - words of ours
    return [run_id for (run_id,) in db.execute(query)]


def replay(db: Database, found: Mapping[str, Found], run_ids: Sequence[str]) -> Iterator[Replayed]:
    """Decide each recording of the runs again, in the order in which they were made."""
    loaded: dict[str, Plugin | PluginError] = {}
    for run_id in run_ids:
        rows = db.query(
            "SELECT recordings.*, plugin FROM recordings JOIN runs ON runs.id=run_id WHERE run_id=? ORDER BY seq",
            [run_id],
        )
        for row in rows:
            name = row["plugin"]
            if name not in loaded:
                loaded[name] = _load(found.get(name), name)
            verdict, detail = _decide_again(loaded[name], row)
            yield Replayed(run_id=run_id, plugin=name, seq=row["seq"], verdict=verdict, detail=detail)


def _load(found: Found | None, name: str) -> Plugin | PluginError:
    if found is None:
        return PluginError(f"plugin {name!r} is not installed")
    try:
        return load(found)
    except PluginError as error:
        return error


def _decide_again(plugin: Plugin | PluginError, row: Mapping[str, Any]) -> tuple[Verdict, Sequence[str]]:
    if isinstance(plugin, PluginError):
        return "unreadable", [str(plugin)]
    try:
        settings, state, batch = _decoded(plugin, row)
    except (msgspec.MsgspecError, ValueError, TypeError, NotImplementedError) as error:
        return "unreadable", [f"its types no longer read what was recorded: {error}"]
    try:
        decisions = Hooks(plugin).decide(state, batch, from_text(row["now"]), settings)
        now = recorded(decisions)
    except PollctlError as error:
        return "raises", [explain(error)["message"]]
    if row["decisions"] is None:
        return "decides now", [f"decide raised then; it decides {len(decisions)} now"]
    before, after = json.loads(row["decisions"]), json.loads(now)
    return ("same", []) if before == after else ("differs", _difference(before, after))


def _decoded(plugin: Plugin, row: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    kinds = (
        ("settings", plugin.poller.settings),
        ("state", plugin.poller.state),
        ("batch", plugin.poller.batch),
    )
    settings, state, batch = (msgspec.json.decode(row[name], type=kind, dec_hook=units.decode) for name, kind in kinds)
    return settings, state, batch


def _difference(before: Any, after: Any) -> list[str]:
    old, new = (
        json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).splitlines() for value in (before, after)
    )
    lines = list(difflib.unified_diff(old, new, "recorded", "decided now", lineterm="", n=2))
    left_out = len(lines) - _LINES_SHOWN
    return lines[:_LINES_SHOWN] + ([f"... and {left_out} more lines"] if left_out > 0 else [])
