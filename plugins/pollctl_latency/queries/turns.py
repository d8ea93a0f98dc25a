"""Which running jobs have their turn, found by indices: of a million only those are read.

The indices must be named: SQLite would take that of the status, and read all. ``?1`` is the present moment, as ``to_text`` has it.
"""

from __future__ import annotations

ENDS_AT = "strftime('%Y-%m-%dT%H:%M:%fZ', started_at, '+' || duration_seconds || ' seconds')"
"""The last moment at which a job is sampled, as its index has it."""
_DUE_AT = "strftime('%Y-%m-%dT%H:%M:%fZ', last_ping_at, '+' || cadence_seconds || ' seconds')"
_BY_PING = "latency_jobs INDEXED BY latency_jobs_by_ping"
_BY_END = "latency_jobs INDEXED BY latency_jobs_by_end"
# Moments are compared as text. Those of other programs may have no fraction, or one of another length, and sort within their
# second as they please: what lies before the next one is read, and looked at again.
CADENCES = f"""WITH RECURSIVE cadence (seconds) AS (
    SELECT min(cadence_seconds) FROM {_BY_PING} WHERE status = 'running'
    UNION ALL SELECT (SELECT min(cadence_seconds) FROM {_BY_PING} WHERE status = 'running' AND cadence_seconds > seconds)
    FROM cadence WHERE seconds IS NOT NULL
), since (seconds, pinged_at, next_second) AS (
    SELECT seconds, strftime('%Y-%m-%dT%H:%M:%fZ', ?1, '-' || seconds || ' seconds'),
        strftime('%Y-%m-%dT%H:%M:%S', ?1, '-' || (seconds - 1) || ' seconds')
    FROM cadence WHERE seconds IS NOT NULL
)"""  # noqa: S608 - own text
"""The cadences that there are, and when a job of each was probed that is due now."""
_OF_CADENCE = f"FROM since CROSS JOIN {_BY_PING} ON status = 'running' AND cadence_seconds = seconds"
_NEVER = f"{_OF_CADENCE} WHERE last_ping_at IS NULL AND strftime('%Y-%m-%dT%H:%M:%fZ', started_at)"
IN_TURN = f"""{CADENCES}
SELECT id {_NEVER} <= ?1
UNION ALL SELECT id {_OF_CADENCE} WHERE last_ping_at < next_second AND (last_ping_at <= pinged_at OR length(last_ping_at) <> 24)
UNION ALL SELECT id {_OF_CADENCE} WHERE last_ping_at >= substr(?1, 1, 23)
UNION ALL SELECT id FROM {_BY_END} WHERE status = 'running' AND {ENDS_AT} < ?1"""  # noqa: S608 - own text
"""The running jobs that are due or over, or whose latest probe lies ahead."""
NEXT_TURN = f"""{CADENCES}
SELECT min(moment) FROM (
    SELECT (
        SELECT {_DUE_AT} FROM {_BY_PING} WHERE status = 'running' AND cadence_seconds = seconds AND last_ping_at > pinged_at
        AND last_ping_at <= ?1 AND {_DUE_AT} > ?1 AND {ENDS_AT} >= ?1 ORDER BY last_ping_at LIMIT 1
    ) AS moment FROM since
    UNION ALL SELECT min(strftime('%Y-%m-%dT%H:%M:%fZ', started_at)) {_NEVER} > ?1
    UNION ALL SELECT min({ENDS_AT}) FROM {_BY_END} WHERE status = 'running' AND {ENDS_AT} >= ?1
)"""  # noqa: S608 - own text
"""When the first of the others is due or over."""
