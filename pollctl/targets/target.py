"""What an author says: the keys of a target and of the plugin's section, and what a comparison found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from pollctl import Answer, Attachment, Duration, HttpUrl, Level, Pace, Request, Secret, address_digest

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
        digest: for how long its news is gathered into one message; without it, as the plugin says.
        enabled: whether it is asked at all.
    """

    COSMETIC: ClassVar[frozenset[str]] = frozenset()
    """Keys of the author's own that do not change what is compared: their change begins no new baseline, and the next answer is
    compared by them even where it is the one from before."""
    SETTINGS_ONLY: ClassVar[frozenset[str]] = frozenset()
    """Keys that stand in the settings alone, as those do that are or hold a ``Secret``: `add` offers no option for them."""

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
        return _digest({"url": self.url} | _given(self, _own_keys(type(self))[0]))

    def request(self) -> Request:
        """How it is asked; for a GET without conditions of its own it is asked whether something has changed."""
        headers = {name: value.reveal() for name, value in self.headers.items()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        return Request(url=self.url, headers=headers)

    def is_answer(self, answer: Answer) -> bool:
        """Whether an answer is one to read; any other is a failure of this target."""
        return answer.status == 200  # noqa: PLR2004


def cosmetics_of(target: Target) -> str:
    """A digest of the author's other keys: what is compared stays the same, but something else may come of it."""
    given = _given(target, _own_keys(type(target))[1])
    return _digest(given) if given else ""


def _given(target: Target, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some keys that are not at their defaults."""
    return {name: value for name, default in keys.items() if (value := getattr(target, name)) != default}


def _digest(keys: Mapping[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(keys, enc_hook=_recognisable, order="sorted")).hexdigest()[:16]


def _recognisable(value: Any) -> str:
    """A value as text; of a secret too little to find it by trying, and enough to notice another one."""
    return address_digest(value.reveal())[:4] if isinstance(value, Secret) else str(value)


@cache
def _own_keys(kind: type[Target]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keys that an author has added, each with its default: those that say what is compared, and the cosmetic ones."""
    own = {*kind.__struct_fields__} - {*Target.__struct_fields__}
    defaults = {field.name: default_of(field) for field in msgspec.structs.fields(kind) if field.name in own}
    cosmetic = {name: default for name, default in defaults.items() if name in kind.COSMETIC}
    return {name: default for name, default in defaults.items() if name not in cosmetic}, cosmetic


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """What a key is where nobody says otherwise."""
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
        url: where it can be seen, in HTML a link if it begins with ``http``; the address of the target if empty.
        format: what the body is written in, as ``run.tell`` has it; the title is text.
        attach: files that go along.
    """

    title: str
    body: str = ""
    id: str = ""
    level: Level = "info"
    url: str = ""
    format: Literal["text", "markdown", "html"] = "text"
    attach: tuple[Attachment, ...] = ()


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
