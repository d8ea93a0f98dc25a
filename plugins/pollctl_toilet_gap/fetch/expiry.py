"""Checks and dead letters that were kept long enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pollctl import Run
from pollctl_toilet_gap.model import Batch, Expired, Settings
from pollctl_toilet_gap.store import expiry

if TYPE_CHECKING:
    from sqlite_utils import Database


def expired(run: Run, db: Database) -> Iterator[Batch]:
    """What ended, or came, longer ago than the settings say; a hundred checks in one pass."""
    settings: Settings = run.settings
    checks = expiry.old_checks(db, run.now - settings.keep_records)
    before = run.now - settings.keep_dead_letters
    has_letters = expiry.has_letters(db, before)
    if checks or has_letters:
        yield Batch(expired=Expired(checks=checks, letters_before=before if has_letters else None))
