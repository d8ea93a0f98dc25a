"""The logins of one pass: each is refreshed at most once, and jobs wait for one that cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pollctl import Run
from pollctl_stockx_ops.client import tokens
from pollctl_stockx_ops.client.session import ApiSession
from pollctl_stockx_ops.model import Batch, DueJob, Expired, Login, Response, Tokens

ENDED = {
    "BROKEN": "StockX refuses its login: connect it again",
    "EXPIRED": "its login has expired: connect it again",
}
"""What is said of an account that does not work, by its status."""


class LoginState:
    """How one account's login fares in this pass.

    Attributes:
        is_tried: whether a job was answered with the present token, so that others may be asked about side by side.
        is_refused: whether the present token was answered with 401.
        was_refreshed: whether the one refresh of this pass was made, or cannot be.
        is_out: whether its jobs are left alone for the rest of the pass.
        error: why its token could not be refreshed.
    """

    def __init__(self, login: Login) -> None:
        self.login = login
        self.is_tried = False
        self.is_refused = False
        self.was_refreshed = False
        self.is_out = False
        self.error = ""

    @property
    def is_usable(self) -> bool:
        """Whether jobs may be asked about with it."""
        return not self.is_out and not self.error

    def replace_token(self, fresh: Tokens) -> None:
        """Use a fresh token, which has to be tried again."""
        self.login = self.login._replace(access_token=fresh.access_token, expires_at=fresh.expires_at)
        self.is_refused = self.is_tried = False


class Logins:
    """The logins of one pass, by user.

    Args:
        run: the pass.
        session: sends the requests.

    Attributes:
        has_failed: whether the token endpoint failed, for any of them.
    """

    def __init__(self, run: Run, session: ApiSession) -> None:
        self._run = run
        self._session = session
        self._states: dict[str, LoginState] = {}
        self.has_failed = False

    def add(self, logins: Mapping[str, Login]) -> None:
        """Add logins; one that took part in an earlier round keeps its state."""
        for user, login in logins.items():
            self._states.setdefault(user, LoginState(login))

    def __contains__(self, user: str) -> bool:
        return user in self._states

    def __getitem__(self, user: str) -> LoginState:
        return self._states[user]

    def refresh(self, jobs: Sequence[DueJob]) -> Iterator[Batch]:
        """Refresh the logins that need it, each in a batch of its own: a new refresh token must not be lost."""
        for user in dict.fromkeys(job.user_id for job in jobs):
            state = self._states[user]
            if state.was_refreshed or not self._needs_refresh(state) or self._session.is_over:
                continue
            fresh = self._refreshed(state)
            if isinstance(fresh, Tokens):
                self._use(state, fresh)
                yield Batch(tokens=[fresh])
            elif isinstance(fresh, Expired):
                state.is_out = True
                self._run.failed(f"account {user}", ENDED["EXPIRED"])
                yield Batch(expired=[fresh])
            elif holds := self._session.take_holds():
                yield Batch(holds=holds)

    def put_off(self, jobs: Sequence[DueJob]) -> Iterator[Batch]:
        """What becomes of jobs whose login could not be refreshed now: they are asked about later."""
        responses = [
            not_asked(job, state.login.connection, state.error)
            for job in jobs
            if (state := self._states[job.user_id]).error and not state.is_out
        ]
        for state in self._states.values():
            state.is_out = state.is_out or bool(state.error)
        if responses:
            yield Batch(responses=responses)

    def _use(self, state: LoginState, fresh: Tokens) -> None:
        """Go on with fresh tokens, or with the next refresh token alone, as after any other failure of the endpoint."""
        if fresh.access_token is not None:
            state.replace_token(fresh)
            return
        state.error = "the token endpoint answered without an access token"
        self._fail(state)

    def _needs_refresh(self, state: LoginState) -> bool:
        return state.is_refused or not tokens.is_fresh(state.login, self._run.now)

    def _refreshed(self, state: LoginState) -> Tokens | Expired | None:
        """Refresh a login; None leaves its jobs as they are, or puts them off where an error came."""
        account = f"account {state.login.user_id}"
        if self._run.is_dry:
            state.was_refreshed = state.is_out = True
            self._run.failed(account, "its token must be refreshed, which a plan does not do")
            return None
        if self._session.is_held(self._run.settings.token_url):
            state.is_out = True
            return None
        state.was_refreshed = True
        answer = self._session.send(tokens.refresh_request(state.login, self._run.settings))
        if answer is None:
            state.is_out = True
            return None
        fresh = tokens.read(answer, state.login)
        if isinstance(fresh, str):
            state.error = fresh
            self._fail(state)
            return None
        return fresh

    def _fail(self, state: LoginState) -> None:
        self.has_failed = True
        self._run.failed(f"account {state.login.user_id}", state.error)


def not_asked(job: DueJob, connection: int, error: str) -> Response:
    """The response about a job that could not be asked about."""
    return Response(job_id=job.job_id, attempt=job.attempt, connection=connection, status=0, error=error)
