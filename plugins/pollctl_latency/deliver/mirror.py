"""Rows for the side where jobs are kept: samples, ends, latest probes and claims (S5 to S10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pollctl import DeliveryError, Effect, Run, to_text
from pollctl_latency.client.postgrest import PostgRest, Reply, explain
from pollctl_latency.client.remote_jobs import COLUMNS, problem
from pollctl_latency.model import RemoteJob, job_of_lane
from pollctl_latency.queries.mirror import latest_probes, summary_of, unsent

SAMPLE_COLUMNS = "job_id,sequence_number,status,rtt_ms,jitter_ms,error,recorded_at"
_INSERT = "resolution=ignore-duplicates,count=exact,return=minimal"
_CHANGE = "return=representation"


class Sent(NamedTuple):
    """What became of some rows: which were taken, how many of those were new, and which will never be."""

    taken: list[int]
    inserted: int
    held: list[tuple[int, str]]
    is_gone: bool = False

    def __add__(self, other: Any) -> Sent:
        return Sent(
            self.taken + other.taken,
            self.inserted + other.inserted,
            self.held + other.held,
            self.is_gone or other.is_gone,
        )


def deliver(effect: Effect, run: Run) -> Any:
    """Perform one effect.

    Raises:
        DeliveryError: it could not be done now.
    """
    rest = PostgRest(run.settings.supabase, run.send)
    match effect.kind:
        case "mirror":
            return send_samples(rest, effect, run)
        case "mirror_end":
            return send_end(rest, effect, run)
        case "mirror_claim":
            return claim(rest, effect.payload, run)
        case _:
            return send_pings(rest, run)


def send_samples(rest: PostgRest, effect: Effect, run: Run) -> dict[str, Any]:
    """Send the next samples of a job; a repeat changes nothing, as their numbers are unique there."""
    with run.reading() as db:
        batch = unsent(db, job_of_lane(effect.lane))
    if not batch.rows or not batch.is_wanted:
        return {"sent": [], "held": [], "is_gone": not batch.is_wanted, "swallowed": 0}
    sent = _insert(rest, batch.rows)
    is_fresh = (
        effect.attempt == 1 and not sent.held
    )  # of a batch that may have been sent before, rows are there already
    swallowed = len(sent.taken) - sent.inserted if is_fresh else 0
    return {"sent": sent.taken, "held": sent.held, "is_gone": sent.is_gone, "swallowed": swallowed}


def _insert(rest: PostgRest, rows: Sequence[dict[str, Any]]) -> Sent:
    """Insert rows; where one of them is not taken, halve them until it is found."""
    params = [("on_conflict", "job_id,sequence_number"), ("columns", SAMPLE_COLUMNS)]
    reply = rest.post("samples", params, rows, _INSERT)
    numbers = [row["sequence_number"] for row in rows]
    if reply.is_ok:
        return Sent(numbers, len(rows) if reply.count is None else reply.count, [])
    if reply.misses_its_job:
        return Sent([], 0, [], is_gone=True)
    if not reply.blames_a_row:
        raise failure(reply, "samples")
    if len(rows) == 1:
        return Sent([], 0, [(numbers[0], reply.reason)])
    middle = len(rows) // 2
    first = _insert(rest, rows[:middle])
    return first if first.is_gone else first + _insert(rest, rows[middle:])


def send_end(rest: PostgRest, effect: Effect, run: Run) -> dict[str, Any]:
    """Complete a job there, if it still runs; what it is there otherwise."""
    with run.reading() as db:
        remote_id, row = summary_of(db, job_of_lane(effect.lane))
    guard = [("id", f"eq.{remote_id}"), ("status", "eq.running"), ("select", "status")]
    reply = _done(rest.patch("jobs", guard, row, _CHANGE), "jobs")
    if reply.rows:
        return {"status": row["status"]}
    reply = _done(rest.get("jobs", [("id", f"eq.{remote_id}"), ("select", "status")]), "jobs")
    status = reply.rows[0]["status"] if reply.rows else None
    if status == "running":
        raise DeliveryError("the job still runs there, and its end was not taken")
    return {"status": status}


def send_pings(rest: PostgRest, run: Run) -> list[tuple[str, list[int]]]:
    """Tell the moments of the latest probes, jobs of the same moment at once, and only forward."""
    with run.reading() as db:
        groups = latest_probes(db)
    for moment, jobs in groups:
        ids = ",".join(remote_id for _, remote_id in jobs)
        older = f'(last_ping_at.is.null,last_ping_at.lt."{moment}")'
        params = [("id", f"in.({ids})"), ("or", older)]
        _done(rest.patch("jobs", params, {"last_ping_at": moment}, "return=minimal"), "jobs")
    return [(moment, [job_id for job_id, _ in jobs]) for moment, jobs in groups]


def claim(rest: PostgRest, wanted: dict[str, Any], run: Run) -> list[dict[str, Any]]:
    """Claim jobs, and ask each for its highest number: a database that was lost goes on from there."""
    me = run.settings.poller
    params = [("id", f"in.({','.join(wanted['ids'])})"), ("status", "eq.running"), ("select", COLUMNS)]
    params.append(("or", f"({holders(me, wanted['from'], wanted['silent_since'])})"))
    row = {"poller": me, "claimed_at": to_text(run.now)}
    reply = _done(rest.patch("jobs", params, row, _CHANGE), "jobs")
    return [_with_next_number(rest, row) for row in reply.rows if _is_kept(row)]


def holders(me: str, other: str | None, silent_since: str | None) -> str:
    """Whose claims give way: nobody's, our own, and those of a poller of which nothing was heard since a moment."""
    if other is None:
        return f'poller.is.null,poller.eq."{me}"'
    silent = [f'or({name}.is.null,{name}.lt."{silent_since}")' for name in ("claimed_at", "last_ping_at")]
    return f'poller.eq."{me}",and(poller.eq."{other}",{",".join(silent)})'


def _is_kept(row: dict[str, Any]) -> bool:
    import msgspec

    try:
        return not problem(msgspec.convert(row, RemoteJob))
    except msgspec.ValidationError:
        return False


def _with_next_number(rest: PostgRest, row: dict[str, Any]) -> dict[str, Any]:
    order = [("select", "sequence_number"), ("order", "sequence_number.desc"), ("limit", "1")]
    reply = _done(rest.get("samples", [("job_id", f"eq.{row['id']}"), *order]), "samples")
    return {**row, "next_number": reply.rows[0]["sequence_number"] + 1 if reply.rows else 0}


def _done(reply: Reply, table: str) -> Reply:
    if not reply.is_ok:
        raise failure(reply, table)
    return reply


def failure(reply: Reply, table: str) -> DeliveryError:
    """Why something could not be done now; it is tried again."""
    pause = reply.retry_after
    return DeliveryError(explain(reply, table), retry_after=pause.total_seconds() if pause else None)
