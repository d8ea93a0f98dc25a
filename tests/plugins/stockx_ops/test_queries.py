"""The figures behind ``stats``."""

from __future__ import annotations

from plugins.stockx_ops.world import World

from pollctl_stockx_ops.model import COUNTERS
from pollctl_stockx_ops.queries import stats

# rule 15


def test_numbers_without_data_are_null(world: World) -> None:
    found = stats(world.db)
    assert [found[name] for name in ("processed", *COUNTERS)] == [0] * 7
    assert (found["mean_completion_seconds"], found["rate_limited_share"]) == (None, None)
    assert found["success_rate"]["create_listing"] is None


def test_numbers_tell_how_well_operations_end(world: World) -> None:
    for number, word in enumerate(("completed", "completed", "failed", "partial_success")):
        world.job(f"j{number}")
        world.answer(f"j{number}", 30 * number, word=word)
    world.job("other", job_type="delete_listing")
    world.answer("other", word="failed")
    world.db.execute(
        "INSERT INTO runs (plugin, stats) VALUES ('stockx_ops', '{\"processed\": 8, \"rate_limited\": 2}')"
    )
    found = stats(world.db)
    assert found["mean_completion_seconds"] == 75
    assert (found["success_rate"]["create_listing"], found["success_rate"]["delete_listing"]) == (0.5, 0)
    assert found["success_rate"]["activate_listing"] is None
    assert found["rate_limited_share"] == 0.25
