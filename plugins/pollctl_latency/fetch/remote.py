"""Reading the jobs kept elsewhere: page by page, and what is missing in them once more by its id (S2 and S4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from pollctl import Run, spoken_moment
from pollctl_latency.client.postgrest import PostgRest, Reply, explain
from pollctl_latency.client.remote_jobs import COLUMNS, problem
from pollctl_latency.decide.remote import is_abandoned
from pollctl_latency.model import Mirrored, RemoteJob, RemoteRead
from pollctl_latency.store.mirror.load import mirrored_jobs

if TYPE_CHECKING:
    from sqlite_utils import Database

PAGE = 1000
IDS_AT_ONCE = 100
"""So that they fit into one address."""
MIRROR = "jobs kept elsewhere"
"""What they are called where targets are named that could not be fetched."""
_AHEAD = timedelta(minutes=1)


class UnreadableError(Exception):
    """A read that failed: then no job is changed."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(explain(reply, "jobs"))
        self.is_refusal = reply.is_refusal


def read(run: Run, db: Database) -> RemoteRead:
    """Read all running jobs, and look those up by their ids that are known here and not among them."""
    rest = PostgRest(run.settings.supabase, run.send)
    known = mirrored_jobs(db)
    try:
        found = dict(_read_jobs(run, pages(rest)))
        running = [remote_id for remote_id, job in known.items() if job.status == "running" and remote_id not in found]
        ended = dict(_read_jobs(run, by_ids(rest, running)))
    except UnreadableError as error:
        _report(run, error, has_known=bool(known))
        return RemoteRead(error=str(error), needs_somebody=error.is_refusal)
    jobs = [job for job in found.values() if job is not None]
    others = [job for job in jobs if job.poller not in (None, run.settings.poller)]
    return RemoteRead(
        jobs=[job for job in jobs if _is_news(job, known.get(job.id), run)],
        ended=[job for job in ended.values() if job is not None],
        gone=[remote_id for remote_id in running if remote_id not in ended],
        others=len(others),
    )


def pages(rest: PostgRest) -> Iterator[dict[str, Any]]:
    """All running jobs, by keyset: pages that are cut by numbers lose rows when others end in between.

    Raises:
        UnreadableError: one of the pages could not be read.
    """
    last = ""
    while True:
        after = [("id", f"gt.{last}")] if last else []
        conditions = [("status", "eq.running"), ("monitoring_mode", "eq.real_polling"), ("select", COLUMNS)]
        reply = rest.get("jobs", [*conditions, ("order", "id"), *after, ("limit", str(PAGE))])
        if not reply.is_ok:
            raise UnreadableError(reply)
        if not reply.rows:
            return
        yield from reply.rows
        last = str(reply.rows[-1]["id"])


def by_ids(rest: PostgRest, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Some jobs, whatever their status.

    Raises:
        UnreadableError: they could not be read.
    """
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        reply = rest.get("jobs", [("id", f"in.({','.join(some)})"), ("select", COLUMNS)])
        if not reply.is_ok:
            raise UnreadableError(reply)
        yield from reply.rows


def _read_jobs(run: Run, rows: Iterable[dict[str, Any]]) -> Iterator[tuple[str, RemoteJob | None]]:
    """Rows by their ids; one that no rule could read is named, and is there all the same."""
    for row in rows:
        remote_id = str(row.get("id"))
        try:
            job = msgspec.convert(row, RemoteJob, strict=True)
            error = problem(job)
        except msgspec.ValidationError as invalid:
            job, error = None, str(invalid)
        if error:
            run.failed(f"{MIRROR}: {remote_id}", error)
        elif job and job.started_at - run.now > _AHEAD:
            run.log(
                f"job {remote_id} begins at {spoken_moment(job.started_at, run.timezone)}, ahead of this clock; it waits"
            )
        yield remote_id, None if error else job


def _is_news(job: RemoteJob, known: Mirrored | None, run: Run) -> bool:
    """Whether the rules must look at a job: it is not as it is known here, and not simply somebody else's."""
    is_ours = job.poller in (None, run.settings.poller)
    if known is None:
        return is_ours or is_abandoned(job, run.now)
    if known.status != "running":
        return True
    here = (known.target, known.probe, known.cadence_seconds, known.duration_seconds)
    return not is_ours or here != (job.target, job.probe, job.cadence_seconds, job.duration_seconds)


def _report(run: Run, error: UnreadableError, *, has_known: bool) -> None:
    """Name it in the outcome: partial, and failed where nothing was sampled, or where no job is known yet."""
    if has_known and not error.is_refusal:
        run.reached(MIRROR)
    run.failed(MIRROR, str(error))
