"""The settings of soc_sections, and what follows from them alone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from pollctl import Duration, HttpUrl
from pollctl_soc_sections.model.identifiers import check_term, read_campus, term_at


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.soc_sections]``; sample.toml says what each key means."""

    base_url: HttpUrl = HttpUrl("https://classes.rutgers.edu/soc/api")
    terms: tuple[str, ...] = ("92026",)
    campuses: tuple[str, ...] = ("NB", "NK")
    miss_threshold: Annotated[int, Meta(ge=1)] = 2
    min_poll_gap: Duration = Duration(seconds=30)
    drop_guard: Annotated[float, Meta(gt=0, le=1)] = 0.10
    drop_guard_min: Annotated[int, Meta(ge=1)] = 25
    confirm_polls: Annotated[int, Meta(ge=1)] = 3
    confirm_span: Duration = Duration(minutes=5)
    catalogue_every: Duration = Duration(days=1)
    confirm_empty: bool = False
    doubt_after: Duration = Duration(minutes=30)
    allow_hosts: tuple[str, ...] = ("classes.rutgers.edu", "sis.rutgers.edu")
    concurrency: Annotated[int, Meta(ge=1, le=100)] = 3
    chunk: Annotated[int, Meta(ge=1)] = 200

    def __post_init__(self) -> None:
        for key, read, values in (("terms", check_term, self.terms), ("campuses", read_campus, self.campuses)):
            for value in values:
                try:
                    read(value)
                except ValueError as error:
                    raise ValueError(f"{key}: {error}") from error

    def polled(self, now: datetime) -> list[tuple[str, str]]:
        """Pairs of term and campus that a pass polls at a moment, each once."""
        return list(dict.fromkeys((term_at(term, now), campus) for term in self.terms for campus in self.campuses))

    @property
    def upstream(self) -> str:
        """What a not-before holds for: the host, whatever is requested of it."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2].lower()
