"""Asking for open sections and catalogues, and reading what comes: an answer, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from pollctl import Answer, Request, Run, retry_after, strict_json
from pollctl_soc_sections import store
from pollctl_soc_sections.model import Catalogue, CatalogueSection, Poll
from pollctl_soc_sections.notation import CAMPUSES

if TYPE_CHECKING:
    from sqlite_utils import Database

UNASKED = timedelta(seconds=60)
"""How long a 429 holds the upstream when it does not say how long."""
RETRY_CATALOGUE = timedelta(minutes=15)
"""How soon a catalogue that could not be read is asked for again, where there is an old one or it was empty."""
CATALOGUE_SECONDS = 20.0
"""Total time for one catalogue."""
CATALOGUES_SHARE = 0.5
"""Of the time that is left to the pass: so much may pass with catalogues that do not come; the rest is to poll and to tell."""
SOONEST_SECONDS = 1.0
"""A catalogue that would get less time is left to the next pass."""
MOST_IGNORED_PERCENT = 1
_INDEX_LENGTH = 5
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_LONGEST_TEXT = 200
_BUSY = (429, 503)
_ASK_BETTER = (400, 404)


class Target(NamedTuple):
    """One term and campus to ask for, and what is known of it."""

    term: str
    campus: str
    known: store.Known

    def __str__(self) -> str:
        return f"{self.term} {self.campus}"

    def request(self, run: Run, page: str, *, timeout: float | None = None) -> Request:
        """A request for one of the two pages about this target."""
        query = urlencode({"year": self.term[1:], "term": self.term[0], "campus": self.campus})
        url = f"{run.settings.base_url.rstrip('/')}/{page}.json?{query}"
        return Request(url=url, tag=self, timeout=timeout, allow_hosts=run.settings.allow_hosts)


class UnreadableError(ValueError):
    """An answer that cannot be used; the text says why."""


def batches(run: Run, db: Database) -> Iterator[Poll | Catalogue]:
    """Yield a batch per answer: catalogues where there are none, then the open sections, then stale catalogues.

    So the first poll of a campus knows what it counts, and no later one waits for a catalogue.
    """
    stale = stale_targets(targets(run, db), run.now, run.settings.catalogue_every)
    yield from _catalogues(run, [target for target in stale if not target.known.catalogue_size])
    yield from _polls(run, targets(run, db))
    yield from _catalogues(run, [target for target in stale if target.known.catalogue_size])


def targets(run: Run, db: Database) -> list[Target]:
    """Every term and campus of the settings, with what is known of it by now."""
    known = store.known_campuses(db)
    return [Target(term, campus, known.get((term, campus), store.NOTHING)) for term, campus in run.settings.polled]


def stale_targets(targets: Sequence[Target], now: datetime, every: timedelta) -> list[Target]:
    """Whose catalogue has had its time; what was asked for longest ago first, so that one that hangs hides no other."""
    stale = [target for target in targets if is_stale(target.known, now, every)]
    return sorted(stale, key=lambda target: target.known.tried_at or _LONG_AGO)


def is_stale(known: store.Known, now: datetime, every: timedelta) -> bool:
    """Whether a catalogue has had its time, or failed and may be tried again; ``0s`` is never."""
    if not every:
        return False
    if known.has_failed_first or known.tried_at is None:
        return True
    is_good = known.catalogue_size > 0 and known.read_at == known.tried_at
    return not timedelta() <= now - known.tried_at < (every if is_good else min(every, RETRY_CATALOGUE))


def _polls(run: Run, targets: Sequence[Target]) -> Iterator[Poll]:
    for answer in _ask(run, targets, "openSections"):
        target = answer.request.tag
        poll = read_poll(answer, run.now)
        if poll.failure:
            run.failed(str(target), poll.failure)
        else:
            run.reached(str(target))
        yield poll


def _catalogues(run: Run, targets: Sequence[Target]) -> Iterator[Catalogue]:
    """A few at a time, as long as there is time for them; the others are left to the next pass."""
    kept = run.remaining * (1 - CATALOGUES_SHARE)
    at_a_time = run.settings.concurrency
    for start in range(0, len(targets), at_a_time):
        allowed = min(CATALOGUE_SECONDS, run.remaining - kept)
        if allowed < SOONEST_SECONDS:
            return
        for answer in _ask(run, targets[start : start + at_a_time], "courses", timeout=allowed):
            yield _catalogue(run, answer)


def _catalogue(run: Run, answer: Answer) -> Catalogue:
    target = answer.request.tag
    catalogue = read_catalogue(answer, run.now)
    if catalogue.failure:
        run.failed(f"catalogue of {target}", catalogue.failure)
    else:
        run.reached(f"catalogue of {target}")
    return catalogue


def _ask(run: Run, targets: Sequence[Target], page: str, *, timeout: float | None = None) -> Iterator[Answer]:
    """Ask for the targets side by side, but for none any more once the upstream wants no request."""

    def requests() -> Iterator[Request]:
        for target in targets:
            if run.held_until(upstream_of(run.settings.base_url)) is None:
                yield target.request(run, page, timeout=timeout)

    for answer in run.get_many(requests(), concurrency=run.settings.concurrency):
        if answer.error is None or answer.error.kind not in ("deadline", "stopped"):
            yield answer


def upstream_of(base_url: str) -> str:
    """What a not-before holds for: the host, whatever is asked of it."""
    return urlsplit(base_url).netloc.rpartition("@")[2].lower()


# open sections


def read_poll(answer: Answer, now: datetime) -> Poll:
    """What one answer says is open; one that is known by its hash is not read again."""
    target: Target = answer.request.tag
    try:
        check_status(answer)
        content_hash = sha256(answer.body).hexdigest()
        if content_hash == target.known.settled_hash:
            return Poll(term=target.term, campus=target.campus, content_hash=content_hash, is_same=True)
        listed, ignored = read_indexes(answer.body)
    except UnreadableError as error:
        return Poll(term=target.term, campus=target.campus, failure=str(error), hold_until=hold_until(answer, now))
    return Poll(term=target.term, campus=target.campus, content_hash=content_hash, listed=listed, ignored=ignored)


def read_indexes(body: bytes) -> tuple[frozenset[str], int]:
    """The indexes in a JSON array of strings, and how many entries were none.

    Entries are trimmed, blanks dropped, duplicates folded.

    Raises:
        UnreadableError: it is no array of strings, or more than 1 % of the entries are no indexes.
    """
    try:
        entries: list[str] = strict_json(body, list[str], unique_keys=False)
    except ValueError as error:
        raise UnreadableError(f"the answer is no array of strings: {error}") from error
    indexes = frozenset(entries)
    if _are_indexes(indexes):
        return indexes, 0
    trimmed = [entry for entry in map(str.strip, entries) if entry]
    wrong = [entry for entry in trimmed if not _are_indexes((entry,))]
    if 100 * len(wrong) > MOST_IGNORED_PERCENT * len(trimmed):
        raise UnreadableError(f"{len(wrong)} of {len(trimmed)} entries are no five-digit indexes")
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


class _Course(Struct, frozen=True, rename="camel", gc=False):
    """The fields of a course that are read."""

    sections: list[_Section]
    course_string: str | None = None
    title: str | None = None
    expanded_title: str | None = None


def read_catalogue(answer: Answer, now: datetime) -> Catalogue:
    """The sections of one campus, or why they cannot be had."""
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
        UnreadableError: it is no array of courses, or holds sections but none of this campus.
    """
    courses = _courses(body)
    found = {
        section.index: _described(course, section)
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
    refuse cannot get through here: only texts are taken, and those are tidied.
    """
    try:
        return msgspec.json.decode(body, type=list[_Course])
    except (ValueError, RecursionError) as error:
        what = "the body is HTML or XML" if body.lstrip()[:1] == b"<" else str(error)
        raise UnreadableError(f"the catalogue is no array of courses: {what}") from error


def _is_elsewhere(code: str | None, campus: str) -> bool:
    """Whether a section says that it belongs to another campus; codes that nobody polls say nothing."""
    return code != campus and code in CAMPUSES


def _described(course: _Course, section: _Section) -> CatalogueSection:
    permission = section.special_permission_add_code_description or section.special_permission_add_code
    return CatalogueSection(
        index_number=section.index,
        section_number=_tidy(section.number),
        course=_tidy(course.course_string),
        title=_tidy(course.expanded_title) or _tidy(course.title),
        open_to=_tidy(section.open_to_text),
        permission=_tidy(permission),
    )


def _tidy(text: str | None) -> str:
    """One line without control characters, not too long for a message."""
    words = "".join(letter if letter.isprintable() else " " for letter in text or "").split()
    return " ".join(words)[:_LONGEST_TEXT]


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
    hint = "; check term and campus" if answer.status in _ASK_BETTER else ""
    raise UnreadableError(f"HTTP {answer.status}{hint}")


def hold_until(answer: Answer, now: datetime) -> datetime | None:
    """Before when the upstream wants no request: what it says with 429 or 503, else a minute after a 429."""
    if answer.status not in _BUSY:
        return None
    asked = retry_after(answer, now)
    if asked is None:
        return now + UNASKED if answer.status == 429 else None  # noqa: PLR2004 - too many requests
    return now + asked
