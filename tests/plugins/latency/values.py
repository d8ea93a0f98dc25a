"""Values that the tests of latency are given: a job, samples, and the measurements of one probe."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pollctl_latency.model import Job, Measurement, Sample

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
MISS: Literal["missed"] = "missed"
ERROR: Literal["system_error"] = "system_error"


def job(**changes: Any) -> Job:
    """A job that started at noon and asks for alerts."""
    columns = {
        "id": 1,
        "target": "192.0.2.7",
        "probe": "api",
        "monitoring_mode": "real_polling",
        "status": "running",
        "cadence_seconds": 60,
        "duration_seconds": 3600,
        "started_at": NOON,
        "last_ping_at": None,
        "alert_state": "ok",
        "alert_offline": True,
        "alert_recovery": True,
        "sample_count": 0,
    }
    return Job(**{**columns, **changes})


def measurement_of(job_id: int, outcome: float | str, at: datetime) -> Measurement:
    """What a probe measured: a number is a success, text is a status."""
    if isinstance(outcome, str):
        return Measurement(job_id=job_id, status=outcome, started_at=at, reason=outcome)  # type: ignore[arg-type]
    return Measurement(job_id=job_id, status="success", started_at=at, rtt_ms=outcome)


def samples_of(outcomes: Iterable[Any], every: int = 60) -> list[Sample]:
    """Samples as they would stand in the database, their jitter computed one by one."""
    made: list[Sample] = []
    last: float | None = None
    for number, outcome in enumerate(outcomes):
        rtt = outcome if isinstance(outcome, float | int) else None
        jitter = abs(rtt - last) if rtt is not None and last is not None else None
        last = rtt if rtt is not None else last
        made.append(
            Sample(
                sequence_number=number,
                status="success" if rtt is not None else outcome,
                rtt_ms=rtt,
                jitter_ms=jitter,
                recorded_at=NOON + timedelta(seconds=number * every),
            )
        )
    return made
