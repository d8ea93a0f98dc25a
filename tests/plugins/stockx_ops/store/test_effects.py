"""Notifications that are queued, and for which recipients."""

from __future__ import annotations

from datetime import timedelta

from plugins.stockx_ops.place import NOON
from plugins.stockx_ops.world import World

from pollctl import Secret, to_text
from pollctl_stockx_ops.model import Batch, Day, Settings
from pollctl_stockx_ops.store.days import is_summarised

# rule 14


def test_the_accounts_own_addresses_go_first_then_the_sections_then_those_of_all(world: World) -> None:
    def recipients() -> list[str]:
        world.run.effects.clear()
        world.db.execute("UPDATE stockx_batch_jobs SET status = 'PENDING'")
        world.answer("j", word="completed")
        return [lane for _, _, lane in world.run.effects.values()]

    world.job("j")
    assert recipients() == [""]
    world.run.addresses = (Secret("json://all.example.net"),)
    (of_all,) = recipients()
    world.run.settings = Settings(dialect="operations", notify=(Secret("json://section.example.net"),))
    (of_section,) = recipients()
    world.db.execute("INSERT INTO stockx_notify VALUES ('anna', 'json://anna.example.net')")
    (own,) = recipients()
    assert len({of_all, of_section, own}) == 3
    assert "example" not in str(world.run.effects)


def test_a_day_is_summed_up_once_and_for_users_who_had_jobs(world: World) -> None:
    world.account("boris")
    day = Day(name="2026-03-07", starts_at=NOON - timedelta(hours=36), ends_at=NOON - timedelta(hours=12))
    for number, status in enumerate(("COMPLETED", "FAILED", "PARTIAL", "IN_PROGRESS")):
        world.job(f"j{number}", status=status, started_at=to_text(day.starts_at + timedelta(hours=number)))
    world.job("late", user_id="boris", started_at=to_text(day.ends_at))
    world.decide_batch(Batch(day=day))
    assert {key: payload for key, (_, payload, _) in world.run.effects.items()} == {
        "daily_summary:anna:2026-03-07": {
            "user_id": "anna", "day": "2026-03-07", "jobs": 4, "completed": 1, "partial": 1, "failed": 1,
            "timed_out": 0, "open": 1, "recipient": None,
        }
    }  # fmt: skip
    assert is_summarised(world.db, "2026-03-07")
