"""What is worth asking of the core's own tables."""

from __future__ import annotations

_SAID = "CASE WHEN json_valid(error) THEN json_extract(error, '$.message') END"

QUERIES = {
    "plugins": (
        "How each plugin stands",
        """SELECT plugin, last_outcome, last_started_at, consecutive_failures, not_before, last_complaint AS said
FROM schedules WHERE plugin NOT LIKE 'pollctl.%' ORDER BY consecutive_failures DESC, plugin""",
    ),
    "troubled": (
        "Passes that did not end well",
        f"""SELECT started_at, plugin, outcome, {_SAID} AS said, duration_ms, id
FROM runs WHERE outcome NOT IN ('ok', 'running') ORDER BY id DESC LIMIT 200""",  # noqa: S608 - our own words
    ),
    "undelivered": (
        "What was not delivered",
        """SELECT id, plugin, kind, status, attempts, created_at, next_attempt_at, last_error
FROM outbox WHERE status <> 'delivered' ORDER BY id DESC LIMIT 200""",
    ),
    "durations": (
        "How long passes take",
        """SELECT plugin, count(*) AS passes, round(avg(duration_ms)) AS mean_ms, max(duration_ms) AS longest_ms,
    sum(outcome <> 'ok') AS troubled FROM runs GROUP BY plugin ORDER BY plugin""",
    ),
    "passes-of": (
        "The passes of one plugin",
        f"""SELECT started_at, outcome, batches, decisions, effects, duration_ms, {_SAID} AS said, id
FROM runs WHERE plugin = :plugin ORDER BY id DESC LIMIT 500""",  # noqa: S608 - our own words
    ),
}
"""By name: title and SELECT."""
