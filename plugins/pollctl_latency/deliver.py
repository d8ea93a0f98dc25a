"""Notifying people: one effect is one recipient of one alert or verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pollctl import Effect, Run
from pollctl_latency.store.recipients import address_of


def deliver(effect: Effect, run: Run) -> dict[str, Any]:
    """Send one notification; the address stays in the database until here, because it is a secret.

    Raises:
        DeliveryError: the service did not take it.
    """
    with run.reading() as db:
        url = address_of(db, effect.payload["recipient"])
    if url is None:
        return {"sent": False, "why": "no address"}
    title, body = alert_text(effect.payload) if effect.kind == "alert" else completion_text(effect.payload)
    run.notify(url, title=title, body=body, key=effect.key)
    return {"sent": True}


def alert_text(alert: Mapping[str, Any]) -> tuple[str, str]:
    """Title and body of the notification of an alert."""
    change = "is offline" if alert["alert_type"] == "offline" else "has recovered"
    return f"{alert['target']} {change}", f"Job {alert['job_id']}, since the probe of {alert['triggered_at']}."


def completion_text(summary: Mapping[str, Any]) -> tuple[str, str]:
    """Title and body of the notification of a verdict."""
    stats = summary["stats"]
    body = (
        f"Job {summary['job_id']}: {_number(summary['loss_percent'], '%')} lost, "
        f"95 of 100 answers within {_number(stats['rtt_p95_ms'], ' ms')}, "
        f"mean jitter {_number(stats['jitter_avg_ms'], ' ms')}, {summary['outages']} outages."
    )
    return f"{summary['target']}: {summary['verdict']}", body


def _number(value: float | None, unit: str) -> str:
    return "unknown" if value is None else f"{value:.1f}{unit}"
