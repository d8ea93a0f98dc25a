"""What a pass asks its upstreams through."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from pollctl import clock
from pollctl.api.values import Answer, FetchError, Request
from pollctl.concurrency.call import Away, Call, Elsewhere
from pollctl.concurrency.cancellation import Stop
from pollctl.concurrency.rate_limit import RateLimiter
from pollctl.concurrency.worker_pool import make_all
from pollctl.errors import PollctlError
from pollctl.http.engines import is_curl_usable
from pollctl.http.limits import REPEATABLE, Limits
from pollctl.redaction import redact

if TYPE_CHECKING:
    from pollctl.http.cookies import CookieStore
    from pollctl.http.curl.engine import Engine
    from pollctl.http.pool import Pool


class Machines(Away, Protocol):
    """Other machines, as a client has them."""

    @property
    def error(self) -> PollctlError | None:
        """Why calls were not made that they should have made, if any were not."""

    def close(self) -> None:
        """Let them go, and call off what they have in hand."""


class Client:
    """The HTTP client of one pass. Cheap to make; may be used by several threads.

    Args:
        limits: what holds for every exchange.
        stop: when the pass must end. Past its deadline what is in flight is cut; when a signal came, GETs
            and HEADs are cut at once and the others run until their own limit, because the upstream may have
            acted on them.
        away: other machines, which make what ``get_many`` is given, as far as it is for them; ``close`` lets them go.
    """

    def __init__(self, limits: Limits, *, stop: Stop, away: Machines | None = None) -> None:
        self._limits = limits
        self._stop = stop
        self._away = away
        self._pool: Pool | None = None
        self._curl: Engine | None = None
        self._lock = threading.Lock()
        self._next_starts: dict[str, float] = {}

    def send(self, request: Request) -> Answer:
        """Make one exchange now; errors are answered, not raised.

        Raises:
            MachineError: no thread can be started; nothing was sent.
        """
        return answer_of(self.made(request))

    def made(self, request: Request, cookies: CookieStore | None = None) -> Call:
        """Make one exchange now and answer the call of it, in whose value there is what an answer does not hold.

        Args:
            request: what to ask.
            cookies: what keeps the cookies that redirects set; the exchange if None.

        Raises:
            MachineError: no thread can be started; nothing was sent.
        """
        calls = iter([self._call(request)])
        limiter = RateLimiter("", _host)
        for call in make_all(self._exchange(cookies), calls, concurrency=1, stop=self._stop, limiter=limiter):
            return call
        call = Call(request, allowed=0, is_patient=False)
        call.give_up("stopped" if self._stop.requested else "deadline")
        return call

    def get_many(self, requests: Iterable[Request], *, concurrency: int, rate: str = "") -> Iterator[Answer]:
        """Make the exchanges, of any method, side by side and yield answers as they come, errors included.

        Args:
            requests: taken as room comes free, in the caller's thread. Each one taken is answered; once the
                pass must end, no more are taken.
            concurrency: how many exchanges, and so connections, there are at once.
            rate: ``"1/s"`` or ``"30/m"``: evenly spaced starts per host, also from one call to the next.

        Raises:
            ValueError: *rate* is not a valid rate.
            ConfigError: the settings ask for libcurl, which is not to be had.
            FanoutError: other machines should have made some, could not, and nobody else may.
            MachineError: no thread can be started, when the first is needed or one that hangs must be replaced.
        """
        calls = (self._call(request) for request in requests)
        return self._answers(calls, concurrency, RateLimiter(rate, _host, self._next_starts))

    def get_fed(self, requests: Iterable[Request | None], *, concurrency: int) -> Iterator[Answer]:
        """As ``get_many``, of requests that come by and by: None says that there is none now."""
        calls = (None if request is None else self._call(request) for request in requests)
        return self._answers(calls, concurrency, RateLimiter("", _host))

    @property
    def fanout_error(self) -> PollctlError | None:
        """Why what other machines should have made was not made, if it was not; whoever asked may have overheard it."""
        return self._away.error if self._away else None

    def close(self) -> None:
        """Close the connections that were kept open."""
        if self._away:
            self._away.close()
        if self._curl:
            self._curl.close()
            self._curl = None
        if self._pool:
            self._pool.close()

    def _answers(self, calls: Iterable[Call | None], concurrency: int, limiter: RateLimiter) -> Iterator[Answer]:
        made = make_all(
            self._exchange(),
            calls,
            concurrency=concurrency,
            stop=self._stop,
            limiter=limiter,
            elsewhere=self._elsewhere(),
            away=None if limiter.interval else self._away,  # one clock paces one host
        )
        return map(answer_of, made)

    def _call(self, request: Request) -> Call:
        allowed = self._limits.timeout if request.timeout is None else request.timeout
        return Call(request, allowed=allowed, is_patient=request.is_patient or request.method not in REPEATABLE)

    def _exchange(self, cookies: CookieStore | None = None) -> Callable[[Call], object]:
        from pollctl.http.exchange import Exchange
        from pollctl.http.pool import Pool

        limits = self._limits
        with self._lock:
            pool = self._pool = self._pool or Pool(limits.ca_file)
        return lambda call: Exchange(call.item, limits, pool, cookies).run(call)

    def _elsewhere(self) -> Elsewhere | None:
        """What begins exchanges without a thread each, if that is to be had and wanted."""
        limits = self._limits
        if limits.engine == "python" or limits.trust_env:  # of proxies and .netrc the other engine knows
            return None
        with self._lock:
            if self._curl is None and is_curl_usable(is_demanded=limits.engine == "curl"):
                from pollctl.http.curl.engine import Engine

                with suppress(OSError):  # no descriptors left: the other engine has words for that
                    self._curl = Engine(limits)
            return self._curl.begin if self._curl else None


def answer_of(call: Call) -> Answer:
    """What became of an exchange, as plugins see it."""
    request, value = call.item, call.value
    started_at = call.started_at or clock.now()
    if call.raised is not None:
        raise call.raised
    if call.cut is not None or isinstance(value, FetchError):
        error = value if isinstance(value, FetchError) else _cut_off(call)
        return Answer(request=request, started_at=started_at, elapsed_ms=call.elapsed_ms, error=error)
    return Answer(
        request=request,
        status=value.status,
        headers=value.headers,
        body=value.body,
        address=value.upstream,
        started_at=started_at,
        elapsed_ms=call.elapsed_ms,
        phases=value.phases,
    )


def _cut_off(call: Call) -> FetchError:
    why = {
        "timeout": f"no whole answer within {call.allowed:g} s",
        "deadline": "the pass reached its deadline",
        "stopped": "a signal ended the pass",
    }
    kind = call.cut or "timeout"
    return FetchError(kind=kind, message=redact(f"{_host(call.item)}: {why[kind]}"))


def _host(request: Request) -> str:
    """Host and port of a request, as far as its address can be read."""
    try:
        return urlsplit(request.url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return request.url
