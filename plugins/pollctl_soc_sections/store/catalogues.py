"""Catalogues: which sections belong to a term and campus, and how they are described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from pollctl import to_text
from pollctl_soc_sections.model import KeepCatalogue, StoreCatalogue

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def store(db: Database, read: Sequence[StoreCatalogue], run: Run) -> None:
    """Sections are added and described, never dropped: one that is gone from the catalogue is merely never open."""
    for catalogue in read:
        key, at = (catalogue.term, catalogue.campus), to_text(catalogue.read_at)
        db.conn.executemany(
            """INSERT INTO soc_sections (term, campus, index_number, section_number, course, title, open_to,
                   permission, eligibility, subtitle, is_catalogued) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
               ON CONFLICT DO UPDATE SET section_number = excluded.section_number, course = excluded.course,
                   title = excluded.title, open_to = excluded.open_to, permission = excluded.permission,
                   eligibility = excluded.eligibility, subtitle = excluded.subtitle, is_catalogued = 1, is_known = 1
               WHERE is_catalogued = 0
                   OR (section_number, course, title, open_to, permission, eligibility, subtitle) IS NOT
                   (excluded.section_number, excluded.course, excluded.title, excluded.open_to, excluded.permission,
                    excluded.eligibility, excluded.subtitle)""",
            [(*key, *msgspec.structs.astuple(section)[:-1]) for section in catalogue.sections],
        )
        db.conn.executemany(
            "INSERT INTO soc_twins (term, campus, course, index_number) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(*key, it.course, twin) for it in catalogue.sections if it.course for twin in it.twins],
        )
        if catalogue.is_first and catalogue.sections:
            _restart_baseline(db, key)
        _record_attempt(db, key, at, at, None)
        run.count(catalogued=len(catalogue.sections))


def _restart_baseline(db: Database, key: tuple[str, str]) -> None:
    """Disregard what was only ever seen in an answer: from now on the catalogue says what belongs to the campus.

    The rows stay for their episodes: a section that is regarded again must not repeat the keys of old events.
    """
    db.execute(
        """UPDATE soc_sections SET is_known = 0, status = 'UNKNOWN', misses = 0, episode = episode + 1
           WHERE term = ?1 AND campus = ?2 AND is_catalogued = 0 AND index_number NOT IN
           (SELECT index_number FROM soc_subscriptions WHERE term = ?1 AND campus = ?2)""",
        key,
    )
    db.execute(
        """UPDATE soc_campuses SET counts = coalesce((SELECT json_array(count(*)) FROM soc_sections
               WHERE term = ?1 AND campus = ?2 AND is_known = 1 AND status = 'OPEN' HAVING count(*)), '[]'),
           settled_hash = NULL, suspect_first = NULL, suspect_since = NULL, suspect_polls = 0, ignores_campus = 0,
           accepted_digest = NULL
           WHERE term = ?1 AND campus = ?2""",
        key,
    )


def keep(db: Database, kept: Sequence[KeepCatalogue], _: Run) -> None:
    """Record that catalogues could not be read; the old ones stay."""
    for catalogue in kept:
        _record_attempt(db, (catalogue.term, catalogue.campus), None, to_text(catalogue.tried_at), catalogue.failure)


def _record_attempt(
    db: Database, key: tuple[str, str], read_at: str | None, tried_at: str, failure: str | None
) -> None:
    db.execute(
        """INSERT INTO soc_campuses (term, campus) VALUES (?, ?) ON CONFLICT DO NOTHING""",
        key,
    )
    db.execute(
        """UPDATE soc_campuses SET catalogue_read_at = coalesce(?3, catalogue_read_at), catalogue_tried_at = ?4,
           catalogue_failure = ?5, catalogue_size = (SELECT count(*) FROM soc_sections
               WHERE term = ?1 AND campus = ?2 AND is_catalogued = 1)
           WHERE term = ?1 AND campus = ?2""",
        [*key, read_at, tried_at, failure],
    )


def request_catalogues(db: Database, polled: Sequence[tuple[str, str]]) -> None:
    """Let the next pass read the catalogues of these terms and campuses, whenever it read them last."""
    db.conn.executemany(
        "UPDATE soc_campuses SET catalogue_tried_at = NULL WHERE term = ? AND campus = ?",
        polled,
    )
