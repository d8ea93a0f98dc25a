"""What the decisions of one round rest on: its jobs, and the samples that went before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pollctl import from_text
from pollctl_latency.model import Round, Sample, State, Tail
from pollctl_latency.store.jobs import jobs_by_id
from pollctl_latency.store.mirror.load import claiming, mirror_error, mirrored_jobs
from pollctl_latency.store.recipients import recipients_of

if TYPE_CHECKING:
    from sqlite_utils import Database


def load(db: Database, batch: Round) -> State:
    """The jobs of one round with what their decisions rest on."""
    probed = [measurement.job_id for measurement in batch.measurements]
    ids = [*probed, *batch.finished]
    return State(
        jobs=jobs_by_id(db, ids),
        tails=dict(_tails(db, probed)),
        samples={job_id: samples(db, job_id) for job_id in batch.finished},
        recipients=recipients_of(db, ids),
        mirrored=mirrored_jobs(db) if batch.remote else {},
        claiming=claiming(db) if batch.remote else [],
        mirror_error=mirror_error(db) if batch.remote else "",
    )


def samples(db: Database, job_id: int) -> list[Sample]:
    """All samples of a job in their order."""
    rows = db.execute(
        """SELECT sequence_number, status, rtt_ms, jitter_ms, recorded_at, coalesce(reason, '')
           FROM latency_samples WHERE job_id = ? ORDER BY sequence_number""",
        [job_id],
    )
    return [
        Sample(
            sequence_number=number,
            status=status,
            rtt_ms=rtt,
            jitter_ms=jitter,
            recorded_at=from_text(moment),
            reason=reason,
        )
        for number, status, rtt, jitter, moment, reason in rows
    ]


_NO_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_MOST = "SELECT max(outage_length) - 1 FROM latency_jobs WHERE id IN (SELECT value FROM json_each(:ids))"
# Each look-up goes from the end of an index backwards, so that a job may have many thousand samples.
_TAILS = """
SELECT id,
    max(coalesce((SELECT max(sequence_number) + 1 FROM latency_samples WHERE job_id = id), 0),
        coalesce((SELECT first_number FROM latency_mirror WHERE job_id = id), 0)),
    (SELECT rtt_ms FROM latency_samples
        WHERE job_id = id AND status = 'success' ORDER BY sequence_number DESC),
    (SELECT json_group_array(status) FROM (
        SELECT * FROM (SELECT status, sequence_number FROM latency_samples
            WHERE job_id = id AND status = 'success' ORDER BY sequence_number DESC LIMIT :most)
        UNION ALL
        SELECT * FROM (SELECT status, sequence_number FROM latency_samples
            WHERE job_id = id AND status = 'missed' ORDER BY sequence_number DESC LIMIT :most)
        ORDER BY sequence_number DESC LIMIT :most)),
    (SELECT count(*) FROM (SELECT 1 FROM latency_samples
        WHERE job_id = id AND status = 'system_error'
        AND sequence_number > max(
            coalesce((SELECT max(sequence_number) FROM latency_samples WHERE job_id = id AND status = 'success'), -1),
            coalesce((SELECT max(sequence_number) FROM latency_samples WHERE job_id = id AND status = 'missed'), -1))
        ORDER BY sequence_number DESC LIMIT :most))
FROM latency_jobs WHERE id IN (SELECT value FROM json_each(:ids))"""


def samples_for_numbers(db: Database, job_id: int) -> list[Sample]:
    """All samples of a job in their order, without their moments, which no number depends on and which take most of the time."""
    rows = db.execute(
        """SELECT sequence_number, status, rtt_ms, jitter_ms, iif(status = 'system_error', coalesce(reason, ''), '')
           FROM latency_samples WHERE job_id = ? ORDER BY sequence_number""",
        [job_id],
    )
    return [
        Sample(
            sequence_number=number, status=status, rtt_ms=rtt, jitter_ms=jitter, recorded_at=_NO_MOMENT, reason=reason
        )
        for number, status, rtt, jitter, reason in rows
    ]


def _tails(db: Database, ids: Iterable[int]) -> Iterator[tuple[int, Tail]]:
    values = {"ids": json.dumps(list(ids))}
    (most,) = db.execute(_MOST, values).fetchone()
    for job_id, following, rtt, recent, errors in db.execute(_TAILS, {**values, "most": most or 0}):
        yield (
            job_id,
            Tail(next_sequence=following, last_rtt_ms=rtt, recent=json.loads(recent), system_errors=errors),
        )
