"""Effects that were tried, or queued, while the clock was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from crashing_outbox import Passes, Planned
from sqlite_utils import Database

from pollctl.delivery.policy import LONGEST_RETRY_AFTER, LONGEST_TIRELESS_PAUSE
from pollctl.store import database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(database.open_to_write(tmp_path / "pollctl.db")) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["say", "clean"])
@pytest.mark.parametrize("ahead", [timedelta(days=1, hours=2), timedelta(days=365 * 12)], ids=["a day", "twelve years"])
def test_an_effect_that_failed_while_the_clock_was_ahead_is_sent_once_it_is_right_again(
    db: Database, kind: str, ahead: timedelta
) -> None:
    passes = Passes(db, [Planned("one", kind, nature="failing")])
    passes.now += ahead
    passes.run()
    passes.now -= ahead
    passes.planned["one"] = Planned("one", kind)
    passes.run()
    assert passes.status("one") == "delivered", "a moment beyond its maximum was waited for"


def test_a_tireless_effect_waits_no_longer_than_its_own_maximum(db: Database) -> None:
    passes = Passes(db, [Planned("one", "clean", nature="failing"), Planned("two", nature="failing")])
    ahead = timedelta(hours=2)  # less than an upstream may ask for, more than a tireless effect ever rests
    assert LONGEST_TIRELESS_PAUSE < ahead < LONGEST_RETRY_AFTER
    passes.now += ahead
    passes.run()
    passes.now -= ahead
    passes.planned.update(one=Planned("one", "clean"), two=Planned("two"))
    passes.run()
    assert passes.status("one") == "delivered", "a moment beyond its maximum was waited for"
    assert passes.status("two") == "pending"


def test_an_effect_queued_for_at_once_is_sent_though_the_clock_was_set_back(db: Database) -> None:
    passes = Passes(db, [Planned("one")])
    passes.now -= timedelta(days=400)
    passes.run()
    assert passes.status("one") == "delivered"
