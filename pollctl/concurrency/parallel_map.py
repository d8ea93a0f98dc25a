"""Calls side by side that end in time: ``run.map``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pollctl import clock
from pollctl.api.values import FetchError, Result
from pollctl.concurrency.call import Call
from pollctl.concurrency.cancellation import Stop
from pollctl.concurrency.rate_limit import RateLimiter
from pollctl.concurrency.worker_pool import make_all
from pollctl.redaction import redact


def map_bounded(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    concurrency: int,
    timeout: float,
    stop: Stop,
    rate: str = "",
) -> Iterator[Result]:
    """Call *function* for each item side by side and yield results as they come, never an exception.

    Args:
        function: called in worker threads.
        items: taken as room comes free, in the caller's thread.
        concurrency: how many calls run side by side.
        timeout: seconds that a call may take; then its result is an error and its thread is left to itself.
        stop: past its deadline, or when a signal came, no further item is taken; past the deadline those in flight are
            given up. After a signal they may run until *timeout*, because cutting them off could do harm.
        rate: ``"1/s"`` or ``"30/m"`` for evenly spaced starts.

    Raises:
        ValueError: *rate* is not a valid rate.
    """
    limiter = RateLimiter(rate, lambda _: "")
    calls = (Call(item, allowed=timeout, is_patient=True) for item in items)
    made = make_all(lambda call: function(call.item), calls, concurrency=concurrency, stop=stop, limiter=limiter)
    return map(_result, made)


def _result(call: Call) -> Result:
    return Result(
        item=call.item,
        value=call.value,
        started_at=call.started_at or clock.now(),
        elapsed_ms=call.elapsed_ms,
        error=_error(call),
    )


def _error(call: Call) -> FetchError | None:
    if call.raised is not None:
        return FetchError(kind="raised", message=redact(f"{type(call.raised).__name__}: {call.raised}"))
    if call.cut is None:
        return None
    if call.cut == "timeout":
        return FetchError(kind="timeout", message=f"no result within {call.allowed:g} s")
    why = "the pass reached its deadline" if call.cut == "deadline" else "a signal ended the pass"
    return FetchError(kind=call.cut, message=f"{why} {'before the result came' if call.begun else 'before the start'}")
