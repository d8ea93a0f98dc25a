"""The frozen values that cross the border between the core and a plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal

from msgspec import UNSET, Struct, json
from msgspec.structs import force_setattr

from pollctl import units

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Payload = TypeVar("Payload", default=Any)
    Tag = TypeVar("Tag", default=Any)
else:
    from typing import TypeVar  # the one with defaults is only for who checks types

    Payload = TypeVar("Payload")
    Tag = TypeVar("Tag")

TELL = "tell"
"""The kind of the effects that ``run.tell`` queues; the core delivers them."""

Level = Literal["info", "success", "warning", "failure"]
"""How a message is to be taken; services show it by a colour or a sign."""

TextFormat = Literal["text", "markdown", "html"]
"""What a message is written in; ``text`` arrives as it is, line by line."""


class Effect(Struct, Generic[Payload], frozen=True, kw_only=True):
    """One action on the outside world, as the outbox hands it to ``pollctl_deliver``.

    Attributes:
        id: row in the outbox.
        kind: the plugin's word for what is to be done.
        key: idempotency key, unique per plugin; a repeat carries the same.
        payload: what ``run.effect`` was given, read back from JSON.
        lane: effects of one lane (a recipient, an upstream) go in order.
        attempt: 1 for the first try.
        created_at: when it was queued.
    """

    id: int
    kind: str
    key: str
    payload: Payload
    lane: str
    attempt: int
    created_at: datetime


class NotNow(Struct, frozen=True, kw_only=True):
    """An answer of ``pollctl_tell``: the message rests until a moment, which uses up no attempt; others overtake it."""

    until: datetime
    why: str = ""


class Drop(Struct, frozen=True, kw_only=True):
    """An answer of ``pollctl_tell``: the message is not wanted any more; it counts as delivered and says why it was not sent."""

    why: str


class Attachment(Struct, frozen=True):
    """A file that goes along with a message, from memory: kept in the database until the message has arrived.

    Attributes:
        name: of the file, without a folder.
        content: its bytes.
        type: its media type; by its name if empty.
    """

    name: str
    content: bytes
    type: str = ""

    def __post_init__(self) -> None:
        if self.name in ("", ".", "..") or not self.name.isprintable() or "/" in self.name:
            raise ValueError(f"{self.name!r} is not the name of a file; an attachment has one without a folder")


class Request(Struct, Generic[Tag], frozen=True, kw_only=True):
    """One HTTP exchange to be made.

    Attributes:
        url: absolute ``http`` or ``https`` address.
        tag: whatever the plugin wants to find again on the answer.
        body: bytes to send; use ``headers`` for their type.
        params: further keys of the query; those that are None are left out, of a list each value is one. They are part of ``url``
            as soon as the request is made.
        json: a value to send as JSON: a POST, unless *method* says otherwise. It is ``body`` as soon as the request is made.
        form: fields to send as a form, likewise.
        timeout: total seconds for the exchange, connect and slow trickles included; the settings' ``timeout`` if None.
        max_body: largest decoded body in bytes; the settings' ``max_body`` if None.
        follow: whether a GET follows redirects (to the same host and port, and to ``allow_hosts`` only).
        allow_hosts: further hosts that a redirect may lead to: ``"host"`` with the usual port, ``"host:port"`` with another.
        repeat: whether a GET is made again at once when its connection was reset; not where an upstream counts requests.
        is_patient: whether a signal lets it run on until its time limit; one that changes something always may.
        is_local: whether it must be made from this machine, because what it measures means something else elsewhere; only matters
            with ``[pollctl.fanout]``.
        family: 4 or 6 for addresses of that kind only, else 0. All addresses of a name share the time limit and are tried side
            by side, as browsers do (RFC 8305).
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    tag: Tag = None  # type: ignore[assignment] # whose default is None for who names no type
    timeout: float | None = None
    max_body: int | None = None
    follow: bool = True
    allow_hosts: Sequence[str] = ()
    repeat: bool = True
    is_patient: bool = False
    is_local: bool = False
    family: Literal[0, 4, 6] = 0
    params: Mapping[str, Any] | None = None
    json: Any = UNSET
    form: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Make what is sent of what it is to say.

        Raises:
            ValueError: more than one of body, json and form is given.
        """
        if self.params is None and self.form is None and self.json is UNSET:
            return
        self._become()

    def _become(self) -> None:
        from pollctl.api.bodies import form_body, with_query

        if (self.body is not None) + (self.form is not None) + (self.json is not UNSET) > 1:
            raise ValueError("a request sends one of body, json and form")
        if self.params is not None:
            force_setattr(self, "url", with_query(self.url, self.params))
            force_setattr(self, "params", None)
        if self.json is not UNSET:
            self._send(json.encode(self.json, enc_hook=units.encode), "application/json")
        elif self.form is not None:
            self._send(form_body(self.form), "application/x-www-form-urlencoded")

    def _send(self, body: bytes, kind: str) -> None:
        named = {name.lower() for name in self.headers}
        force_setattr(
            self, "headers", self.headers if "content-type" in named else {**self.headers, "Content-Type": kind}
        )
        force_setattr(self, "method", "POST" if self.method == "GET" else self.method)
        force_setattr(self, "body", body)
        force_setattr(self, "json", UNSET)
        force_setattr(self, "form", None)


FetchErrorKind = Literal[
    "timeout",
    "refused",
    "unreachable",
    "dns",
    "tls",
    "reset",
    "truncated",
    "too_large",
    "redirect",
    "deadline",
    "stopped",
    "local",
    "bad_address",
    "protocol",
    "raised",
]
"""Why there is no answer.

``timeout``: the total time limit. ``dns``: there is no such name, or it has no address. ``truncated``: the body ended early.
``too_large``: the size limit. ``redirect``: refused or a loop. ``deadline``: the pass ran out of time. ``stopped``: a signal
ended the pass. ``local``: this machine's fault, as out of sockets, no network here, or no name server that answers.
``raised``: a function given to ``run.map`` raised.
"""


class FetchError(Struct, frozen=True, kw_only=True):
    """Why an exchange or a call brought nothing: a kind to decide by and a sentence to show."""

    kind: FetchErrorKind
    message: str


_LONGEST_VALIDATOR = 1000
_VALIDATORS = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}


class Phases(Struct, frozen=True, kw_only=True):
    """What the time of an exchange went into, in milliseconds; of its last address, where redirects led on.

    Attributes:
        name_ms: until the name was resolved; 0 where it was known.
        connect_ms: until the connection was there; 0 on one that was kept open.
        tls_ms: until TLS was spoken on it; likewise.
        first_byte_ms: from the request to the first byte of its answer.
    """

    name_ms: float
    connect_ms: float
    tls_ms: float
    first_byte_ms: float


class Answer(Struct, Generic[Tag], frozen=True, kw_only=True):
    """What became of one request: a status with headers and body, or an error; never an exception.

    Attributes:
        status: HTTP status, or 0 with an ``error``.
        headers: names in lower case; of repeated headers the values joined by ``", "``.
        body: decoded bytes, whole.
        address: of the machine that answered; empty without an answer, or through a proxy.
        started_at: when the exchange started, as ``clock.now`` says.
        elapsed_ms: from the first connect to the last byte, by the monotonic clock.
        phases: what that time went into, where the engine measures it: libcurl's does (extra ``curl``).
    """

    request: Request[Tag]
    status: int = 0
    headers: Mapping[str, str] = {}
    body: bytes = b""
    address: str = ""
    started_at: datetime
    elapsed_ms: float
    phases: Phases | None = None
    error: FetchError | None = None

    @property
    def is_ok(self) -> bool:
        """Whether the upstream answered with a status from 200 to 299."""
        return self.error is None and 200 <= self.status < 300  # noqa: PLR2004

    @property
    def text(self) -> str:
        """The body as text: by the mark that it begins with, the charset of its header, its own ``meta``, else as UTF-8."""
        from pollctl.api.bodies import text_of

        return text_of(self.body, self.headers.get("content-type", ""))

    def json(self, type: Any = Any) -> Any:  # noqa: A002 - msgspec's word
        """The body as a value of a type, read strictly; see ``pollctl.strict_json``.

        Raises:
            ValueError: a short reason.
        """
        from pollctl.untrusted_json import strict_json

        return strict_json(self.body, type)

    @property
    def is_unchanged(self) -> bool:
        """Whether the upstream answered that nothing has changed since the answer that the request names (304)."""
        return self.error is None and self.status == 304  # noqa: PLR2004

    @property
    def validators(self) -> dict[str, str]:
        """The headers with which a later request asks whether this answer has changed; none where the upstream named none."""
        named = {name: self.headers.get(source, "") for name, source in _VALIDATORS.items()}
        return {
            name: value
            for name, value in named.items()
            if value.isascii() and value.isprintable() and 0 < len(value) <= _LONGEST_VALIDATOR
        }


class Result(Struct, frozen=True, kw_only=True):
    """What became of one call of ``run.map``: the item, and its value or why there is none."""

    item: Any
    value: Any = None
    started_at: datetime
    elapsed_ms: float
    error: FetchError | None = None
