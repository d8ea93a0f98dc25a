"""Telling people: one effect is one recipient of one alert or verdict."""

from __future__ import annotations

from typing import Any

from pollctl import Effect, Run
from pollctl_latency.store import apply as store


def deliver(effect: Effect, run: Run) -> dict[str, Any]:
    """Send one notification; the address stays in the database until here, because it is a secret.

    Raises:
        DeliveryError: the service did not take it.
    """
    with run.reading() as db:
        url = store.address(db, effect.payload["recipient"])
    if url is None:
        return {"sent": False, "why": "no address"}
    title, body = words(effect)
    run.notify(url, title=title, body=body, key=effect.key)
    return {"sent": True}


def words(effect: Effect) -> tuple[str, str]:
    """Title and body of a notification."""
    told = effect.payload
    if effect.kind == "alert":
        state = "is offline" if told["alert_type"] == "offline" else "has recovered"
        return (
            f"{told['target']} {state}",
            f"Job {told['job_id']}, since the probe of {told['triggered_at']}.",
        )
    stats = told["stats"]
    body = (
        f"Job {told['job_id']}: {_number(told['loss_percent'], '%')} lost, "
        f"95 of 100 answers within {_number(stats['rtt_p95_ms'], ' ms')}, "
        f"mean jitter {_number(stats['jitter_avg_ms'], ' ms')}, {told['outages']} outages."
    )
    return f"{told['target']}: {told['verdict']}", body


def _number(value: float | None, unit: str) -> str:
    return "unknown" if value is None else f"{value:.1f}{unit}"
