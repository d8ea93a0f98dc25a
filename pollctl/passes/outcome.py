"""The one ladder from what happened in a pass to its outcome, for passes and for plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pollctl.console.words import count
from pollctl.passes.report import described, explain, unreached

if TYPE_CHECKING:
    from pollctl.api.outcomes import Outcome
    from pollctl.errors import PollctlError
    from pollctl.units import Duration

Judged = tuple["Outcome", Mapping[str, Any] | None]
"""An outcome, and what to say about it: ``type`` and ``message``, and the ``targets`` that could not be fetched."""


class Course(Struct, frozen=True, kw_only=True):
    """What happened in a pass, as far as its outcome depends on it.

    Attributes:
        error: what ended it.
        was_interrupted: whether a signal asked for the end.
        failures: why targets could not be fetched, by target.
        has_reached: whether any target was, or none of the failures counts.
        is_past_deadline: whether the deadline came before the end.
        undelivered: how many effects could not be delivered.
    """

    error: PollctlError | None = None
    was_interrupted: bool = False
    failures: Mapping[str, str] = {}
    has_reached: bool = False
    is_past_deadline: bool = False
    undelivered: int = 0


def judge(course: Course, deadline: Duration) -> Judged:
    """The outcome of a pass or a plan (core §1.7)."""
    if course.error is not None:
        return "failed", explain(course.error)
    if course.was_interrupted:
        return "interrupted", None
    if course.failures:
        return "partial" if course.has_reached else "failed", unreached(course.failures)
    if course.is_past_deadline:
        return "partial", described("Deadline", f"the deadline of {deadline} came before the end")
    if course.undelivered:
        some = f"{count(course.undelivered, 'effect')} could not be delivered; see `pollctl outbox list`"
        return "partial", described("Undelivered", some)
    return "ok", None
