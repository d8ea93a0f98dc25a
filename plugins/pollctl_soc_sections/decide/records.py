"""What is kept of a poll: the poll itself, what the next one is judged by, and what people must know of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha1

from msgspec.structs import replace

from pollctl_soc_sections.decide.comparison import Comparison
from pollctl_soc_sections.decide.full_campus import holds_others
from pollctl_soc_sections.decide.held import ACCEPTED, Doubt, doubt, next_run, tell_operators
from pollctl_soc_sections.decide.verdicts import Ruling, is_apart
from pollctl_soc_sections.model import Campus, Decision, KeepAnswer, Memory, Poll, RecordPoll, Settings, State


def conclude(
    state: State, poll: Poll, ruling: Ruling, now: datetime, settings: Settings, comparison: Comparison | None = None
) -> Iterator[Decision]:
    """Record a poll; *comparison* is that of an answer which had to be parsed."""
    campus = state.campus
    memory = remember(state, poll, ruling, now, settings, comparison)
    found = doubt(memory, now, settings)
    memory = replace(memory, doubted_since=found.since if found else None)
    yield record(campus, poll, ruling, now, memory, comparison, found)
    yield from tell_operators(campus, poll, found, ruling.reason)
    if memory.accepted_digest != campus.accepted_digest:
        reason = "the upstream lists other campuses too: what they list is held against this answer"
        yield KeepAnswer(term=poll.term, campus=poll.campus, listed=sorted(poll.listed), reason=reason)


def record(
    campus: Campus,
    poll: Poll,
    ruling: Ruling,
    now: datetime,
    memory: Memory,
    comparison: Comparison | None,
    found: Doubt | None,
) -> RecordPoll:
    """The poll itself; the counts of an answer that is the same as the last are those of the last."""
    known = comparison.known if comparison else None
    if poll.is_same:
        known = campus.counts[-1] if campus.counts else 0
    return RecordPoll(
        term=poll.term,
        campus=poll.campus,
        verdict=ruling.verdict,
        polled_at=now,
        content_hash=poll.content_hash,
        listed=None if poll.failure else memory.listed,
        known=known,
        ignored=0 if poll.failure else memory.ignored,
        is_unread=ruling.verdict in ("failed", "rejected"),
        duration_ms=poll.duration_ms,
        remembered=memory,
        doubt=why_in_doubt(ruling, found),
        reason=ruling.reason,
    )


def why_in_doubt(ruling: Ruling, found: Doubt | None) -> str:
    """Why the pass is partial at best, beyond what could not be requested."""
    if ruling.verdict == "failed":
        return ""
    if found is not None:
        return f"{found.what} for so long that nobody can say what is open: {ruling.reason}"
    return ruling.reason if ruling.verdict == "rejected" else ""


def remember(
    state: State, poll: Poll, ruling: Ruling, now: datetime, settings: Settings, comparison: Comparison | None
) -> Memory:
    """What the next poll is judged by; one within the gap does not begin another gap."""
    campus, verdict = state.campus, ruling.verdict
    if poll.failure:
        return replace(as_memory(campus), failing_since=min(campus.failing_since or now, now))
    memory = replace(
        as_memory(campus),
        counts=ruling.counts,
        suspicion=ruling.suspicion,
        last_counted_at=now if verdict != "rejected" and is_apart(campus, now, settings) else campus.last_counted_at,
        accepted_at=now if verdict in ACCEPTED else campus.accepted_at,
        failing_since=None,
    )
    if comparison is None:
        return replace(memory, settled_hash=poll.content_hash, held=None if verdict in ACCEPTED else campus.held)
    is_settled = ruling.is_counted and not comparison.missing
    present = poll.listed & (state.open | comparison.opened | comparison.appeared)
    return replace(
        memory,
        settled_hash=poll.content_hash if is_settled else None,
        listed=len(poll.listed),
        ignored=poll.ignored,
        held=next_run(campus.held, ruling, present, now),
        **evidence(state, poll, ruling, comparison, settings),
    )


def as_memory(campus: Campus) -> Memory:
    """What was remembered of a campus until now."""
    return Memory(**{name: getattr(campus, name) for name in Memory.__struct_fields__})


def evidence(
    state: State, poll: Poll, ruling: Ruling, comparison: Comparison, settings: Settings
) -> dict[str, bool | str]:
    """Whether the upstream ignores the campus, and then what an answer for a full campus is held against."""
    if ruling.verdict not in ACCEPTED:
        return {}
    if not state.campus.ignores_campus and not holds_others(state, poll, comparison, settings):
        return {}
    digest = sha1(" ".join(sorted(poll.listed)).encode(), usedforsecurity=False).hexdigest()
    return {"ignores_campus": True, "accepted_digest": digest}
