"""Rounds: what a pass requests, in which order, and the batches that become of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pollctl import Answer, Request, Run
from pollctl_soc_sections.client import Target, read_catalogue, read_poll
from pollctl_soc_sections.model import Catalogue, FetchState, Poll
from pollctl_soc_sections.store import fetch_states

if TYPE_CHECKING:
    from sqlite_utils import Database

RETRY_CATALOGUE = timedelta(minutes=15)
"""How soon a catalogue that could not be read is requested again, where there is an old one or it was empty."""
CATALOGUE_SECONDS = 20.0
"""Total time for one catalogue."""
CATALOGUES_SHARE = 0.5
"""Of the time that is left to the pass: catalogues that do not come may take this share; the rest is for polls and deliveries."""
SOONEST_SECONDS = 1.0
"""A catalogue that would get less time is left to the next pass."""
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def batches(run: Run, db: Database) -> Iterator[Poll | Catalogue]:
    """Yield a batch per answer: catalogues where there are none, then the open sections, then stale catalogues.

    So that the first poll of a campus knows what to count, and no later one waits for a catalogue.
    """
    stale = stale_targets(targets(run, db), run.now, run.settings.catalogue_every)
    yield from _catalogues(run, [target for target in stale if not target.state.catalogue_size])
    yield from _polls(run, targets(run, db))
    yield from _catalogues(run, [target for target in stale if target.state.catalogue_size])


def targets(run: Run, db: Database) -> list[Target]:
    """Every term and campus of the settings, with what is stored about it by now."""
    states = fetch_states(db)
    return [
        Target(term, campus, states.get((term, campus), FetchState())) for term, campus in run.settings.polled(run.now)
    ]


def stale_targets(targets: Sequence[Target], now: datetime, every: timedelta) -> list[Target]:
    """Whose catalogue has had its time; what was requested longest ago first, so that one that hangs hides no other."""
    stale = [target for target in targets if is_stale(target.state, now, every)]
    return sorted(stale, key=lambda target: target.state.tried_at or _LONG_AGO)


def is_stale(state: FetchState, now: datetime, every: timedelta) -> bool:
    """Whether a catalogue has had its time, or failed and may be tried again; ``0s`` is never."""
    if not every:
        return False
    if state.has_failed_first or state.tried_at is None:
        return True
    is_good = state.catalogue_size > 0 and state.read_at == state.tried_at
    return not timedelta() <= now - state.tried_at < (every if is_good else min(every, RETRY_CATALOGUE))


def _polls(run: Run, targets: Sequence[Target]) -> Iterator[Poll]:
    for answer in _answers(run, targets, "openSections"):
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
        for answer in _answers(run, targets[start : start + at_a_time], "courses", timeout=allowed):
            yield _catalogue(run, answer)


def _catalogue(run: Run, answer: Answer) -> Catalogue:
    target = answer.request.tag
    catalogue = read_catalogue(answer, run.now)
    if catalogue.failure:
        run.failed(f"catalogue of {target}", catalogue.failure)
    else:
        run.reached(f"catalogue of {target}")
    return catalogue


def _answers(run: Run, targets: Sequence[Target], page: str, *, timeout: float | None = None) -> Iterator[Answer]:
    """Request the targets side by side, but none any more once the upstream wants no request."""

    def requests() -> Iterator[Request]:
        for target in targets:
            if run.held_until(run.settings.upstream) is None:
                yield target.request(run, page, timeout=timeout)

    for answer in run.get_many(requests(), concurrency=run.settings.concurrency):
        if answer.error is None or answer.error.kind not in ("deadline", "stopped"):
            yield answer
