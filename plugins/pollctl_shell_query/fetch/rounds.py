"""What a pass does, round by round: upkeep without a request, starts, polls of the runs that are due, now and then a sweep."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from pollctl import ConfigError, Run
from pollctl_shell_query.client import operations as partner
from pollctl_shell_query.client.errors import UpstreamError, scrubbed
from pollctl_shell_query.client.session import Desk
from pollctl_shell_query.decide import polls as decide
from pollctl_shell_query.fetch import poller as asking
from pollctl_shell_query.model.decisions import KEY_PREFIX, Batch, Definition, Reading, Settings
from pollctl_shell_query.store import load as store
from pollctl_shell_query.store.load import Due

if TYPE_CHECKING:
    from sqlite_utils import Database

TICK = timedelta(seconds=1)
"""How soon a round notices runs that were submitted or cancelled meanwhile."""
GRAIN = timedelta(milliseconds=50)
"""The shortest round."""
SWEEP_EVERY = timedelta(hours=1)
CONCURRENCY = 5
"""Runs asked about side by side."""
_TOGETHER_S = 0.2  # answers that come within this time are committed together
_MOST_DIGITS = 2  # 256 parts of 1,000 definitions and more each
_NEEDED = ("auth_url", "client_id", "client_secret")


def batches(run: Run, db: Database) -> Iterator[Batch]:
    """Yield what is to be done and what the upstream says, round by round, until the window closes.

    Raises:
        ConfigError: something is to be asked, and the settings do not say where or as whom.
    """
    work = Work(run, db)
    while True:
        yield from work.round()
        upcoming = store.next_poll_at(db, run.now)
        at = run.now + TICK if upcoming is None else min(run.now + TICK, max(upcoming, run.now + GRAIN))
        if work.desk.barred is not None or not run.next_round(at):
            return


class Work:
    """The rounds of one pass."""

    def __init__(self, run: Run, db: Database) -> None:
        self._run = run
        self._db = db
        self.desk = Desk.of(run)
        self._has_swept = False

    def round(self) -> Iterator[Batch]:
        """One round."""
        run, settings = self._run, self._run.settings
        upkeep = store.upkeep(self._db, run.now, settings)
        if upkeep != Batch():
            yield upkeep
        due = store.due(self._db, run.now)
        spent = [one.job.id for one in due if decide.is_spent(one.job, run.now, settings)]
        if spent:
            yield Batch(spent=spent)
        asked = [one for one in due if one.job.id not in spent]
        waiting, is_sweeping = store.waiting(self._db, settings), self._is_sweep_due()
        if (asked or waiting or is_sweeping) and self._has_token():
            if waiting or is_sweeping or any(one.job.rowset_attempts == 0 for one in asked):
                self.desk.client()  # what is wrong with the WSDL is known before anything hangs on it
            yield from self._known(waiting)
            yield from self._answers(asked)
            yield from self._swept() if is_sweeping else ()
        yield from self._known()

    def _has_token(self) -> bool:
        """Whether there is a token to ask with."""
        require_settings(self._run.settings)
        self.desk.remember(store.token(self._db))
        try:
            self.desk.token()
        except UpstreamError as trouble:
            self._tell_barred(trouble)
            return False
        return True

    def _tell_barred(self, trouble: UpstreamError) -> None:
        """A token endpoint that wants no request now is no failure; one that refuses fails the pass."""
        if trouble.kind == "token":
            self._run.failed("token endpoint", str(trouble))

    def _known(self, waiting: Sequence[str] = ()) -> Iterator[Batch]:
        """What later passes must know, and the runs that may be started."""
        token, holds = self.desk.take_unsaved()
        batch = Batch(token=token, holds=holds, waiting=list(waiting))
        if batch != Batch():
            yield batch

    def _answers(self, due: Sequence[Due]) -> Iterator[Batch]:
        """Ask about the runs side by side, and yield what came."""
        readings: list[Reading] = []
        if not due:
            return
        began, patience = time.monotonic(), max(1.0, self._run.remaining)
        for result in self._run.map(self._ask, due, concurrency=CONCURRENCY, timeout=patience):
            one: Due = result.item
            if result.error is not None and result.error.kind == "raised":
                self._run.failed(f"run {one.job.id}", result.error.message)
            elif isinstance(result.value, Reading):
                self._tell(result.value)
                readings.append(result.value)
            if readings and time.monotonic() - began > _TOGETHER_S:
                yield Batch(readings=readings)
                readings = []
        if readings:
            yield Batch(readings=readings)
        if self.desk.barred is not None:
            self._tell_barred(self.desk.barred)

    def _ask(self, due: Due) -> Reading | None:
        """Ask about one run, in a worker thread."""
        try:
            return asking.ask(self.desk, due, self._run.now, self._run.settings)
        except UpstreamError:
            return None  # there is no token: the desk is barred, which is told once

    def _tell(self, reading: Reading) -> None:
        """Let the pass know whether a run was answered; rows that cannot be read yet are an answer."""
        if reading.trouble and not reading.is_refused:
            self._run.failed(f"run {reading.run_id}", reading.trouble)
        else:
            self._run.reached(f"run {reading.run_id}")

    # the sweep

    def _is_sweep_due(self) -> bool:
        """Whether definitions may have been left behind, and nobody looked for an hour."""
        now, settings = self._run.now, self._run.settings
        return not self._has_swept and store.is_sweep_due(self._db, now - settings.sweep_after, now - SWEEP_EVERY)

    def _swept(self) -> Iterator[Batch]:
        self._has_swept = True
        try:
            found = self._definitions()
        except UpstreamError as trouble:
            if not trouble.is_of_the_pass:
                self._run.failed("sweep", scrubbed(str(trouble), None))
            return
        self._run.reached("sweep")
        yield Batch(definitions=found)

    def _definitions(self) -> list[Definition]:
        """All definitions of ours; or, where they are too many for one answer, a part of them, another one each hour.

        Keys go on with random hexadecimal digits, and so do the parts with those of the hour, the lowest first.
        """
        hour = f"{int(self._run.now.timestamp()) // 3600:x}"[::-1]
        for digits in range(_MOST_DIGITS + 1):
            try:
                return partner.definitions(self.desk, KEY_PREFIX + hour[:digits])
            except UpstreamError as trouble:
                if trouble.kind != "large" or digits == _MOST_DIGITS:
                    raise
        raise AssertionError


def require_settings(settings: Settings) -> None:
    """Refuse to ask when the settings do not say where, or as whom.

    Raises:
        ConfigError: what is missing, and how to write it.
    """
    missing = [name for name in _NEEDED if not getattr(settings, name)]
    if missing:
        raise ConfigError(*map(_how_to_set, missing))


def _how_to_set(name: str) -> str:
    example = (
        '"https://SUBDOMAIN.auth.marketingcloudapis.com"'
        if name == "auth_url"
        else f'{{ env = "SFMC_{name.upper()}" }}'
    )
    return f"[plugins.shell_query] {name} is empty; write {name} = {example}"
