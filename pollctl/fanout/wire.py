"""Requests and answers on their way between machines; nothing shows them, because headers hold tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Raw, Struct, msgpack
from msgspec.structs import replace

from pollctl import clock
from pollctl.api.values import Answer, FetchError, Phases, Request
from pollctl.http.limits import Limits

_REQUEST = msgpack.Decoder(Request[int])
_REQUESTS = msgpack.Decoder(list[Request[int]])


class Sealed:
    """Bytes whose ``repr`` says nothing of them."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __repr__(self) -> str:
        return "<sealed>"


def cut(sealed: Sealed, largest: int) -> list[Sealed]:
    """The same in parts of so many bytes at most; at least one."""
    content = sealed.content
    return [Sealed(content[start : start + largest]) for start in range(0, len(content), largest)]


def joined(parts: Iterable[Sealed]) -> Sealed:
    """What was cut."""
    return Sealed(b"".join(part.content for part in parts))


class Reply(Struct, frozen=True, array_like=True):
    """An answer without its request.

    Attributes:
        number: of the request.
        age_s: how long ago it was begun; the clocks of two machines need not agree.
    """

    number: int
    age_s: float
    elapsed_ms: float
    status: int
    headers: Mapping[str, str]
    body: bytes
    address: str
    phases: Phases | None
    error: FetchError | None


class Terms(Struct, frozen=True, array_like=True):
    """What holds for every exchange, as far as it means something on another machine."""

    timeout: float
    max_body: int
    user_agent: str
    authorities: bytes | None

    @classmethod
    def of(cls, limits: Limits) -> Terms:
        """Those of a pass.

        Raises:
            OSError: its file of authorities cannot be read.
        """
        authorities = limits.ca_file.read_bytes() if limits.ca_file else None
        return cls(limits.timeout, limits.max_body, limits.user_agent, authorities)

    def limits(self, ca_file: Path | None) -> Limits:
        """What they are where the authorities lie in a file; each machine takes the engine that it has."""
        return Limits(timeout=self.timeout, max_body=self.max_body, user_agent=self.user_agent, ca_file=ca_file)


def packed(request: Request, number: int) -> Raw:
    """A request with a number in place of its tag, which may be anything.

    Raises:
        ValueError: it holds what cannot travel, or would not be taken for a request there; ``TypeError`` likewise.
    """
    content = msgpack.encode(replace(request, tag=number))
    _REQUEST.decode(content)
    return Raw(content)


def sealed_requests(requests: Iterable[Raw]) -> Sealed:
    """Requests on their way."""
    return Sealed(msgpack.encode(list(requests)))


def opened_requests(sealed: Sealed) -> Sequence[Request[int]]:
    """The same where they are made; the tag of each is its number."""
    return _REQUESTS.decode(sealed.content)


def sealed_replies(answers: Iterable[Answer[int]]) -> Sealed:
    """Answers on their way back."""
    now = clock.now()
    return Sealed(msgpack.encode([_reply(answer, (now - answer.started_at).total_seconds()) for answer in answers]))


def opened_replies(sealed: Sealed) -> Sequence[Reply]:
    """The same where they were wanted."""
    return msgpack.decode(sealed.content, type=list[Reply])


def _reply(answer: Answer[int], age_s: float) -> Reply:
    return Reply(
        number=answer.request.tag,
        age_s=age_s,
        elapsed_ms=answer.elapsed_ms,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        address=answer.address,
        phases=answer.phases,
        error=answer.error,
    )
