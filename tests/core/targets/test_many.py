"""Ten thousand targets of which none is due cost nothing (authors, Show)."""

from __future__ import annotations

import time

import pytest
from core.targets.watching import Watching

from pollctl.due import fast_path

MANY = 10_000


@pytest.mark.slow
def test_while_none_of_ten_thousand_is_due_cron_starts_nothing_and_writes_nothing(
    watch: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(watch.place.folder)
    watch.settings(section='idle_max = "1d"\ndeadline = "10m"\ntimezone = "UTC"')
    watch.place.do("watch", "add", f"{watch.pages.url}/0", "--every", "30000d")
    watch.place.sql(
        "INSERT INTO watch_targets (name, address, added) WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL "
        f"SELECT i + 1 FROM n WHERE i < {MANY - 1}) SELECT replace(name, '/0', '/' || i), "
        "replace(address, '/0', '/' || i), replace(added, '/0', '/' || i) FROM watch_targets, n"
    )
    watch.pages.pages = {f"/{number}": "one" for number in range(MANY)}
    watch.place.do("run", "watch")
    assert len(watch.pages.asked) == MANY
    time.sleep(0.05)  # files younger than the process are not relied on
    before = watch.place.sql("SELECT id FROM runs")
    watch.place.do("due", "--run")
    assert watch.place.sql("SELECT id FROM runs") == before
    assert fast_path.is_nothing_due(("due", "--run"), watch.place.env)
