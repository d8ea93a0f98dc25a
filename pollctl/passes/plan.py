"""What a pass would decide now, without side effects: nothing is written, here or upstream, and no lock is needed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pollctl import clock
from pollctl.console.words import count
from pollctl.errors import PollctlError
from pollctl.fanout.local import client_of
from pollctl.passes.engine import pass_context
from pollctl.passes.outcome import Course, judge
from pollctl.passes.report import Report, as_json
from pollctl.plugin_host.configured import configure
from pollctl.plugin_host.hooks import Hooks
from pollctl.store import database, holds, runs

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.concurrency.cancellation import Stop
    from pollctl.config.settings import Config
    from pollctl.passes.context import PassContext
    from pollctl.plugin_host.discovery import Found
    from pollctl.units import Duration


def plan_pass(config: Config, found: Found, *, stop: Stop, deadline: Duration | None = None) -> Report:
    """Fetch and decide, one round at most: the report lists the decisions.

    Args:
        config: the settings.
        found: the plugin, not yet imported.
        stop: asked by signals when to end; its deadline is set here.
        deadline: instead of the one in the settings.

    Raises:
        ConfigError: the plugin's settings are wrong.
        PluginError: the plugin cannot be used at all; what its hooks raise is in the report.
        DatabaseError: the database cannot be used; where there is none yet, an empty one in memory serves.
    """
    configured = configure(config, found, check_schedule=True).within(deadline)
    configured.require_hooks()
    stop.end_in(configured.limits.deadline)
    with (
        closing(database.open_to_plan(config.core.database, configured.migrations)) as db,
        closing(client_of(config.core, stop)) as client,
    ):
        hooks = configured.held_to_contract(db).require_hooks()
        now = clock.now()
        held_until = holds.of_plugin(db, configured.name)
        run = pass_context(
            configured, runs.new_id(now), runs.new_trace_id(), now, client, stop, held_until, is_dry=True
        )
        with closing(run):
            report = _plan(hooks, run, db, stop, configured.limits.deadline)
        if report.error:
            return report
        if report.decisions:
            return msgspec.structs.replace(report, reasons=run.notes) if run.notes else report
        return msgspec.structs.replace(report, reasons=_reasons(report, run, held_until))


def _reasons(report: Report, run: PassContext, held_until: Mapping[str, datetime]) -> list[str]:
    """Why nothing would be decided: what is held, what the plugin says, or else what is known of its batches."""
    held = [
        f"held until {clock.to_text(until)}: {upstream} wants no request before"
        for upstream, until in held_until.items()
        if until > run.now
    ]
    if held or run.notes:
        return [*held, *run.notes]
    if report.batches:
        return [f"{count(report.batches, 'batch', 'batches')} fetched, and nothing in them calls for a decision"]
    return ["nothing was fetched: there is nothing to do at this moment"]


def _plan(hooks: Hooks, run: PassContext, db: Database, stop: Stop, deadline: Duration) -> Report:
    began, started_at = time.monotonic(), run.now
    decisions: list[dict[str, Any]] = []
    batches = 0
    raised: PollctlError | None = None
    try:
        for batch in hooks.batches(run, db):
            decided = hooks.decide(hooks.load(run, db, batch), batch, run.now, run.settings, run)
            decisions += [as_json(decision) for decision in decided]
            batches += 1
    except PollctlError as error:
        raised = error
    course = Course(
        error=raised,
        was_interrupted=stop.requested,
        failures=run.failures,
        has_reached=run.has_reached,
        is_past_deadline=stop.is_past_deadline,
    )
    outcome, why = judge(course, deadline)
    return Report(
        run_id=run.id,
        plugin=run.plugin,
        outcome=outcome,
        started_at=started_at,
        finished_at=clock.now(),
        duration_ms=round((time.monotonic() - began) * 1000),
        batches=batches,
        decisions=decisions,
        error=why,
    )
