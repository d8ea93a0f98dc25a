"""The rules: what an answer is worth, what it changes, and who is to be told. Pure; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from hashlib import sha1
from itertools import groupby
from statistics import median_low
from typing import NamedTuple

from pollctl_soc_sections.model import (
    ELIGIBLE,
    Batch,
    Campus,
    Candidate,
    Catalogue,
    CloseSection,
    CountMisses,
    Decision,
    Deferred,
    EndNotification,
    Facts,
    FanOut,
    HoldUpstream,
    KeepCatalogue,
    OpenEvent,
    Poll,
    PrunePolls,
    RecordPoll,
    Release,
    SectionStatus,
    Settings,
    State,
    StoreCatalogue,
    StoreStates,
    Suspicion,
    Verdict,
    quiet,
)

REMEMBERED = 16
"""Accepted counts that the baseline is reckoned from."""
AGREEMENT = Fraction(1, 100)
"""How much a suspect answer may differ from the first of its run and still agree with it."""
KEEP_POLLS = timedelta(days=30)


class Ruling(NamedTuple):
    """What an answer is worth.

    Attributes:
        is_counted: whether misses count, and what was never seen before counts as closed.
        suspicion: the run of suspect answers from here on.
        counts: the accepted counts from here on.
    """

    verdict: Verdict
    reason: str
    is_counted: bool
    suspicion: Suspicion | None
    counts: list[int]


class Reading(NamedTuple):
    """An answer held against what is known: sections by what they were and what they are now."""

    opened: frozenset[str]
    appeared: frozenset[str]
    missing: frozenset[str]
    absent: frozenset[str]
    known: int


def decide(state: State, batch: Batch, now: datetime, settings: Settings) -> list[Decision]:
    """What one answer of the upstream changes."""
    decisions: list[Decision] = []
    if batch.hold_until is not None:
        decisions.append(HoldUpstream(until=batch.hold_until, reason=batch.failure))
    if isinstance(batch, Catalogue):
        return [*decisions, judge_catalogue(state.campus, batch, now)]
    decisions.extend(judge_poll(state, batch, now, settings))
    oldest = state.campus.oldest_poll_at
    if oldest is not None and now - oldest > KEEP_POLLS:
        reason = f"polls are kept for {KEEP_POLLS.days} days"
        decisions.append(PrunePolls(term=batch.term, campus=batch.campus, before=now - KEEP_POLLS, reason=reason))
    return decisions


def judge_catalogue(campus: Campus, batch: Catalogue, now: datetime) -> Decision:
    """A catalogue is kept; one that cannot be read, or is empty all of a sudden, leaves the old one standing."""
    failure = batch.failure
    if not failure and not batch.sections and campus.catalogue_size:
        failure = "the catalogue is empty all of a sudden"
    if failure:
        reason = f"going on with {campus.catalogue_size} known sections: {failure}"
        return KeepCatalogue(term=batch.term, campus=batch.campus, tried_at=now, failure=failure, reason=reason)
    return StoreCatalogue(
        term=batch.term,
        campus=batch.campus,
        sections=batch.sections,
        is_first=not campus.catalogue_size,
        read_at=now,
        reason=f"{len(batch.sections)} sections",
    )


def judge_poll(state: State, poll: Poll, now: datetime, settings: Settings) -> Iterator[Decision]:
    """What one poll is worth, then what it changes, then who hears of it."""
    if poll.failure:
        yield record(state.campus, poll, failed(state.campus, poll), now, settings)
        return
    if poll.is_same:
        same = judge_same(state.campus, now, settings)
        yield record(state.campus, poll, same, now, settings, settled_hash=poll.content_hash)
        yield from tell(state, poll, frozenset(), now)
        return
    reading = read(state, poll, settings)
    ruling = judge_answer(state, poll, reading, now, settings)
    if ruling.verdict == "rejected":
        yield record(state.campus, poll, ruling, now, settings, known=reading.known)
        return
    settled_hash = poll.content_hash if ruling.is_counted and not reading.missing else None
    yield record(state.campus, poll, ruling, now, settings, known=reading.known, settled_hash=settled_hash)
    yield from first_sight(poll, reading, ruling, now)
    yield from openings(state, poll, reading, now)
    closing = closed_by(state, reading, settings) if ruling.is_counted else frozenset()
    yield from closings(state, poll, closing, now, settings)
    yield from misses(state, poll, reading.missing - closing, is_counted=ruling.is_counted)
    yield from tell(state, poll, closing, now)


# what an answer is worth


def failed(campus: Campus, poll: Poll) -> Ruling:
    """No answer that could be read: nothing changes, and nothing is forgotten."""
    return Ruling("failed", poll.failure, False, campus.suspicion, campus.counts)


def judge_same(campus: Campus, now: datetime, settings: Settings) -> Ruling:
    """The same content as last time is a successful poll."""
    if not is_apart(campus, now, settings):
        return too_soon(campus, settings)
    count = campus.counts[-1] if campus.counts else 0
    return accepted(campus, count, f"the same as last time: {count} open")


def judge_answer(state: State, poll: Poll, reading: Reading, now: datetime, settings: Settings) -> Ruling:
    """Of another term or campus, empty, too soon, fallen sharply, or good: the first that holds."""
    campus = state.campus
    if is_foreign(state, poll, reading, settings):
        reason = f"none of {len(poll.listed)} sections is in the catalogue of {poll.campus}: wrong term or campus?"
        return Ruling("rejected", reason, False, campus.suspicion, campus.counts)
    is_counted = is_apart(campus, now, settings)
    if not poll.listed and state.open:
        return judge_empty(state, now, settings, is_counted=is_counted)
    if not is_counted:
        return too_soon(campus, settings)
    base = baseline(campus.counts)
    if poll.listed and base is not None and is_sharp(base, reading.known, settings):
        own = poll.listed & (state.open | reading.opened | reading.appeared)
        reason = f"{reading.known} open after {base}: closings are held"
        return judge_suspect("suspect_drop", reason, campus, own, now, settings)
    return accepted(campus, reading.known, f"{reading.known} of {len(poll.listed)} listed sections are known here")


def is_foreign(state: State, poll: Poll, reading: Reading, settings: Settings) -> bool:
    """Whether an answer shares nothing with the catalogue; without one nobody can tell."""
    if not poll.listed or not has_catalogue(state.campus, settings):
        return False
    return reading.known == len(state.unresolved & poll.listed)


def has_catalogue(campus: Campus, settings: Settings) -> bool:
    """Whether the known sections are those of a catalogue, and not those ever seen."""
    return bool(settings.catalogue_every) and campus.catalogue_size > 0


def is_apart(campus: Campus, now: datetime, settings: Settings) -> bool:
    """Whether this answer counts as one of its own; one before the last counted one does (the clock stepped back)."""
    last = campus.last_counted_at
    return last is None or not timedelta() <= now - last < settings.min_poll_gap


def too_soon(campus: Campus, settings: Settings) -> Ruling:
    """Only openings count."""
    reason = f"within {settings.min_poll_gap} of the last counted answer: only openings count"
    return Ruling("too_soon", reason, False, campus.suspicion, campus.counts)


def judge_empty(state: State, now: datetime, settings: Settings, *, is_counted: bool) -> Ruling:
    """Nothing open, while sections are known open: an outage, unless the settings let it be believed."""
    campus = state.campus
    reason = f"empty while {len(state.open)} sections are known open: nothing is closed"
    if not settings.confirm_empty or not is_counted:
        suspicion = None if is_counted else campus.suspicion
        return Ruling("suspect_empty", reason, False, suspicion, campus.counts)
    if baseline(campus.counts) == 0:
        return accepted(campus, 0, "empty, as was believed before")
    return judge_suspect("suspect_empty", reason, campus, frozenset(), now, settings)


def baseline(counts: Sequence[int]) -> int | None:
    """What a count is held against: the lower median of the last 16 accepted ones, or the last if that is more."""
    return max(median_low(counts), counts[-1]) if counts else None


def is_sharp(base: int, count: int, settings: Settings) -> bool:
    """Whether a fall is suspect; reckoned in fractions, so that no rounding moves the border."""
    share = Fraction(str(settings.drop_guard)) * base
    return base - count >= share and base - count >= settings.drop_guard_min


def judge_suspect(
    verdict: Verdict, reason: str, campus: Campus, own: frozenset[str], now: datetime, settings: Settings
) -> Ruling:
    """A suspect answer is believed once enough that agree have come over long enough a time."""
    run = campus.suspicion
    if run is None or now < run.since or len(own.symmetric_difference(run.first)) > AGREEMENT * len(run.first):
        run = Suspicion(first=sorted(own), since=now, polls=0)
    run = Suspicion(first=run.first, since=run.since, polls=run.polls + 1)
    if run.polls >= settings.confirm_polls and now - run.since >= settings.confirm_span:
        believed = f"{run.polls} answers over {now - run.since} agree: believed"
        return Ruling("confirmed", believed, True, None, [len(own)])
    return Ruling(verdict, f"{reason} ({run.polls} of {settings.confirm_polls})", False, run, campus.counts)


def accepted(campus: Campus, count: int, reason: str) -> Ruling:
    """A good answer; it ends a run of suspect ones."""
    return Ruling("accepted", reason, True, None, [*campus.counts, count][-REMEMBERED:])


def record(
    campus: Campus,
    poll: Poll,
    ruling: Ruling,
    now: datetime,
    settings: Settings,
    *,
    known: int | None = None,
    settled_hash: str | None = None,
) -> RecordPoll:
    """The poll itself, and what the next one is judged by; one within the gap does not begin another gap."""
    is_unread = ruling.verdict in ("failed", "rejected")
    is_one_more = not is_unread and is_apart(campus, now, settings)
    if poll.is_same:
        known = campus.counts[-1] if campus.counts else 0
    return RecordPoll(
        term=poll.term,
        campus=poll.campus,
        verdict=ruling.verdict,
        polled_at=now,
        content_hash=poll.content_hash,
        listed=None if poll.failure or poll.is_same else len(poll.listed),
        known=known,
        ignored=poll.ignored,
        counts=ruling.counts,
        last_counted_at=now if is_one_more else campus.last_counted_at,
        suspicion=ruling.suspicion,
        settled_hash=settled_hash,
        is_unread=is_unread,
        reason=ruling.reason,
    )


# what it changes


def read(state: State, poll: Poll, settings: Settings) -> Reading:
    """Hold an answer against what is known; without a catalogue whatever is listed is known from now on."""
    opened = poll.listed & state.closed
    missing = state.open - poll.listed
    present = len(state.open) - len(missing)
    is_all_ours = not has_catalogue(state.campus, settings)
    appeared = poll.listed - state.open - opened if is_all_ours else poll.listed & state.unknown
    absent = state.unknown - poll.listed
    return Reading(opened, appeared, missing, absent, present + len(opened) + len(appeared))


def first_sight(poll: Poll, reading: Reading, ruling: Ruling, now: datetime) -> Iterator[Decision]:
    """Sections that were never judged are stored, and nobody is told; absent ones only where misses count."""
    absent = reading.absent if ruling.is_counted else frozenset()
    if not reading.appeared and not absent:
        return
    yield StoreStates(
        term=poll.term,
        campus=poll.campus,
        open=sorted(reading.appeared),
        closed=sorted(absent),
        at=now,
        reason=f"first sight of {len(reading.appeared)} open and {len(absent)} closed sections",
    )


def openings(state: State, poll: Poll, reading: Reading, now: datetime) -> Iterator[Decision]:
    """A closed section that is listed has opened."""
    for index in sorted(reading.opened):
        yield open_event(state, poll, index, "CLOSED", now)


def open_event(state: State, poll: Poll, index: str, before: SectionStatus, now: datetime) -> OpenEvent:
    """The event that everyone who is told of this episode shares."""
    details = state.details[index]
    just_opened = before == "CLOSED"
    return OpenEvent(
        term=poll.term,
        campus=poll.campus,
        index_number=index,
        status_before=before,
        seat_delta=int(just_opened),
        episode=details.episode,
        event_at=now,
        dedupe_key=dedupe_key(poll, index, "OPEN", details.episode),
        facts=Facts(
            term=poll.term,
            campus=poll.campus,
            index_number=index,
            section_number=details.section_number,
            course=details.course,
            title=details.title,
            open_to=details.open_to,
            permission=details.permission,
            seen_at=now,
        ),
        reason="was closed and is listed" if just_opened else "was open from the start, and someone new asks",
    )


def dedupe_key(poll: Poll, index: str, status: SectionStatus, episode: int) -> str:
    """SHA-1 of ``term|campus|index|status|episode``."""
    text = f"{poll.term}|{poll.campus}|{index}|{status}|{episode}"
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


def closed_by(state: State, reading: Reading, settings: Settings) -> frozenset[str]:
    """Sections for which this miss is the last that was needed."""
    if settings.miss_threshold == 1:
        return reading.missing
    missed = state.misses.items()
    return reading.missing & {index for index, times in missed if times + 1 >= settings.miss_threshold}


def closings(state: State, poll: Poll, closing: Iterable[str], now: datetime, settings: Settings) -> Iterator[Decision]:
    """A section that was missed often enough has closed."""
    for index in sorted(closing):
        episode = state.details[index].episode
        yield CloseSection(
            term=poll.term,
            campus=poll.campus,
            index_number=index,
            episode=episode,
            event_at=now,
            dedupe_key=dedupe_key(poll, index, "CLOSED", episode),
            reason=f"missed {max(settings.miss_threshold, state.misses.get(index, 0) + 1)} times in a row",
        )


def misses(state: State, poll: Poll, missing: frozenset[str], *, is_counted: bool) -> Iterator[Decision]:
    """Open sections that are not listed are missed once more; those that are back were never closed."""
    missed = sorted(missing) if is_counted else []
    back = sorted(index for index in state.misses if index in poll.listed)
    if missed or back:
        reason = f"{len(missed)} open sections are not listed, {len(back)} are listed again"
        yield CountMisses(term=poll.term, campus=poll.campus, missed=missed, back=back, reason=reason)


# who hears of it


def tell(state: State, poll: Poll, closing: frozenset[str], now: datetime) -> Iterator[Decision]:
    """Fan out to subscriptions that were not told of this episode, and look after notifications that wait."""
    candidates = [candidate for candidate in state.candidates if is_to_be_told(state, poll, candidate)]
    for index, grouped in groupby(sorted(candidates, key=by_section), key=lambda candidate: candidate.index_number):
        yield from fan_out(state, poll, index, list(grouped), now)
    for waiting in state.deferred:
        yield from judge_deferred(state, poll, waiting, closing, now)
    for event_id, subscription_id in state.dead:
        reason = "its delivery was given up; see `pollctl outbox list`"
        yield EndNotification(event_id=event_id, subscription_id=subscription_id, status="failed", reason=reason)


def by_section(candidate: Candidate) -> tuple[str, int]:
    """The order of the fan-out."""
    return candidate.index_number, candidate.id


def is_to_be_told(state: State, poll: Poll, candidate: Candidate) -> bool:
    """Whether this answer shows the section open, and the subscriber wants to hear even if it was open before."""
    if not is_listed(poll, candidate.index_number):
        return False
    if candidate.index_number in state.closed or not candidate.unless_open:
        return True
    return candidate.opened_at is not None and candidate.opened_at > candidate.created_at


def is_listed(poll: Poll, index: str) -> bool:
    """Whether an answer holds an open section; one that is the same as last time holds all of them."""
    return poll.is_same or index in poll.listed


def fan_out(state: State, poll: Poll, index: str, candidates: Sequence[Candidate], now: datetime) -> Iterator[Decision]:
    """One notification per subscription, at once or deferred; they share the event of the episode."""
    if index not in state.closed and not any(candidate.has_event for candidate in candidates):
        yield open_event(state, poll, index, "UNKNOWN", now)
    key = dedupe_key(poll, index, "OPEN", state.details[index].episode)
    awake = [it.id for it in candidates if quiet(it.window, it.snooze_until, state.minute, now) is None]
    asleep = [it.id for it in candidates if quiet(it.window, it.snooze_until, state.minute, now) is not None]
    if awake:
        reason = f"section {index} is open; {len(awake)} to be told"
        yield FanOut(dedupe_key=key, subscriptions=awake, is_deferred=False, reason=reason)
    if asleep:
        reason = f"section {index} is open; {len(asleep)} outside their window or snoozed"
        yield FanOut(dedupe_key=key, subscriptions=asleep, is_deferred=True, reason=reason)


def judge_deferred(
    state: State, poll: Poll, waiting: Deferred, closing: frozenset[str], now: datetime
) -> Iterator[Decision]:
    """What waits goes out when its time comes and the section is still open; if it closed meanwhile, it is expired."""
    details = state.details[waiting.index_number]
    is_over = details.episode != waiting.episode or waiting.index_number in closing
    if is_over or waiting.status == "unsubscribed":
        reason = "the section closed meanwhile" if is_over else "unsubscribed meanwhile"
        yield EndNotification(
            event_id=waiting.event_id, subscription_id=waiting.subscription_id, status="expired", reason=reason
        )
        return
    is_asleep = quiet(waiting.window, waiting.snooze_until, state.minute, now) is not None
    if is_asleep or waiting.status not in ELIGIBLE or not is_listed(poll, waiting.index_number):
        return
    yield Release(
        event_id=waiting.event_id,
        dedupe_key=waiting.dedupe_key,
        subscription_id=waiting.subscription_id,
        effect_key=f"{waiting.effect_key}+"
        if waiting.effect_key
        else f"{waiting.dedupe_key}:{waiting.subscription_id}",
        reason="its time has come and the section is still open",
    )
