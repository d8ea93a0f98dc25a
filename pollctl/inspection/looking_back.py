"""The passes of a stretch of time, as the report counts them: in buckets; and those that did not end well, equal ones as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pollctl.api.listing import Standing
from pollctl.api.outcomes import FAILURES
from pollctl.api.report import Beat
from pollctl.store import runs

if TYPE_CHECKING:
    from sqlite_utils import Database

_STANDINGS: Mapping[str, Standing] = {
    "ok": "ok",
    "partial": "warn",
    "interrupted": "warn",
    **dict.fromkeys(FAILURES, "fail"),
    "running": "info",
}
_SLICE = timedelta(days=1)  # a reader keeps a pass from its commit for as long as one statement takes
_MESSAGE = "CASE WHEN json_valid(error) THEN json_extract(error, '$.message') END"
_WITHIN = "id >= ?1 AND id < ?2"
_BUCKETS = f"""
    SELECT plugin, (CAST(strftime('%s', started_at) AS INTEGER) - ?3) / ?4 AS bucket, outcome, count(*), max(id), {_MESSAGE}
    FROM runs WHERE {_WITHIN} GROUP BY 1, 2, 3
"""  # noqa: S608 - our own words
_TROUBLED = f"""
    SELECT plugin, outcome, {_MESSAGE} AS said, count(*) AS passes, min(started_at) AS first, max(started_at) AS last, max(id) AS id
    FROM runs WHERE {_WITHIN} AND outcome NOT IN ('ok', 'running') GROUP BY 1, 2, 3
"""  # noqa: S608 - our own words


class Window(NamedTuple):
    """A stretch of time, and the length of what is counted together within it."""

    since: datetime
    now: datetime
    bucket: timedelta


def standing_of(outcome: str) -> Standing:
    """How an outcome is to be taken; one in which bytes flipped says nothing."""
    return _STANDINGS.get(outcome, "none")


def beats(db: Database, window: Window) -> dict[str, list[Beat]]:
    """What the passes of each plugin came to, bucket by bucket; the text is what the newest of those said."""
    found: dict[str, list[Beat]] = {}
    start, width = int(window.since.timestamp()), int(window.bucket.total_seconds())
    for begins, ends in _slices(window):
        for plugin, bucket, outcome, count, _, said in db.conn.execute(
            _BUCKETS, [begins, ends, start, width]
        ).fetchall():
            at = window.since + max(0, bucket or 0) * window.bucket
            found.setdefault(plugin, []).append(Beat(at, standing_of(outcome), str(said or ""), count))
    return found


def troubled(db: Database, window: Window) -> list[dict[str, Any]]:
    """The passes that did not end well, newest first; those of one plugin that said the same are one row."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for begins, ends in _slices(window):
        for row in list(db.query(_TROUBLED, [begins, ends])):
            before = found.get(key := (row["plugin"], row["outcome"], str(row["said"])))
            found[key] = _joined(before, row) if before else row
    return sorted(found.values(), key=lambda row: str(row["id"]), reverse=True)


def _joined(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {**after, "first": before["first"], "passes": before["passes"] + after["passes"]}


def _slices(window: Window) -> Iterator[tuple[str, str]]:
    begins = window.since
    while begins <= window.now:
        ends = begins + _SLICE
        yield runs.id_prefix(begins), runs.id_prefix(ends)
        begins = ends
