"""How the Schedule of Classes is spoken to: its two pages, and the parsing of their answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from pollctl import Answer, Request, Run, retry_after, shorten, strict_json
from pollctl_soc_sections.model import Catalogue, CatalogueSection, FetchState, Poll
from pollctl_soc_sections.model.identifiers import CAMPUSES

DEFAULT_HOLD = timedelta(seconds=60)
"""How long a 429 holds the upstream when it does not say how long."""
MAX_IGNORED_PERCENT = 1
_INDEX_LENGTH = 5
_BUSY = (429, 503)
_WRONG_QUERY = (400, 404)


class Target(NamedTuple):
    """One term and campus to request, and what is stored about it."""

    term: str
    campus: str
    state: FetchState

    def __str__(self) -> str:
        return f"{self.term} {self.campus}"

    def request(self, run: Run, page: str, *, timeout: float | None = None) -> Request:
        """A request for one of the two pages about this target."""
        query = urlencode({"year": self.term[1:], "term": self.term[0], "campus": self.campus})
        url = f"{run.settings.base_url.rstrip('/')}/{page}.json?{query}"
        return Request(url=url, tag=self, timeout=timeout, allow_hosts=run.settings.allow_hosts)


class UnreadableError(ValueError):
    """An answer that cannot be used; the text says why."""


# open sections


def read_poll(answer: Answer, now: datetime) -> Poll:
    """What one answer says is open, and how long it took; one that is recognised by its hash is not parsed again."""
    return msgspec.structs.replace(_read_poll(answer, now), duration_ms=round(answer.elapsed_ms, 3))


def _read_poll(answer: Answer, now: datetime) -> Poll:
    target: Target = answer.request.tag
    try:
        check_status(answer)
        content_hash = sha256(answer.body).hexdigest()
        if content_hash == target.state.settled_hash:
            return Poll(term=target.term, campus=target.campus, content_hash=content_hash, is_same=True)
        listed, ignored = read_indexes(answer.body)
    except UnreadableError as error:
        return Poll(term=target.term, campus=target.campus, failure=str(error), hold_until=hold_until(answer, now))
    return Poll(term=target.term, campus=target.campus, content_hash=content_hash, listed=listed, ignored=ignored)


def read_indexes(body: bytes) -> tuple[frozenset[str], int]:
    """The indexes in a JSON array of strings, and how many entries were not indexes.

    Entries are trimmed, blanks dropped, duplicates folded.

    Raises:
        UnreadableError: it is not an array of strings, or more than 1 % of the entries are not indexes.
    """
    try:
        entries: list[str] = strict_json(body, list[str], unique_keys=False)
    except ValueError as error:
        raise UnreadableError(f"the answer is not an array of strings: {error}") from error
    indexes = frozenset(entries)
    if _are_indexes(indexes):
        return indexes, 0
    trimmed = [entry for entry in map(str.strip, entries) if entry]
    wrong = [entry for entry in trimmed if not _are_indexes((entry,))]
    if 100 * len(wrong) > MAX_IGNORED_PERCENT * len(trimmed):
        raise UnreadableError(f"{len(wrong)} of {len(trimmed)} entries are not five-digit indexes")
    return frozenset(trimmed).difference(wrong), len(wrong)


def _are_indexes(entries: frozenset[str] | tuple[str, ...]) -> bool:
    """Whether all entries have five digits; looked at together, for there are thousands."""
    digits = "".join(entries)
    return all(length == _INDEX_LENGTH for length in set(map(len, entries))) and (
        not digits or (digits.isascii() and digits.isdigit())
    )


# the catalogue


class _Section(Struct, frozen=True, rename="camel", gc=False):
    """The fields of a section that are read."""

    index: str = ""
    number: str | None = None
    campus_code: str | None = None
    open_to_text: str | None = None
    special_permission_add_code: str | None = None
    special_permission_add_code_description: str | None = None
    section_eligibility: str | None = None
    subtitle: str | None = None
    cross_listed_sections: Any = None


class _Course(Struct, frozen=True, rename="camel", gc=False):
    """The fields of a course that are read."""

    sections: list[_Section]
    course_string: str | None = None
    title: str | None = None
    expanded_title: str | None = None


def read_catalogue(answer: Answer, now: datetime) -> Catalogue:
    """The sections of one campus, or why they could not be read."""
    target: Target = answer.request.tag
    try:
        check_status(answer)
        sections = read_sections(answer.body, target.campus)
    except UnreadableError as error:
        return Catalogue(term=target.term, campus=target.campus, failure=str(error), hold_until=hold_until(answer, now))
    return Catalogue(term=target.term, campus=target.campus, sections=sections)


def read_sections(body: bytes, campus: str) -> list[CatalogueSection]:
    """The sections of a catalogue that belong to *campus*: an answer may hold those of others too.

    Raises:
        UnreadableError: it is not an array of courses, or holds sections but none of this campus.
    """
    courses = _courses(body)
    found = {
        section.index: _describe(course, section)
        for course in courses
        for section in course.sections
        if _are_indexes((section.index,)) and not _is_elsewhere(section.campus_code, campus)
    }
    if courses and not found:
        raise UnreadableError(f"the catalogue holds no section of {campus}; check term and campus")
    return list(found.values())


def _courses(body: bytes) -> list[_Course]:
    """The courses in a body.

    Not by ``strict_json``: brackets within a text make it build the whole tree of 21 MB, which takes 330 MB. What it would
    refuse cannot get through here: only texts are taken, each shortened to one printable line.
    """
    try:
        return msgspec.json.decode(body, type=list[_Course])
    except (ValueError, RecursionError) as error:
        what = "the body is HTML or XML" if body.lstrip()[:1] == b"<" else str(error)
        raise UnreadableError(f"the catalogue is not an array of courses: {what}") from error


def _is_elsewhere(code: str | None, campus: str) -> bool:
    """Whether a section says that it belongs to another campus; codes that nobody polls say nothing."""
    return code != campus and code in CAMPUSES


def _describe(course: _Course, section: _Section) -> CatalogueSection:
    permission = section.special_permission_add_code_description or section.special_permission_add_code
    return CatalogueSection(
        index_number=section.index,
        section_number=shorten(section.number or ""),
        course=shorten(course.course_string or ""),
        title=shorten(course.expanded_title or "") or shorten(course.title or ""),
        open_to=shorten(section.open_to_text or ""),
        permission=shorten(permission or ""),
        eligibility=shorten(section.section_eligibility or ""),
        subtitle=shorten(section.subtitle or ""),
        twins=_twins(section),
    )


def _twins(section: _Section) -> list[str]:
    """The indexes of the sections that are cross-listed with one; what cannot be read is left out."""
    found = section.cross_listed_sections if isinstance(section.cross_listed_sections, list) else []
    indexes = [each.get("registrationIndex") for each in found if isinstance(each, dict)]
    return sorted({index for index in indexes if isinstance(index, str) and _are_indexes((index,))} - {section.index})


# any answer


def check_status(answer: Answer) -> None:
    """Let a 2xx pass.

    Raises:
        UnreadableError: anything else, with what would help.
    """
    if answer.error is not None:
        raise UnreadableError(answer.error.message)
    if answer.is_ok:
        return
    hint = "; check term and campus" if answer.status in _WRONG_QUERY else ""
    raise UnreadableError(f"HTTP {answer.status}{hint}")


def hold_until(answer: Answer, now: datetime) -> datetime | None:
    """The moment before which the upstream wants no request: what it says with 429 or 503, else a minute after a 429."""
    if answer.status not in _BUSY:
        return None
    delay = retry_after(answer, now)
    if delay is None:
        return now + DEFAULT_HOLD if answer.status == 429 else None  # noqa: PLR2004 - too many requests
    return now + delay
