"""Asking about the jobs of a pass: wave by wave, each account's login tried out by one job before the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from queue import SimpleQueue
from threading import Thread

from msgspec.structs import replace

from pollctl import Result, Run, from_text, to_text
from pollctl_stockx_ops.client import responses
from pollctl_stockx_ops.client.fields import safe_text
from pollctl_stockx_ops.client.requests import operation_request
from pollctl_stockx_ops.client.session import CUT_OFF, ApiSession
from pollctl_stockx_ops.fetch.logins import ENDED, Logins, LoginState, not_asked
from pollctl_stockx_ops.model import OPERATION_STATUS, Batch, DueJob, Login, Response

CONCURRENCY = 4
"""Requests in flight at a time: enough for a few a second even while answers take seconds."""
_ANSWERS = (400, 404, 422, 429)  # those that say something about the operation, or about our rate

_WALL = "every request was answered 403 Forbidden: [plugins.stockx_ops] api_key is wrong, or a wall keeps programs out"


class JobPoller:
    """Asks about the jobs of one pass, round by round.

    Args:
        run: the pass.
        session: sends the requests.
    """

    def __init__(self, run: Run, session: ApiSession) -> None:
        self._run = run
        self._session = session
        self._logins = Logins(run, session)
        self._forbidden: list[Response] = []
        self._statuses: set[int] = set()
        self._all_statuses: set[int] = set()
        self._has_failed = False

    @property
    def is_over(self) -> bool:
        """Whether no job may be asked about any more in this pass."""
        return self._session.is_over

    def poll(self, due: Sequence[DueJob], logins: Mapping[str, Login]) -> Iterator[Batch]:
        """Ask about each job once, or twice when its login had to be refreshed, and yield the responses as they come.

        Those that have waited longest come first. What was answered 403 comes last: what that means depends on the others.
        """
        self._statuses = set()
        yield from self._ask_all(sorted(due, key=self._due_since), logins)
        self._all_statuses |= self._statuses
        yield from self._batch(self._take_forbidden())

    def report(self, ended: Sequence[tuple[str, str]]) -> None:
        """Name, at the end of the pass, accounts that do not work though jobs wait for them, and a wall.

        A pass is ``partial`` for such an account, and ``failed`` only by what happened to the others.
        """
        for user, status in ended:
            self._run.failed(f"account {user}", ENDED[status])
        if self._all_statuses == {HTTPStatus.FORBIDDEN}:
            self._run.failed("api_key", _WALL)
        elif ended and not self._has_failed and not self._logins.has_failed:
            self._run.reached("the other accounts")

    def _take_forbidden(self) -> list[Response]:
        """What this round was answered 403: against a job it counts only where another was answered otherwise."""
        forbidden, self._forbidden = self._forbidden, []
        if not self._statuses - {HTTPStatus.FORBIDDEN}:
            return forbidden
        for response in forbidden:
            self._fail(response.job_id, response.error)
        return [replace(response, is_singled_out=True) for response in forbidden]

    def _due_since(self, job: DueJob) -> str:
        return job.next_poll_at or to_text(from_text(job.started_at) + self._run.settings.poll_delay)

    def _ask_all(self, due: Sequence[DueJob], logins: Mapping[str, Login]) -> Iterator[Batch]:
        self._logins.add(logins)
        left = [job for job in due if job.user_id in self._logins]
        gathered: list[Response] = []
        while left and not self.is_over:
            yield from self._logins.refresh(left)
            wave, later = self._next_wave(left)
            yield from self._logins.put_off(left)
            if not wave:
                break
            again: list[DueJob] = []
            for results in self._completed(wave):
                gathered += [response for result in results if (response := self._response(result, again))]
                # While others wait for this wave to end, a commit would hold them up: it comes with their answers.
                if not later:
                    yield from self._batch(gathered)
                    gathered = []
            left = [job for job in (*again, *later) if not self._logins[job.user_id].is_out]
        yield from self._batch(gathered)

    def _next_wave(self, left: Sequence[DueJob]) -> tuple[list[DueJob], list[DueJob]]:
        """Jobs to ask about now, the oldest first, and jobs for later: of an account not tried yet only one is asked."""
        wave: list[DueJob] = []
        later: list[DueJob] = []
        users: set[str] = set()
        for job in left:
            state = self._logins[job.user_id]
            if not state.is_usable:
                continue
            (wave if state.is_tried or job.user_id not in users else later).append(job)
            users.add(job.user_id)
        return wave, later

    def _batch(self, gathered: list[Response]) -> Iterator[Batch]:
        """What was gathered, with the pauses that were asked for meanwhile; nothing when there is neither."""
        holds = self._session.take_holds()
        if gathered or holds:
            yield Batch(responses=gathered, holds=holds)

    def _completed(self, wave: Sequence[DueJob]) -> Iterator[list[Result]]:
        """Ask about jobs side by side and yield what has completed, as much at a time as there is.

        A thread of its own takes the results in, so that requests go on while a batch is committed. When the pass must
        end, all the rest comes at once, because nobody will come for more.
        """
        completed: SimpleQueue[Result | Exception | None] = SimpleQueue()

        def take_in() -> None:
            try:
                patience = max(1.0, self._run.remaining)
                for result in self._run.map(self._ask, wave, concurrency=CONCURRENCY, timeout=patience):
                    completed.put(result)
            except Exception as error:  # noqa: BLE001 - raised again where the pass waits
                completed.put(error)
            completed.put(None)

        Thread(target=take_in, daemon=True, name="stockx-poller").start()
        results: list[Result] = []
        while (item := completed.get()) is not None:
            if isinstance(item, Exception):
                raise item
            results.append(item)
            if completed.empty() and not self._run.is_stopping:
                yield results
                results = []
        if results:
            yield results

    def _ask(self, job: DueJob) -> Response | None:
        """Ask about one job, in a worker thread; None when it was not asked about after all."""
        state = self._logins[job.user_id]
        request = operation_request(job, state.login, self._run.settings)
        if state.is_refused:
            return None
        answer = self._session.send(request, unless=lambda: state.is_refused)
        if answer is None:
            return None
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._session.close()
        state.is_refused = state.is_refused or answer.status == HTTPStatus.UNAUTHORIZED
        return responses.read(answer, job, state.login, self._run.now, self._run.settings)

    def _response(self, result: Result, again: list[DueJob]) -> Response | None:
        """The response to decide by, if there is one; else the job may be put to those to ask about *again*."""
        job: DueJob = result.item
        state = self._logins[job.user_id]
        if result.error is not None:
            return self._unexpected(job, state, result)
        response: Response | None = result.value
        if response is None or response.status == HTTPStatus.UNAUTHORIZED:
            if not state.was_refreshed:
                again.append(job)
                return None
            state.is_out = state.is_out or state.is_refused
            if response is not None:
                self._statuses.add(response.status)
                self._run.failed(f"account {job.user_id}", ENDED["BROKEN"])
                self._run.reached(f"job {job.job_id}")
            return response
        state.is_tried = True
        self._statuses |= {response.status} - {0}
        if response.status == HTTPStatus.FORBIDDEN:
            self._forbidden.append(response)
            return None
        self._report(job, response)
        return response

    def _unexpected(self, job: DueJob, state: LoginState, result: Result) -> Response | None:
        """The response for a job that something unforeseen befell: it is asked about later, and named."""
        if result.error is None or result.error.kind in CUT_OFF:
            return None
        error = safe_text(result.error.message)
        self._fail(job.job_id, error)
        return not_asked(job, state.login.connection, error)

    def _report(self, job: DueJob, response: Response) -> None:
        """Let the pass know whether a job was answered; a demand for a pause is an answer."""
        words = OPERATION_STATUS[self._run.settings.dialect]
        if not response.error and response.word not in words:
            self._run.log(f"job {job.job_id}: unknown state {response.word!r}; taken as in progress")
        if response.error and response.status not in _ANSWERS:
            self._fail(job.job_id, response.error)
        else:
            self._run.reached(f"job {job.job_id}")

    def _fail(self, job_id: str, error: str) -> None:
        self._has_failed = True
        self._run.failed(f"job {job_id}", error)
