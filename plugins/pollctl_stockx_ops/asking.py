"""Asking about the jobs of one pass: wave by wave, each account's login tried out by one job before the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from pollctl import Answer, Request, Result, Run
from pollctl_stockx_ops import answers, tokens
from pollctl_stockx_ops.gate import Gate
from pollctl_stockx_ops.model import SAID, Batch, Expired, Hold, Reply, Tokens
from pollctl_stockx_ops.store import Due, Login

CONCURRENCY = 4
"""Requests under way at a time: enough for a few a second even while answers take seconds."""
_UNAUTHORIZED = 401
_ANSWERS = (400, 403, 404, 422, 429)  # those that say something about the operation, or about our pace


class Standing:
    """How one account's login does in this pass.

    Attributes:
        is_tried: whether a job was answered with the present token, so that others may be asked side by side.
        is_refused: whether the present token was answered with 401.
        was_refreshed: whether the one refresh of this pass was made, or cannot be.
        is_out: whether its jobs are left alone for the rest of the pass.
        trouble: why its token could not be refreshed.
    """

    def __init__(self, login: Login) -> None:
        self.login = login
        self.is_tried = False
        self.is_refused = False
        self.was_refreshed = False
        self.is_out = False
        self.trouble = ""


class Asking:
    """The requests of one pass; everything that leaves for the upstream goes through one gate.

    Args:
        run: the pass.
        gate: keeps the rate.
    """

    def __init__(self, run: Run, gate: Gate) -> None:
        self._run = run
        self._gate = gate
        self._standings: dict[str, Standing] = {}
        self._holds: dict[str, Hold] = {}
        self._hosts = (_host(run.settings.base_url), _host(run.settings.token_url))

    @property
    def is_over(self) -> bool:
        """Whether nothing may be asked: the upstream wants a pause, or the pass must end."""
        return self._gate.is_shut or self._run.is_stopping or self._run.held_until(self._hosts[0]) is not None

    def go(self, due: Sequence[Due], logins: Mapping[str, Login]) -> Iterator[Batch]:
        """Ask about each job once, or twice when its login had to be refreshed, and yield what came as it came."""
        for user, login in logins.items():
            self._standings.setdefault(user, Standing(login))
        left = [job for job in due if job.user_id in self._standings]
        tried: list[Reply] = []
        while left and not self.is_over:
            yield from self._refresh(left)
            wave, later = self._next_wave(left)
            yield from self._unrefreshed(left)
            if not wave:
                break
            again: list[Due] = []
            for results in self._landed(wave):
                tried += [reply for result in results if (reply := self._reply(result, again))]
                # While others wait for this wave to end, a commit would hold them up: it comes with their answers.
                if (tried or self._holds) and not later:
                    yield Batch(replies=tried, holds=self._new_holds())
                    tried = []
            left = [job for job in (*again, *later) if not self._standings[job.user_id].is_out]
        if tried or self._holds:
            yield Batch(replies=tried, holds=self._new_holds())

    def _next_wave(self, left: Sequence[Due]) -> tuple[list[Due], list[Due]]:
        """Whom to ask now, the oldest first, and whom later: of an account not tried yet only one."""
        wave: list[Due] = []
        later: list[Due] = []
        tried: set[str] = set()
        for job in left:
            standing = self._standings[job.user_id]
            if standing.is_out or standing.trouble:
                continue
            (wave if standing.is_tried or job.user_id not in tried else later).append(job)
            tried.add(job.user_id)
        return wave, later

    # logins

    def _refresh(self, left: Sequence[Due]) -> Iterator[Batch]:
        """Refresh the logins that need it, each in a batch of its own: a new refresh token must not be lost."""
        for user in dict.fromkeys(job.user_id for job in left):
            standing = self._standings[user]
            if standing.was_refreshed or not self._needs_refresh(standing) or self.is_over:
                continue
            fresh = self._ask_for_tokens(standing)
            if isinstance(fresh, Tokens):
                standing.login = standing.login._replace(access_token=fresh.access_token, expires_at=fresh.expires_at)
                standing.is_refused = standing.is_tried = False
                yield Batch(tokens=[fresh])
            elif isinstance(fresh, Expired):
                standing.is_out = True
                self._run.failed(f"account {user}", "its login has expired: connect it again")
                yield Batch(expired=[fresh])
            elif self._holds:
                yield Batch(holds=self._new_holds())

    def _needs_refresh(self, standing: Standing) -> bool:
        return standing.is_refused or not tokens.is_fresh(standing.login, self._run.now)

    def _ask_for_tokens(self, standing: Standing) -> Tokens | Expired | None:
        """Refresh a login; None leaves its jobs as they are, or with the trouble that came."""
        user = standing.login.user_id
        if self._run.is_dry:
            standing.was_refreshed = standing.is_out = True
            self._run.failed(f"account {user}", "its token must be refreshed, which a plan does not do")
            return None
        if self._run.held_until(self._hosts[1]) or not self._gate.enter():
            standing.is_out = True
            return None
        standing.was_refreshed = True
        answer = self._send(tokens.request_for(standing.login, self._run.settings))
        if answer.error is not None and answer.error.kind in answers.CUT:
            standing.is_out = True
            return None
        if hold := answers.hold_of(answer, self._hosts[1], self._run.now):
            self._gate.shut()
            self._holds[hold.host] = hold
        fresh = tokens.read(answer, standing.login)
        if isinstance(fresh, str):
            standing.trouble = fresh
            self._run.failed(f"account {user}", fresh)
            return None
        return fresh

    def _unrefreshed(self, left: Sequence[Due]) -> Iterator[Batch]:
        """What becomes of jobs whose login could not be refreshed now: they are asked about later."""
        replies = []
        for job in left:
            standing = self._standings[job.user_id]
            if standing.trouble and not standing.is_out:
                reply = Reply(
                    job_id=job.job_id,
                    attempt=job.attempt,
                    connection=standing.login.connection,
                    status=0,
                    trouble=standing.trouble,
                )
                replies.append(reply)
        for standing in self._standings.values():
            standing.is_out = standing.is_out or bool(standing.trouble)
        if replies:
            yield Batch(replies=replies)

    # jobs

    def _landed(self, wave: Sequence[Due]) -> Iterator[list[Result]]:
        """Ask about jobs side by side and yield what has landed, as much at a time as there is.

        A thread of its own takes the results in, so that requests go on while a batch is committed. When the pass must
        end, all the rest comes at once, because nobody will come for more.
        """
        landings: SimpleQueue[Result | Exception | None] = SimpleQueue()

        def follow() -> None:
            try:
                patience = max(1.0, self._run.remaining)
                for result in self._run.map(self._ask, wave, concurrency=CONCURRENCY, timeout=patience):
                    landings.put(result)
            except Exception as error:  # noqa: BLE001 - raised again where the pass waits
                landings.put(error)
            landings.put(None)

        Thread(target=follow, daemon=True, name="stockx-asking").start()
        landed: list[Result] = []
        while (landing := landings.get()) is not None:
            if isinstance(landing, Exception):
                raise landing
            landed.append(landing)
            if landings.empty() and not self._run.is_stopping:
                yield landed
                landed = []
        if landed:
            yield landed

    def _ask(self, due: Due) -> Reply | None:
        """Ask about one job, in a worker thread; None when it was not asked after all."""
        standing = self._standings[due.user_id]
        request = answers.request_for(due, standing.login, self._run.settings)
        if standing.is_refused or not self._gate.enter() or standing.is_refused:
            return None
        answer = self._send(request)
        if answer.error is not None and answer.error.kind in answers.CUT:
            return None
        if hold := answers.hold_of(answer, self._hosts[0], self._run.now):
            self._holds[hold.host] = hold
        if hold or answer.status == 429:  # noqa: PLR2004
            self._gate.shut()
        standing.is_refused = standing.is_refused or answer.status == _UNAUTHORIZED
        return answers.read(answer, due, standing.login, self._run.now, self._run.settings)

    def _send(self, request: Request) -> Answer:
        """Make an exchange that the gate has let through."""
        try:
            return self._run.send(request)
        finally:
            self._gate.leave()

    def _reply(self, result: Result, again: list[Due]) -> Reply | None:
        """The reply about a job, if it is one to decide by; else the job may be put to those asked *again*."""
        due: Due = result.item
        standing = self._standings[due.user_id]
        if result.error is not None:
            return self._surprise(due, standing, result)
        reply: Reply | None = result.value
        if reply is None or reply.status == _UNAUTHORIZED:
            if not standing.was_refreshed:
                again.append(due)
                return None
            standing.is_out = standing.is_out or standing.is_refused
            if reply is not None:
                self._run.failed(f"account {due.user_id}", "StockX refuses its login: connect it again")
            return reply
        standing.is_tried = True
        self._tell(due, reply)
        return reply

    def _surprise(self, due: Due, standing: Standing, result: Result) -> Reply | None:
        """Whatever else one job does, the others go on; it is asked about later, and named."""
        if result.error is None or result.error.kind in answers.CUT:
            return None
        trouble = answers.shown(result.error.message)
        self._run.failed(f"job {due.job_id}", trouble)
        return Reply(
            job_id=due.job_id,
            attempt=due.attempt,
            connection=standing.login.connection,
            status=0,
            trouble=trouble,
        )

    def _tell(self, due: Due, reply: Reply) -> None:
        """Let the pass know whether a job was answered; a wish for a pause is an answer."""
        known = SAID[self._run.settings.dialect]
        if not reply.trouble and reply.word not in known:
            self._run.log(f"job {due.job_id}: unknown state {reply.word!r}; taken as in progress")
        if reply.trouble and reply.status not in _ANSWERS:
            self._run.failed(f"job {due.job_id}", reply.trouble)
        else:
            self._run.reached(f"job {due.job_id}")

    def _new_holds(self) -> list[Hold]:
        return [self._holds.pop(host) for host in list(self._holds)]


def _host(url: str) -> str:
    parts: Any = urlsplit(url)
    return str(parts.netloc).rpartition("@")[2].lower()
