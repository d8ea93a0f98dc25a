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
        world.run.messages.clear()
        world.db.execute("UPDATE stockx_batch_jobs SET status = 'PENDING'")
        world.answer("j", word="completed")
        (message,) = world.run.messages.values()
        return list(message.to)

    world.job("j")
    assert recipients() == []
    world.run.addresses = (Secret("json://all.example.net"),)
    assert recipients() == ["json://all.example.net"]
    section = Secret("json://one.example.net, json://two.example.net")
    world.run.settings = Settings(dialect="operations", notify=(section,))
    assert recipients() == ["json://one.example.net", "json://two.example.net"]
    world.db.execute("INSERT INTO stockx_notify VALUES ('anna', 'json://anna.example.net')")
    assert recipients() == ["json://anna.example.net"]


def test_a_day_is_summed_up_once_and_for_users_who_had_jobs(world: World) -> None:
    world.account("boris")
    day = Day(name="2026-03-07", starts_at=NOON - timedelta(hours=36), ends_at=NOON - timedelta(hours=12))
    for number, status in enumerate(("COMPLETED", "FAILED", "PARTIAL", "IN_PROGRESS")):
        world.job(f"j{number}", status=status, started_at=to_text(day.starts_at + timedelta(hours=number)))
    world.job("late", user_id="boris", started_at=to_text(day.ends_at))
    world.decide_batch(Batch(day=day))
    ((key, message),) = world.run.messages.items()
    assert (key, message.title) == ("daily_summary:anna:2026-03-07", "StockX on 2026-03-07: anna")
    assert message.body.splitlines() == [
        "4 jobs: 1 completed, 1 partly, 1 failed, 0 timed out, 1 still open.",
        "stockx_ops on shop.example",
    ]
    assert is_summarised(world.db, "2026-03-07")
