"""What fetch goes by: the answers and catalogues that were stored last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_soc_sections.model import FetchState
from pollctl_soc_sections.store.moments import moment_or_none

if TYPE_CHECKING:
    from sqlite_utils import Database


def fetch_states(db: Database) -> dict[tuple[str, str], FetchState]:
    """What is stored, by term and campus."""
    rows = db.execute(
        """SELECT term, campus, catalogue_size, catalogue_read_at, catalogue_tried_at, catalogue_failure,
           CASE WHEN NOT EXISTS (SELECT 1 FROM soc_sections AS section WHERE section.term = campus.term
               AND section.campus = campus.campus AND section.status = 'UNKNOWN' AND is_known = 1)
               THEN settled_hash END
           FROM soc_campuses AS campus"""
    )
    return {
        (term, campus): FetchState(
            settled_hash, size, moment_or_none(read_at), moment_or_none(tried_at), bool(failure and not size)
        )
        for term, campus, size, read_at, tried_at, failure, settled_hash in rows
    }
