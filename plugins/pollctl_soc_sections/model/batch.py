"""What fetch found: the answer about one term and campus, or its catalogue."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Poll(Struct, frozen=True, kw_only=True, tag=True):
    """What the upstream listed as open in one term and campus.

    Attributes:
        content_hash: SHA-256 of the body.
        listed: the indexes in the answer; empty when it is the same as the last one, and so was not parsed again.
        is_same: whether it equals an answer that all statuses agree with already.
        ignored: how many entries were not indexes.
        failure: why there is no answer that could be read; empty when there is one.
        hold_until: the moment before which the upstream wants no request.
        duration_ms: from the first connect to the last byte.
    """

    term: str
    campus: str
    content_hash: str = ""
    listed: frozenset[str] = frozenset()
    is_same: bool = False
    ignored: int = 0
    failure: str = ""
    hold_until: datetime | None = None
    duration_ms: float = 0


class CatalogueSection(Struct, frozen=True, kw_only=True, gc=False):
    """One section as the catalogue describes it; empty text where it says nothing. *twins*: cross-listed with it."""

    index_number: str
    section_number: str
    course: str
    title: str
    open_to: str
    permission: str
    eligibility: str = ""
    subtitle: str = ""
    twins: list[str] = []


class Catalogue(Struct, frozen=True, kw_only=True, tag=True):
    """The sections of one term and campus, or why they could not be read."""

    term: str
    campus: str
    sections: list[CatalogueSection] = []
    failure: str = ""
    hold_until: datetime | None = None


Batch = Poll | Catalogue
