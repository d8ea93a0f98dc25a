"""Jobs kept elsewhere: which are claimed, changed and ended here (S2, S7 to S9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.latency.values import NOON

from pollctl_latency.decide import decide
from pollctl_latency.decide.remote import CLAIMED_AT_ONCE, is_abandoned
from pollctl_latency.model import (
    ClaimJobs,
    CloseMirrored,
    EditJob,
    Mirrored,
    NoteMirror,
    RemoteJob,
    RemoteRead,
    Round,
    Settings,
    State,
)

ME = "pod-1"
OURS = Settings(host_id=ME)


def remote_job(**changes: Any) -> RemoteJob:
    columns = {
        "id": "a", "target": "alpha", "probe": "api", "monitoring_mode": "real_polling", "status": "running",
        "cadence_seconds": 60, "duration_seconds": 3600, "started_at": NOON, "poller": ME,
    }  # fmt: skip
    return RemoteJob(**{**columns, **changes})


def known(**changes: Any) -> Mirrored:
    columns = {
        "job_id": 7, "target": "alpha", "probe": "api", "cadence_seconds": 60, "duration_seconds": 3600, "status": "running",
        "state": "active", "is_drained": False,
    }  # fmt: skip
    return Mirrored(**{**columns, **changes})


def judged(
    read: RemoteRead, *, now: Any = NOON, claiming: Any = (), error: str = "", **mirrored: Mirrored
) -> list[Any]:
    state = State(mirrored=mirrored, claiming=list(claiming), mirror_error=error)
    note, *others = decide(state, Round(remote=read), now, OURS)
    assert isinstance(note, NoteMirror)
    return others


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"cadence_seconds": 30}, [EditJob]),
        ({"duration_seconds": 7200}, [EditJob]),
        ({"target": "beta"}, [CloseMirrored]),
        ({"probe": "icmp"}, [CloseMirrored]),
        ({"poller": "pod-2"}, [CloseMirrored]),
        ({"poller": None}, []),
    ],
    ids=["as it was", "cadence", "duration", "target", "probe", "taken over", "its claim was cleared"],
)
def test_what_changed_of_a_known_job_is_followed(changes: Any, expected: list[Any]) -> None:
    assert [type(one) for one in judged(RemoteRead(jobs=[remote_job(**changes)]), a=known())] == expected


@pytest.mark.parametrize(
    ("changes", "silence", "is_claimed"),
    [
        ({"poller": None}, 0, True),
        ({}, 0, True),
        ({"poller": "pod-2", "last_ping_at": NOON}, 600, False),
        ({"poller": "pod-2", "last_ping_at": NOON}, 600.001, True),
        ({"poller": "pod-2", "last_ping_at": NOON, "cadence_seconds": 120}, 1200, False),
        ({"poller": "pod-2", "last_ping_at": NOON, "cadence_seconds": 120}, 1200.001, True),
        ({"poller": "pod-2", "claimed_at": NOON}, 600, False),
        ({"poller": "pod-2", "claimed_at": NOON}, 600.001, True),
        ({"poller": "pod-2", "claimed_at": NOON, "last_ping_at": NOON - timedelta(days=1)}, 600, False),
    ],
    ids=[
        "nobody's", "ours, of a lost database", "silent for ten minutes", "longer", "for ten long cadences", "longer than those",
        "claimed ten minutes ago", "longer ago", "claimed anew",
    ],
)  # fmt: skip
def test_an_unknown_job_is_claimed_where_nobody_is_at_it(changes: Any, silence: float, is_claimed: bool) -> None:
    decisions = judged(RemoteRead(jobs=[remote_job(**changes)]), now=NOON + timedelta(seconds=silence))
    assert [type(one) for one in decisions] == [ClaimJobs] * is_claimed
    assert judged(RemoteRead(jobs=[remote_job(**changes)]), now=NOON + timedelta(seconds=silence), claiming=["a"]) == []


@pytest.mark.parametrize(
    ("changes", "is_claimed"),
    [
        ({"status": "cancelled", "state": "closed", "is_drained": True, "target": "beta"}, True),
        ({"status": "cancelled", "state": "closing", "is_drained": False, "target": "beta"}, False),
        ({"status": "cancelled", "state": "closed", "is_drained": True}, True),
        ({"status": "cancelled", "state": "closing", "is_drained": False}, False),
        ({"status": "completed", "state": "active", "is_drained": False}, False),
    ],
    ids=[
        "another target", "whose samples are not sent yet", "set back to running", "set back, its samples are not sent yet",
        "ended here, which the other side has not heard",
    ],
)  # fmt: skip
def test_what_runs_there_is_sampled_once_all_of_the_job_before_is_sent(changes: Any, is_claimed: bool) -> None:
    decisions = judged(RemoteRead(jobs=[remote_job()]), a=known(**changes))
    assert [type(one) for one in decisions] == [ClaimJobs] * is_claimed


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "completed"}, "completed"),
        ({"monitoring_mode": "simulated"}, "cancelled"),
        ({}, None),
    ],
    ids=["cancelled", "completed", "simulated now", "it runs, moved between two pages"],
)
def test_an_absent_job_ends_as_it_was_found(changes: Any, status: str | None) -> None:
    decisions = judged(RemoteRead(ended=[remote_job(**changes)]), a=known())
    assert [(one.status, one.is_gone) for one in decisions] == ([(status, False)] if status else [])


def test_a_job_that_is_not_there_any_more_ends_and_one_that_ended_here_stays_as_it_is() -> None:
    (closed,) = judged(RemoteRead(gone=["a"]), a=known())
    assert (closed.job_id, closed.status, closed.is_gone) == (7, "cancelled", True)
    assert judged(RemoteRead(gone=["a"]), a=known(status="completed")) == []


def test_a_failed_read_changes_no_job_and_is_news_once() -> None:
    read = RemoteRead(error="key refused (401)", needs_somebody=True)
    for before, is_news in (("", True), ("key refused (401)", False), ("503", True)):
        (note,) = decide(State(mirrored={"a": known()}, mirror_error=before), Round(remote=read), NOON, OURS)
        assert isinstance(note, NoteMirror)
        assert note.is_news is is_news
    passing = RemoteRead(error="503 PGRST002")
    (note,) = decide(State(), Round(remote=passing), NOON, OURS)
    assert isinstance(note, NoteMirror)
    assert not note.is_news


jobs = st.builds(
    remote_job,
    id=st.uuids().map(str),
    poller=st.sampled_from([None, ME, "pod-2", "pod-3"]),
    cadence_seconds=st.sampled_from([1, 60, 600]),
    last_ping_at=st.none() | st.integers(0, 10_000).map(lambda seconds: NOON - timedelta(seconds=seconds)),
    claimed_at=st.none() | st.integers(0, 10_000).map(lambda seconds: NOON - timedelta(seconds=seconds)),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(jobs, max_size=250, unique_by=lambda job: job.id))
def test_each_free_job_is_claimed_once_in_groups_that_fit_and_nobody_is_robbed(read: list[RemoteJob]) -> None:
    claims = judged(RemoteRead(jobs=read))
    claimed = [remote_id for claim in claims for remote_id in claim.remote_ids]
    by_id = {job.id: job for job in read}
    assert sorted(claimed) == sorted(job.id for job in read if job.poller in (None, ME) or is_abandoned(job, NOON))
    for claim in claims:
        assert len(claim.remote_ids) <= CLAIMED_AT_ONCE
        for job in (by_id[one] for one in claim.remote_ids):
            assert claim.from_poller == (None if job.poller in (None, ME) else job.poller)
            latest = max((moment for moment in (job.last_ping_at, job.claimed_at) if moment), default=job.started_at)
            assert claim.silent_since is None or latest < claim.silent_since
