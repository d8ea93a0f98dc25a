"""One exchange through libcurl: its one repeat, the addresses it is sent on to, and why it failed."""

from __future__ import annotations

import errno
import ipaddress
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from pollctl.api.values import Request
from pollctl.concurrency.call import Call
from pollctl.http.curl.names import Resolved
from pollctl.http.curl.transfer import Transfer
from pollctl.http.errors import Reset, failure_of, fetch_error_of
from pollctl.http.journey import Journey, Whole

if TYPE_CHECKING:
    from pollctl.http.curl.engine import Engine


class Job:
    """What is under way for one call; all of it happens in the engine's thread.

    Args:
        call: what is to be done.
        done: takes the call once it is complete.
        engine: what does it.
    """

    def __init__(self, call: Call, done: Callable[[Call], None], engine: Engine) -> None:
        self._call = call
        self._done = done
        self._engine = engine
        self._request: Request = call.item
        self._until = 0.0
        self._may_repeat = True
        self._is_over = self._has_made_room = False
        self._journey: Journey | None = None
        self._transfer: Transfer | None = None
        self._has_own_handle = False
        self._name_ms = 0.0

    def begin(self) -> None:
        """Begin the exchange, unless it was given up already."""
        call = self._call
        call.on_cut = lambda: self._engine.hand_over(self.drop)
        if call.cut is not None:
            self.drop()
            return
        call.begin()
        self._until = call.begun + call.allowed
        try:
            self._journey = Journey(self._request, self._engine.limits)
            self._ask(self._journey)
        except Exception as error:  # noqa: BLE001 - whatever one target does, the others are answered
            self.fail(error)

    def take(self, code: int, message: str) -> None:
        """Take what libcurl says is the end of a hop."""
        transfer, journey = self._transfer, self._journey
        if transfer is None or journey is None:
            return
        try:
            whole = self._told(transfer, code, message, journey.url)
            self._let_go()
            if whole is None:
                self._start(journey, fresh=True)
            elif journey.goes_on(whole):
                self._ask(journey)
            else:
                self._complete(whole)
        except Exception as error:  # noqa: BLE001 - see above
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Complete it with an error."""
        where = self._journey.home.authority if self._journey else self._request.url
        self._complete(fetch_error_of(error, where, self._call.allowed))

    def drop(self) -> None:
        """End what is under way; nobody waits for it any more."""
        self._is_over = True
        self._let_go()
        self._engine.forget(self)

    def end_if_late(self) -> None:
        """Fail a job whose time is up while its name is looked up."""
        if time.monotonic() >= self._until:
            self.fail(TimeoutError())

    def _told(self, transfer: Transfer, code: int, message: str, url: str) -> Whole | None:
        """The answer of a hop; None where it is to be asked for once more."""
        try:
            return transfer.whole(code, message, url, self._name_ms)
        except Exception as error:
            if self._gave_way(error):
                return None
            if not isinstance(failure_of(error), Reset) or not self._may_repeat:
                raise
            self._may_repeat = False
            return None

    def _gave_way(self, error: Exception) -> bool:
        """Whether descriptors ran out, and connections that were kept have made room."""
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE) or self._has_made_room:
            return False
        self._has_made_room = True
        self._let_go()
        return self._engine.close_kept()

    def _ask(self, journey: Journey) -> None:
        """Ask where the request is now, once its name is resolved."""
        origin = journey.address.origin
        self._name_ms = 0.0
        key = (origin.host, origin.port)
        known = Resolved() if _is_address(origin.host) else self._engine.names.known(key)
        if known is not None:
            self._start(journey, known.addresses)
            return
        self._engine.resolving.add(self)
        self._engine.names.look_up(key, self._until, self._named, self._engine.hand_over)

    def _named(self, found: Resolved) -> None:
        self._engine.resolving.discard(self)
        if self._is_over or self._journey is None:
            return
        is_time_left = time.monotonic() < self._until
        if found.error and not (isinstance(found.error, TimeoutError) and is_time_left):
            self.fail(found.error)
            return
        try:
            if found.error:  # it was somebody else's time that was up
                self._ask(self._journey)
                return
            self._name_ms = found.took_ms
            self._start(self._journey, found.addresses)
        except Exception as error:  # noqa: BLE001 - see above
            self.fail(error)

    def _start(self, journey: Journey, addresses: tuple[str, ...] = (), *, fresh: bool = False) -> None:
        engine, request = self._engine, self._request
        origin, certificate = journey.address.origin, journey.certificate
        if certificate:
            engine.authorities.check(certificate)
        if fresh and not _is_address(origin.host):
            known = engine.names.known((origin.host, origin.port))
            addresses = known.addresses if known else ()
        transfer = engine.transfer(request.method, is_tls=origin.scheme == "https")
        self._has_own_handle = certificate is not None or journey.was_redirected
        max_body = engine.limits.max_body if request.max_body is None else request.max_body
        transfer.aim(journey, engine.words.of(journey), self._until, max_body, addresses, fresh=fresh)
        if certificate:
            transfer.show(certificate)
        if journey.was_redirected:
            transfer.refuse_metadata()
        transfer.job = self
        self._transfer = transfer
        engine.start(transfer)

    def _let_go(self) -> None:
        if self._transfer is not None:
            self._engine.end(self._transfer, may_serve_again=not self._has_own_handle)
            self._transfer = None

    def _complete(self, value: object) -> None:
        if self._is_over:
            return
        self.drop()
        if self._call.complete(value):
            self._engine.tell(self._done, self._call)


@lru_cache(maxsize=1024)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
