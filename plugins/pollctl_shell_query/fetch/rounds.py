"""The rounds of a pass: upkeep without a request, starts, polls of the runs that are due, now and then a sweep."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from pollctl import Run
from pollctl_shell_query.client.errors import UpstreamError
from pollctl_shell_query.client.session import session_of
from pollctl_shell_query.client.sql_removal import without_sql
from pollctl_shell_query.client.tokens import require_settings
from pollctl_shell_query.decide.gates import is_exhausted
from pollctl_shell_query.fetch import sweep
from pollctl_shell_query.fetch.poller import poll
from pollctl_shell_query.model import Batch, PollResponse
from pollctl_shell_query.store import selection
from pollctl_shell_query.store.selection import DueRun
from pollctl_shell_query.store.tokens import kept_token

if TYPE_CHECKING:
    from sqlite_utils import Database

LONGEST_PAUSE = timedelta(seconds=1)
"""How soon the next round notices runs that were submitted or cancelled meanwhile."""
SHORTEST_PAUSE = timedelta(milliseconds=50)
CONCURRENCY = 5
"""Runs asked about side by side."""
_TOGETHER_S = 0.2  # answers that come within this time are committed together


def batches(run: Run, db: Database) -> Iterator[Batch]:
    """Yield what is to be done and what the upstream answers, round by round, until the window closes.

    Raises:
        ConfigError: something is to be asked, and the settings do not say where or as who.
    """
    rounds = Rounds(run, db)
    while True:
        yield from rounds.round()
        upcoming = selection.next_poll_at(db, run.now)
        at = run.now + LONGEST_PAUSE
        if upcoming is not None:
            at = min(at, max(upcoming, run.now + SHORTEST_PAUSE))
        if rounds.is_without_token or not run.next_round(at):
            return


class Rounds:
    """The rounds of one pass."""

    def __init__(self, run: Run, db: Database) -> None:
        self._run = run
        self._db = db
        self._session = session_of(run)
        self._has_swept = False

    @property
    def is_without_token(self) -> bool:
        """Whether a token was refused, so that nothing more can be asked in this pass."""
        return self._session.token_error is not None

    def round(self) -> Iterator[Batch]:
        """One round."""
        run, settings = self._run, self._run.settings
        upkeep = selection.upkeep(self._db, run.now, settings)
        if upkeep != Batch():
            yield upkeep
        due = selection.due(self._db, run.now)
        exhausted = [one.job.id for one in due if is_exhausted(one.job, run.now, settings)]
        if exhausted:
            yield Batch(exhausted=exhausted)
        yield from self._ask([one for one in due if one.job.id not in exhausted])
        yield from self._unsaved()

    def _ask(self, due: Sequence[DueRun]) -> Iterator[Batch]:
        """Whatever takes a request: starts, polls, a sweep."""
        waiting, is_sweeping = selection.waiting(self._db, self._run.settings), self._is_sweep_due()
        if not (due or waiting or is_sweeping) or not self._has_token():
            return
        if waiting or is_sweeping or any(one.job.rowset_attempts == 0 for one in due):
            self._session.soap_client()  # what is wrong with the WSDL is known before anything depends on it
        yield from self._unsaved(waiting)
        yield from self._polls(due)
        if is_sweeping:
            yield from self._sweep()

    def _has_token(self) -> bool:
        """Whether there is a token to ask with."""
        require_settings(self._run.settings)
        self._session.reuse(kept_token(self._db))
        try:
            self._session.token()
        except UpstreamError as error:
            self._report_token(error)
            return False
        return True

    def _report_token(self, error: UpstreamError) -> None:
        """A token endpoint that wants no request now is not a failure; one that refuses fails the pass."""
        if error.kind == "token":
            self._run.failed("token endpoint", str(error))

    def _unsaved(self, waiting: Sequence[str] = ()) -> Iterator[Batch]:
        """What later passes must know of the upstream, and the runs that may be started."""
        token, holds = self._session.take_unsaved()
        batch = Batch(token=token, holds=holds, waiting=list(waiting))
        if batch != Batch():
            yield batch

    # polls

    def _polls(self, due: Sequence[DueRun]) -> Iterator[Batch]:
        """Ask about the runs side by side, and yield what came."""
        if not due:
            return
        responses: list[PollResponse] = []
        began, patience = time.monotonic(), max(1.0, self._run.remaining)
        for result in self._run.map(self._poll, due, concurrency=CONCURRENCY, timeout=patience):
            one: DueRun = result.item
            if result.error is not None and result.error.kind == "raised":
                self._run.failed(f"run {one.job.id}", result.error.message)
            elif isinstance(result.value, PollResponse):
                self._report(result.value)
                responses.append(result.value)
            if responses and time.monotonic() - began > _TOGETHER_S:
                yield Batch(responses=responses)
                responses = []
        if responses:
            yield Batch(responses=responses)
        if self._session.token_error is not None:
            self._report_token(self._session.token_error)

    def _poll(self, due: DueRun) -> PollResponse | None:
        """Ask about one run, in a worker thread."""
        try:
            return poll(self._session, due, self._run.now, self._run.settings)
        except UpstreamError:
            return None  # there is no token, which is reported once for all runs

    def _report(self, response: PollResponse) -> None:
        """Let the pass know whether a run was answered; rows that cannot be read yet are an answer."""
        if response.request_error:
            self._run.failed(f"run {response.run_id}", response.request_error)
        else:
            self._run.reached(f"run {response.run_id}")

    # the sweep

    def _is_sweep_due(self) -> bool:
        return not self._has_swept and sweep.is_due(self._db, self._run.now, self._run.settings)

    def _sweep(self) -> Iterator[Batch]:
        self._has_swept = True
        try:
            found = sweep.definitions(self._session, self._run.now)
        except UpstreamError as error:
            if not error.is_of_the_pass:
                self._run.failed("sweep", without_sql(str(error), None))
            return
        self._run.reached("sweep")
        yield Batch(definitions=found)
