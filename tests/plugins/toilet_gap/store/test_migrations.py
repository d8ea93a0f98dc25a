"""What an earlier version left behind."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from plugins.toilet_gap.in_memory import InMemoryWorld, moment, settings_of
from sqlite_utils import Database

from pollctl import to_text
from pollctl.store.migrations import migrations as core_migrations
from pollctl_toilet_gap import queries
from pollctl_toilet_gap.migrations import migrations

BEFORE = (
    "INSERT INTO status_check_description VALUES ('TOILET_ACTIVITY_GAP', 'as it was')",
    "INSERT INTO status_check_template (description, event_name, alarm_name) VALUES ('TOILET_ACTIVITY_GAP', 'E', 'A')",
    "INSERT INTO status_check_template_detail VALUES (1, 'SETUP', 1, 'as it was')",
    "INSERT INTO status_check_dead_letter (key, source, reason, robot_id, body, created_at) "
    "VALUES ('queue:m1', 'queue', 'no JSON', 'r-1', 'boo', '2026-03-02T08:05:00.000Z')",
)


@pytest.fixture
def upgraded() -> InMemoryWorld:
    """A day that began under the version before, with its template and a dead letter."""
    settings = settings_of(1800, has_queue=False)
    world = InMemoryWorld(settings, [])
    world.db.close()
    world.db = Database(memory=True)
    core_migrations.apply(world.db)
    migrations.apply(world.db, stop_before="m003_unread_events")
    for statement in BEFORE:
        world.db.execute(statement)
    terms = settings.monitors[0].terms
    from pollctl_toilet_gap.store.terms import terms_to_text

    world.db.execute(
        """INSERT INTO status_check (monitor, robot_id, local_date, phase, planned_at, ends_at, settings, created_at,
           updated_at) VALUES ('pilot', 'r-1', '2026-03-02', 'MONITORING', ?1, ?2, ?3, ?1, ?1)""",
        [to_text(moment(0)), to_text(moment(3600)), terms_to_text(terms)],
    )
    world.db.execute(
        "INSERT INTO status_check_poller (status_check_id, since, until, opened_by) VALUES (1, ?, ?, 'start')",
        [to_text(moment(0)), to_text(moment(1800))],
    )
    migrations.apply(world.db)
    return world


def test_a_day_that_began_before_the_upgrade_goes_on_and_names_what_could_not_be_read(upgraded: InMemoryWorld) -> None:
    upgraded.run(moment(1800))
    assert [upgraded.alarm(reference)[1] for reference in upgraded.posted] == ["an event of the robot: no JSON"]
    assert [row["state"] for row in queries.letters(upgraded.db)] == ["unread"]
    upgraded.close()


def test_the_template_of_before_is_kept_and_checks_come_to_refer_to_the_new_one(upgraded: InMemoryWorld) -> None:
    rows = "SELECT phase, text FROM status_check_template_detail"
    assert upgraded.db.execute(rows).fetchall() == [("SETUP", "as it was")]
    upgraded.run(datetime(2026, 3, 3, 8, tzinfo=UTC))
    assert upgraded.db.execute("SELECT DISTINCT status_check_template_id FROM status_check").fetchall() == [(1,)]
    assert [phase for phase, _ in upgraded.db.execute(f'{rows} ORDER BY "order"')] == [
        "SETUP", "MONITORING", "ALARM", "COMPLETE",
    ]  # fmt: skip
    upgraded.close()
