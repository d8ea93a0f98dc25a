"""What people are told of a listing that went live, a login that broke, and a day; the core delivers it."""

from __future__ import annotations

from typing import NamedTuple

from pollctl import Level, Run, counted, spoken_moment
from pollctl_stockx_ops.model import BreakAccount, CompleteJob, DayCounts


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


def auth_failed(broken: BreakAccount, run: Run) -> News:
    """A login is refused."""
    user = broken.user_id
    body = (
        f"Refused since {spoken_moment(run.now, run.timezone)}: {broken.reason}.\n"
        "Its jobs are not followed until you connect it again: "
        f"`pollctl stockx-ops account connect {user} --refresh-token-env NAME`.\n{_origin(run)}"
    )
    return News(f"StockX refuses the login of {user}", body, "failure")


def daily_summary(user: str, day: str, counts: DayCounts, run: Run) -> News:
    """How a day went."""
    return News(f"StockX on {day}: {user}", f"{summary_text(counts)}\n{_origin(run)}")


def summary_text(counts: DayCounts) -> str:
    """The jobs of a day in words."""
    return (
        f"{counted(counts.jobs, 'job')}: {counts.completed} completed, {counts.partial} partly, {counts.failed} failed, "
        f"{counts.timed_out} timed out, {counts.open} still open."
    )


def _origin(run: Run) -> str:
    return f"stockx_ops on {run.host}"
