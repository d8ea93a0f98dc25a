"""What the tables of targets become, with what stands in them."""

from __future__ import annotations

from core.targets.watching import Watching


def test_what_was_remembered_before_answers_were_known_is_remembered(watch: Watching) -> None:
    watch.settings('name = "a"\nurl = "/a"')
    watch.pages_are(a="one page")
    watch.run()
    watch.place.sql("ALTER TABLE watch_memory DROP COLUMN answer")
    watch.place.sql("DELETE FROM _sqlite_migrations WHERE name = 'm002_answers'")
    assert watch.run(minutes=10)["stats"] == {"baselines": 0, "changed": 0, "failed": 0, "looked": 1}
    watch.pages_are(a="another page")
    watch.run(minutes=10)
    assert watch.told == ["a changed"]
