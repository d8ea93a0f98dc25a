"""What a plugin sees of the pass it runs in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pollctl.api.values import Answer, Attachment, Level, Request, Result, Tag, TextFormat
from pollctl.redaction import Secret

if TYPE_CHECKING:
    import requests
    from sqlite_utils import Database
    from typing_extensions import TypeVar as WithDefault

    Settings = WithDefault("Settings", default=Any)
else:
    Settings = TypeVar("Settings")

T = TypeVar("T")


class Run(Protocol[Settings]):
    """One pass, as the hooks of a plugin see it.

    Attributes:
        id: sortable id of the pass.
        trace_id: the id of the pass in the form that OpenTelemetry wants, 32 hexadecimal digits.
        plugin: the plugin's name.
        now: the one reading of the clock for this pass, or for this round of a ``window``.
        settings: the plugin's own settings, of the type that its facts name.
        timezone: the zone in which the plugin's schedule is meant.
        host: the machine on which it runs, for messages that say where they come from.
        is_dry: whether this pass only plans: nothing will be written or sent.
        addresses: the Apprise addresses of ``[pollctl.notify]``, for news whose plugin has no address of its own.
        is_stopping: whether no new work may start (deadline or signal).
        remaining: seconds until the deadline.
    """

    id: str
    trace_id: str
    plugin: str
    now: datetime
    settings: Settings
    timezone: ZoneInfo
    host: str
    is_dry: bool
    addresses: Sequence[Secret]

    @property
    def is_stopping(self) -> bool: ...  # noqa: D102

    @property
    def remaining(self) -> float: ...  # noqa: D102

    # in fetch

    def get_many(
        self, requests: Iterable[Request[Tag]], *, concurrency: int = 8, rate: str = "", cache: bool = False
    ) -> Iterator[Answer[Tag]]:
        """Make the requests side by side and yield answers as they come; one bad target is an answer with an error.

        With *cache*, ``ETag`` and ``Last-Modified`` of answers are kept for the plugin, by address and headers of the request, and
        sent with the next one: an answer may then be ``is_unchanged``. What an answer names is kept in the transaction of the one
        batch that is yielded before the next answer is taken, so make one batch of each answer as it comes; nothing is kept where
        ``run.failed`` was called meanwhile, or the batch was rolled back. A request with ``Cache-Control: no-cache`` has the
        answer in full, whatever is kept; one with conditions of its own goes as it is.
        """

    def map(
        self, function: Callable[[Any], Any], items: Iterable[Any], *, concurrency: int = 8, timeout: float
    ) -> Iterator[Result]:
        """Call *function* for each item side by side and yield results as they come; none takes longer than *timeout* s."""

    def next_round(self, at: datetime, *, overrun: float = 0.0) -> bool:
        """Wait until *at* and say whether another round fits into the plugin's ``window``; then ``now`` is read again.

        With *overrun*, such as 0.05, a round may also begin after the window, by that share of it: for what falls due just then and
        would otherwise wait for the next pass.
        """

    def failed(self, target: str, why: str, *, counts: bool = True) -> None:
        """Tell that *target* could not be fetched: the pass is ``partial``, or ``failed`` when no target was ``reached``.

        With ``counts=False`` it makes no pass ``failed``, as where others were reached lately and only were not due now.
        """

    def reached(self, target: str) -> None:
        """Tell that *target* was fetched; needed only by plugins that also tell what ``failed``."""

    def note(self, reason: str) -> None:
        """Say what a plan should show: why there may be nothing to decide, such as ``no job is running``, or what is left out."""

    def idle_until(self, at: datetime) -> None:
        """Say that there is nothing to do before *at*: until then ``due`` starts no pass of the plugin, whatever its schedule says.

        A pass comes earlier for an effect that is to be tried again, when settings or a command have changed something, when this
        pass does not come to its end or a hook raises, and after ``idle_max`` (5 min) in any case. The last call counts.
        """

    def deliver_due(self, *, seconds: float) -> None:
        """Send what earlier batches of this pass have queued and what else is due, for *seconds* at most, and go on.

        For what must happen upstream before more can be asked, such as deleting messages of a queue that locks the rest.
        """

    # in deliver

    def reading(self) -> AbstractContextManager[Database]:
        """Open the database to read, for what an effect's payload must not hold (addresses and other secrets)."""

    # anywhere

    def once(self, name: str, factory: Callable[[], T]) -> T:
        """What *factory* makes, made at the first call with this *name* and kept for the rest of the pass.

        For clients, sessions and caches that hooks share, in place of globals; made by one thread at a time. What has a
        ``close()`` is closed at the end of the pass.
        """

    def send(self, request: Request[Tag]) -> Answer[Tag]:
        """Make one exchange now; like ``get_many`` it answers errors instead of raising them."""

    def session(self, *, max_body: int | None = None, allow_hosts: Sequence[str] = ()) -> requests.Session:
        """A session of requests, for a library that takes one: its exchanges have the limits and rules of ``send``.

        ``timeout=`` is the total limit of an exchange, a pair of them added up. Redirects of GET and HEAD are followed as ``send``
        does, others not at all. Cookies last as long as the session. With ``stream=True`` too the whole body is there, within
        *max_body*, before anything is read of it. ``verify=False``, ``cert``, ``proxies`` and adapters for HTTP are refused:
        the settings have the word. What goes wrong is raised as requests does, and ``pollctl.fetch_error`` says its kind.

        Args:
            max_body: largest decoded body in bytes; the settings' ``max_body`` if None.
            allow_hosts: further hosts that a redirect may lead to, as ``Request`` has them.
        """

    def held_until(self, upstream: str) -> datetime | None:
        """The moment before which *upstream* wants no request, if it lies ahead (see ``hold``)."""

    def notify(
        self,
        url: str,
        *,
        title: str,
        body: str,
        key: str,
        level: Level = "info",
        format: TextFormat = "text",  # noqa: A002 - Apprise's own word
        attach: Iterable[str | PathLike[str] | Attachment] = (),
    ) -> None:
        """Send one message to an Apprise address now; *key* travels along where the service takes headers.

        For ``deliver``. What is to be told to people goes through ``tell``, which needs no hook.

        Raises:
            DeliveryError: the service did not take it; it says what the service answered.
        """

    def log(self, message: str) -> None:
        """One line to stderr about something the pass carries on from, with the plugin's name before it."""

    # in apply and settle

    def effect(self, kind: str, key: str, payload: Any, *, lane: str = "", not_before: datetime | None = None) -> None:
        """Queue an effect in this transaction; a *key* that is known already queues nothing.

        *lane* names the recipient or upstream whose effects must go in order; without one it goes on its own.
        """

    def tell(
        self,
        key: str,
        title: str,
        body: str,
        *,
        to: Secret | Iterable[Secret] | None = None,
        level: Level = "info",
        format: TextFormat = "text",  # noqa: A002 - Apprise's own word
        attach: Iterable[str | PathLike[str] | Attachment] = (),
        not_before: datetime | None = None,
    ) -> int:
        """Queue a message to people in this transaction; answers how many will get it. The core delivers it.

        Each recipient's is an effect of its own, of the kind ``tell`` and with the key ``KEY:DIGEST``; one that is known already
        queues nothing. With nobody to tell there is one all the same: settled as ``no address``, counted like any other.

        Args:
            key: what the message is about; the same is told once.
            title: one line.
            body: sent as it is: lines stay lines, ``<`` and ``&`` need no escape.
            to: Apprise addresses, several in one secret too; those of ``[pollctl.notify]`` for None.
            level: how it is to be taken.
            format: what *body* is written in.
            attach: files that go along: paths, which must still be there when it is sent, or ``Attachment``, at most 10 MB in all.
            not_before: the moment before which it rests.
        """

    def hold(self, upstream: str, until: datetime) -> None:
        """Remember in this transaction that *upstream* wants no request before *until* (at most a day ahead)."""

    def count(self, **numbers: int) -> None:
        """Add to the pass' ``stats``; inside apply they are committed with the batch or not at all."""
