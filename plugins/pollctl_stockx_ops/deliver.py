"""What people are told of the ends of jobs, of a login that does not work, and of a day; the core delivers it."""

from __future__ import annotations

from typing import NamedTuple

from pollctl import Level, Run, counted, spoken_moment
from pollctl_stockx_ops.model import BreakAccount, CompleteJob, DayCounts, ExpireAccount, FailJob, Job


class News(NamedTuple):
    """A message before it has recipients."""

    title: str
    body: str
    level: Level = "info"


def listing_live(done: CompleteJob, run: Run) -> News:
    """A listing is on the market."""
    amount, currency = (done.change.ask_price, done.change.currency_code) if done.change else (None, None)
    price = "" if amount is None else f" for {amount} {currency or ''}".rstrip()
    body = f"{done.job.user_id}: on the market{price} since {spoken_moment(done.at, run.timezone)}.\n"
    title = f"StockX: listing {done.listing_id or f'of job {done.job.id}'} is live"
    return News(title, f"{body}{_origin(run)}, job {done.job.id}", "success")


def job_failed(lost: FailJob, run: Run) -> News:
    """What a job was to do was refused, or has not ended in time."""
    title = f"StockX: {_act(lost.job)} {'timed out' if lost.is_timeout else 'failed'}"
    since = f"followed since {spoken_moment(lost.job.started_at, run.timezone)}"
    how = f"`pollctl stockx-ops retry {lost.job.id}` asks once more."
    return News(title, f"{lost.job.user_id}: {lost.error_message} ({since}).\n{how}\n{_origin(run)}", "failure")


def job_partial(done: CompleteJob, run: Run) -> News:
    """Parts of what a job was to do were done."""
    why = done.error_message or "StockX does not say what is missing"
    body = f"{done.job.user_id}: done in part at {spoken_moment(done.at, run.timezone)}: {why}."
    return News(f"StockX: {_act(done.job)} succeeded in part", f"{body}\n{_origin(run)}, job {done.job.id}", "warning")


def auth_failed(broken: BreakAccount | ExpireAccount, run: Run) -> News:
    """A login is refused."""
    user = broken.user_id
    body = (
        f"Refused since {spoken_moment(run.now, run.timezone)}: {broken.reason}.\n"
        "Its jobs are not followed until you connect it again: "
        f"`pollctl stockx-ops account connect {user} --refresh-token-env NAME`.\n"
    )
    if isinstance(broken, BreakAccount) and broken.job_id:
        body += f"Job {broken.job_id} failed by it: `pollctl stockx-ops retry {broken.job_id}` brings it back then.\n"
    return News(f"StockX refuses the login of {user}", f"{body}{_origin(run)}", "failure")


def daily_summary(user: str, day: str, counts: DayCounts, run: Run) -> News:
    """How a day went."""
    return News(f"StockX on {day}: {user}", f"{summary_text(counts)}\n{_origin(run)}")


def summary_text(counts: DayCounts) -> str:
    """The jobs of a day in words."""
    return (
        f"{counted(counts.jobs, 'job')}: {counts.completed} completed, {counts.partial} partly, {counts.failed} failed, "
        f"{counts.timed_out} timed out, {counts.open} still open."
    )


def _act(job: Job) -> str:
    """A job by what it does: ``create_listing of 98e2``."""
    return f"{job.job_type} of {job.listing_id}" if job.listing_id else f"{job.job_type} (job {job.id})"


def _origin(run: Run) -> str:
    return f"stockx_ops on {run.host}"
