"""The pass as a plugin sees it: the one implementation of ``pollctl.Run``."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pollctl import clock, redaction
from pollctl.addresses import split_addresses
from pollctl.api.run import T
from pollctl.api.values import TELL, Answer, Request, Result
from pollctl.concurrency.cancellation import Stop
from pollctl.config.secret_names import setting_with
from pollctl.console import log
from pollctl.delivery.effects import Queued, queued
from pollctl.encoding import secret_in
from pollctl.errors import DeliveryError, MisuseError
from pollctl.http.client import Client
from pollctl.passes.deliveries import Deliveries
from pollctl.passes.resources import Resources
from pollctl.passes.revalidation import Revalidation
from pollctl.store.database import open_to_read
from pollctl.store.holds import LONGEST as LONGEST_HOLD
from pollctl.store.holds import is_held

if TYPE_CHECKING:
    import requests
    from sqlite_utils import Database

    from pollctl.concurrency.call import Call
    from pollctl.config.schema import Core
    from pollctl.delivery.messages import Attached
    from pollctl.http.cookies import CookieStore


class PassContext:
    """One pass; the engine drains what the hooks leave here into the transaction that they belong to."""

    def __init__(
        self,
        *,
        run_id: str,
        trace_id: str,
        plugin: str,
        now: datetime,
        settings: Any,
        timezone: ZoneInfo,
        window: timedelta,
        is_dry: bool,
        client: Client,
        stop: Stop,
        effect_kinds: Iterable[str],
        holds: dict[str, datetime],
        core: Core,
    ) -> None:
        self.id = run_id
        self.trace_id = trace_id
        self.plugin = plugin
        self.now = now
        self.settings = settings
        self.timezone = timezone
        self.host = os.uname().nodename
        self.is_dry = is_dry
        self.between_rounds: Callable[[float], None] = _rest
        self.on_failed: Callable[[str, str], None] = _tell_nobody
        self.failures: dict[str, str] = {}
        self._not_counted: set[str] = set()
        self.targets_reached: set[str] = set()
        self.notes: list[str] = []
        self.idle_at: datetime | None = None
        self.revalidation = Revalidation(plugin, core.database)
        self._client = client
        self._stop = stop
        self._window_s = window.total_seconds()
        self._window_ends = time.monotonic() + self._window_s
        self._kinds = frozenset(effect_kinds)
        self._holds = holds
        self.addresses: Sequence[redaction.Secret] = core.notify.urls
        self._core = core
        self._effects: list[Queued] = []
        self._new_holds: dict[str, datetime] = {}
        self._stats: Counter[str] = Counter()
        self._resources = Resources()
        self.deliveries = Deliveries()

    @property
    def is_stopping(self) -> bool:
        """Whether no new work may start."""
        return self._stop.is_stopping

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self._stop.remaining

    def get_many(
        self, requests: Iterable[Request], *, concurrency: int = 8, rate: str = "", cache: bool = False
    ) -> Iterator[Answer]:
        """Make requests side by side (see ``pollctl.Run``)."""
        ask = partial(self._client.get_many, concurrency=concurrency, rate=rate)
        return self.deliveries.noting_begin(self.revalidation.get_many(requests, ask) if cache else ask(requests))

    def map(
        self, function: Callable[[Any], Any], items: Iterable[Any], *, concurrency: int = 8, timeout: float
    ) -> Iterator[Result]:
        """Call a function side by side (see ``pollctl.Run``)."""
        from pollctl.concurrency.parallel_map import map_bounded

        return self.deliveries.noting_begin(
            map_bounded(function, items, concurrency=concurrency, timeout=timeout, stop=self._stop)
        )

    def send(self, request: Request) -> Answer:
        """Make one exchange (see ``pollctl.Run``)."""
        answer = self._client.send(request)
        self.deliveries.note_begin()
        return answer

    def session(self, *, max_body: int | None = None, allow_hosts: Sequence[str] = ()) -> requests.Session:
        """A session of requests under the limits of the pass (see ``pollctl.Run``)."""
        from pollctl.http.session import Session

        def make(request: Request, cookies: CookieStore) -> Call:
            call = self._client.made(request, cookies)
            self.deliveries.note_begin()
            return call

        return Session(make, max_body=max_body, allow_hosts=allow_hosts)

    def next_round(self, at: datetime, *, overrun: float = 0.0) -> bool:
        """Wait for the next round, if there is one (see ``pollctl.Run``)."""
        begins = time.monotonic() + max(0.0, (at - clock.now()).total_seconds())
        window_ends = self._window_ends + overrun * self._window_s
        if clock.is_stopped() or begins >= window_ends or self.is_stopping:
            return False
        self.between_rounds(begins)
        if self._stop.wait(begins - time.monotonic()):
            return False
        self.now = clock.now()
        return time.monotonic() < window_ends

    def deliver_due(self, *, seconds: float) -> None:
        """Send what is due within the pass, not only after its last batch."""
        if not self.is_dry:
            self.between_rounds(time.monotonic() + seconds)

    @property
    def has_reached(self) -> bool:
        """Whether a target was reached, or none of those that failed counts."""
        return bool(self.targets_reached) or not self.failures.keys() - self._not_counted

    def failed(self, target: str, why: str, *, counts: bool = True) -> None:
        """Tell that a target could not be fetched."""
        self.revalidation.drop()
        target, why = redaction.mask(target), redaction.mask(why)
        self.failures[target] = why
        (self._not_counted.discard if counts else self._not_counted.add)(target)
        self.on_failed(target, why)

    def reached(self, target: str) -> None:
        """Tell that a target was fetched."""
        self.targets_reached.add(target)

    def note(self, reason: str) -> None:
        """Keep why there may be nothing to decide."""
        if reason:
            self.notes.append(redaction.mask(reason))

    def idle_until(self, at: datetime) -> None:
        """Keep before when there is nothing to do (see ``pollctl.Run``)."""
        if at.tzinfo is None:
            raise ValueError(f"{at} names no zone, so nobody knows when it comes")
        self.idle_at = at

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Open the database to read (see ``pollctl.Run``)."""
        with closing(open_to_read(self._core.database)) as db:
            yield db

    def held_until(self, upstream: str) -> datetime | None:
        """The moment before which *upstream* wants no request."""
        until = self._new_holds.get(upstream, self._holds.get(upstream))
        return until if is_held(until, self.now) else None

    def notify(
        self, url: str, *, title: str, body: str, key: str, attach: Iterable[Attached] = (), **more: Any
    ) -> None:
        """Send one message through Apprise."""
        from pollctl.delivery.channel import send
        from pollctl.delivery.messages import Message, enclosed_in

        attach = tuple(attach)
        message = Message.new(title, body, attach=attach, **more)
        try:
            send(url, message, enclosed_in(attach), key=key, timeout=self.remaining, http=self._core.http)
        except DeliveryError:
            self.deliveries.note_begin()
            raise
        self.deliveries.note_begin()

    def log(self, message: str) -> None:
        """One line to stderr."""
        log(f"{self.plugin}: {message}")

    def once(self, name: str, factory: Callable[[], T]) -> T:
        """Make a resource that lives as long as the pass (see ``pollctl.Run``)."""
        return self._resources.once(name, factory)

    def close(self) -> None:
        """Close what ``once`` made."""
        self._resources.close(self.log)

    def effect(self, kind: str, key: str, payload: Any, *, lane: str = "", not_before: datetime | None = None) -> None:
        """Queue an effect in this transaction."""
        if kind not in self._kinds:
            raise MisuseError(
                f"effect kind {kind!r} is not among those of pollctl_poller ({', '.join(sorted(self._kinds))})"
            )
        self.deliveries.refuse("effect")
        if secret := secret_in(payload):
            name = setting_with(secret, {f"plugins.{self.plugin}": self.settings, "pollctl": self._core})
            raise MisuseError(
                f"the payload of effect {redaction.shorten(key)!r} holds {name}: payloads are kept; look it up in deliver"
            )
        self._effects.append(queued(kind, key, payload, lane, not_before))

    def tell(
        self,
        key: str,
        title: str,
        body: str,
        *,
        to: redaction.Secret | Iterable[redaction.Secret] | None = None,
        not_before: datetime | None = None,
        attach: Iterable[Attached] = (),
        **more: Any,
    ) -> int:
        """Queue a message to people in this transaction (see ``pollctl.Run``)."""
        from pollctl.delivery.messages import Message, enclosed_in, to_each

        self.deliveries.refuse("tell")
        if not key:
            raise MisuseError("the key of a message is empty; say what it is about, as in 'high-water:2026-03-02'")
        if secret_in([title, body]):  # words of an upstream, maybe: people must hear of it all the same
            title, body = redaction.mask(title), redaction.mask(body)
        recipients = split_addresses(self.addresses if to is None else to)
        attach = tuple(attach)
        message = Message.new(title, body, attach=attach, **more)
        effects = to_each(TELL, key, message, recipients, self.addresses, not_before)
        self._effects += [one._replace(enclosed=enclosed_in(attach)) for one in effects]
        return len(recipients)

    def hold(self, upstream: str, until: datetime) -> None:
        """Remember a not-before in this transaction."""
        if until.tzinfo is None:
            raise ValueError(f"{until} names no zone, so nobody knows when it comes")
        self._new_holds[upstream] = min(until, self.now + LONGEST_HOLD)

    def count(self, **numbers: int) -> None:
        """Add to the pass' stats in this transaction."""
        self._stats.update({name: index(number) for name, number in numbers.items()})

    def drain(self) -> tuple[list[Queued], dict[str, datetime], dict[str, int]]:
        """Hand over, and forget, the effects, holds and stats left since the last time."""
        left = self._effects, self._new_holds, dict(self._stats)
        self._holds |= self._new_holds
        self._effects, self._new_holds, self._stats = [], {}, Counter()
        return left


def _tell_nobody(target: str, why: str) -> None:
    """Say nothing of a target that failed while only a plan is made, which says it itself."""


def _rest(until: float) -> None:
    """Do nothing between rounds: a pass that only plans has nothing to deliver."""
