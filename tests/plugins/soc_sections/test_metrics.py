"""What Prometheus is given."""

from __future__ import annotations

from plugins.soc_sections.world import INDEX, World

from pollctl_soc_sections import metrics


def test_metrics_count_polls_events_notifications_and_open_sections() -> None:
    world = World()
    world.subscribe()
    world.catalogue([INDEX, "10000", "10001"])
    world.poll(["10000", "10001"])
    world.poll(["10000", INDEX])
    world.deliver()
    world.poll([])
    world.poll(["99999"])
    found = {
        (
            sample.name,
            *(sample.labels[key] for key in ("term", "campus")),
            sample.labels.get("status", ""),
        ): sample.value
        for family in metrics.families(world.db)
        for sample in family.samples
    }

    def value(name: str, status: str = "") -> float:
        return found[f"pollctl_soc_{name}", "92026", "NB", status]

    assert (value("polls_total"), value("poll_failures_total"), value("suspect_polls_total")) == (4, 1, 1)
    assert (value("events_total", "OPEN"), value("notifications_total", "sent"), value("open_sections")) == (1, 1, 3)
    assert value("last_poll_timestamp_seconds") == world.now.timestamp() - 60
    assert (value("held_seconds"), value("poll_duration_seconds")) == (60, 0)
