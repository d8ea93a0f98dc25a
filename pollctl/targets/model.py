"""What an author says of one target, and what goes from fetch through decide to apply."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from pollctl import Answer, Duration, HttpUrl, Level, Pace, Request, Secret

V = TypeVar("V")
_NETLOC = re.compile("//|[/?#]")
"""What stands around host and port in an absolute address: four times as fast as taking it apart in full."""


class Target(Struct, frozen=True, kw_only=True):
    """One address that is polled; a plugin adds its own keys by inheriting, with ``frozen=True, kw_only=True``.

    Attributes:
        url: what is asked.
        name: what people call it; the address where there is none.
        every: how often it is asked: a duration, or a cron expression in the zone of the plugin.
        notify: Apprise addresses of those who hear of it; those of the plugin if none are given, and then the core's.
        headers: more headers of the request.
        token: sent as ``Authorization: Bearer``.
        alert_after: after how many failures in a row people hear of them.
        digest: for how long its news is gathered into one message; as the plugin says if None.
        enabled: whether it is asked at all.
    """

    COSMETIC: ClassVar[frozenset[str]] = frozenset()
    """Keys of the author's own that do not change what is compared: their change begins no new baseline."""

    url: HttpUrl
    name: str = ""
    every: Pace = Pace("10m")
    notify: tuple[Secret, ...] = ()
    headers: Mapping[str, Secret] = {}
    token: Secret = Secret("")
    alert_after: Annotated[int, Meta(ge=1)] = 3
    digest: Duration | None = None
    enabled: bool = True

    @property
    def title(self) -> str:
        """What it is called: its name, or its address without a login."""
        return self.name or self.address

    @property
    def address(self) -> str:
        """Its address as people may see it: without a login."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=self.host).geturl()

    @property
    def host(self) -> str:
        """Whom a request goes to: host and port."""
        return _host(self.url)

    @property
    def definition(self) -> str:
        """A digest of what says what is compared: another one begins a new baseline.

        Keys that are at their defaults are not part of it, so that an author may add some.
        """
        own = ((name, getattr(self, name), default) for name, default in _own_keys(type(self)))
        kept = {"url": self.url} | {name: value for name, value, default in own if value != default}
        return hashlib.sha256(msgspec.json.encode(kept, enc_hook=str, order="sorted")).hexdigest()[:16]

    def request(self) -> Request:
        """How it is asked; for a GET without conditions of its own it is asked whether something has changed."""
        headers = {name: value.reveal() for name, value in self.headers.items()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        return Request(url=self.url, headers=headers)

    def is_answer(self, answer: Answer) -> bool:
        """Whether an answer is one to read; any other is a failure of this target."""
        return answer.status == 200  # noqa: PLR2004


@cache
def _own_keys(kind: type[Target]) -> list[tuple[str, Any]]:
    """The keys that an author has added and that say what is compared, each with its default."""
    own = {*kind.__struct_fields__} - {*Target.__struct_fields__} - kind.COSMETIC
    return [(field.name, _default(field)) for field in msgspec.structs.fields(kind) if field.name in own]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


@lru_cache(maxsize=16_384)
def _host(url: str) -> str:
    return _NETLOC.split(url, 2)[1].rpartition("@")[2]


class News(Struct, frozen=True):
    """Something that people are told; a title alone arrives.

    Attributes:
        title: one line.
        body: more of it.
        id: what it is about: told once for good for its target; without one it is told each time.
        level: how it is to be taken.
        url: where it can be seen; the address of the target if empty.
    """

    title: str
    body: str = ""
    id: str = ""
    level: Level = "info"
    url: str = ""


class Change(Struct, Generic[V], frozen=True):
    """What ``compare`` answers: what to remember until the next look, and what is news."""

    keep: V
    news: Sequence[News] = ()


class TargetSettings(Struct, frozen=True, kw_only=True):
    """The keys of a section beside its targets.

    Attributes:
        notify: Apprise addresses of those who hear of targets that name nobody; the core's if empty.
        digest: for how long news is gathered into one message; zero: not at all.
        timezone: the core's, in which expressions in ``every`` are meant.
    """

    notify: tuple[Secret, ...] = ()
    timezone: ZoneInfo = ZoneInfo("UTC")
    digest: Duration = Duration()


class Validators(Struct, frozen=True):
    """What an upstream can tell by whether its answer has changed.

    Attributes:
        asked: a digest of the request that it answered; they are of no use with another one.
        headers: of the next request.
    """

    asked: str = ""
    headers: Mapping[str, str] = {}


class Look(Struct, frozen=True, kw_only=True):
    """What came of asking one target.

    Attributes:
        title: of the target.
        row: its number in the table, None where it has none yet.
        definition: of the target as it was asked.
        value: what ``read`` answered, as JSON has it.
        is_unchanged: whether the upstream says so (304).
        validators: what the next request asks by whether something has changed; None: as before.
        error: why there is nothing to compare.
        held: the host that wants no request before *held_until*.
    """

    title: str
    row: int | None = None
    definition: str
    value: Any = None
    is_unchanged: bool = False
    validators: Validators | None = None
    error: str = ""
    held: str = ""
    held_until: datetime | None = None


class Batch(Struct, frozen=True, kw_only=True):
    """Looks at some targets, or what else a pass has found.

    Attributes:
        retired: rows that no target has any more.
        is_digest_due: whether news has waited long enough.
        titles: if so, what the targets of rows are called that were called otherwise; empty for those that are no more.
    """

    looks: list[Look] = []
    retired: list[int] = []
    is_digest_due: bool = False
    titles: dict[int, str] = {}


class Memory(Struct, frozen=True, kw_only=True):
    """What is known of one target.

    Attributes:
        added: its keys as JSON, where it was added by a command.
        definition: what was compared; empty for one that was never looked at.
        was_called: by which name it was known; empty for one that was not.
        value: what ``compare`` said to remember, as JSON has it; *is_baseline_needed* where there is none.
        told: ids of news that was told, or was there at the first look.
    """

    row: int | None = None
    added: str | None = None
    definition: str = ""
    was_called: str = ""
    value: Any = None
    is_baseline_needed: bool = True
    told: list[str] = []
    failures: int = 0
    failing_since: datetime | None = None
    is_alerted: bool = False


class Waiting(Struct, frozen=True, kw_only=True):
    """News that waits to be gathered into one message.

    Attributes:
        title: of its target, empty where that is no more.
        is_due: whether it has waited long enough.
        is_personal: whether its target named people of its own.
    """

    id: int
    title: str
    news: News
    is_due: bool
    is_personal: bool = False


class State(Struct, frozen=True, kw_only=True):
    """What decide needs: what is known of the targets of a batch, by title, and the news that waits."""

    memories: dict[str, Memory] = {}
    waiting: list[Waiting] = []


class Unchanged(Struct, frozen=True, tag=True, kw_only=True):
    """Looked at, and nothing is new; *note* is what its history says of it."""

    look: Look
    note: str = ""
    reason: str


class Kept(Struct, frozen=True, tag=True, kw_only=True):
    """Something to remember: a baseline, or what has changed; *ids* are known from now on."""

    look: Look
    note: str = ""
    value: Any
    ids: list[str] = []
    is_baseline: bool = False
    reason: str


class Missed(Struct, frozen=True, tag=True, kw_only=True):
    """It could not be looked at, for the *failures*-th time in a row *since* a moment; *is_alert*: people hear of it now."""

    look: Look
    note: str = ""
    failures: int
    since: datetime
    is_alert: bool = False
    reason: str


class Told(Struct, frozen=True, tag=True, kw_only=True):
    """What people are told of one target in one message, now or with other news after *digest*."""

    title: str
    news: list[News]
    digest: Duration = Duration()
    reason: str


class Gathered(Struct, frozen=True, tag=True, kw_only=True):
    """News that has waited long enough, for people who are the same; those of the first one's target."""

    waiting: list[Waiting]
    reason: str


class Retired(Struct, frozen=True, tag=True, kw_only=True):
    """A row that no target has any more."""

    row: int
    reason: str


Decision = Unchanged | Kept | Missed | Told | Gathered | Retired
