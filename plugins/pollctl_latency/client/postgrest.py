"""PostgREST, as Supabase serves it: requests with the right headers, and answers as far as the mirror looks at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from pollctl import Answer, Request, __version__, retry_after, strict_json
from pollctl_latency.model import RemoteJob, Settings, Supabase

Send = Callable[[Request], Answer]
Params = Sequence[tuple[str, str]]

_COUNT = re.compile(r".*/(\d+)")
_MISSING = {
    "42501": "GRANT missing",
    "42P01": "table missing",
    "PGRST205": "table missing",
    "42703": "column missing",
    "PGRST204": "column missing",
}
"""Codes that say what must be set up there (https://docs.postgrest.org/en/stable/references/errors.html)."""
_ROW_ERROR = re.compile(r"2[23]...")
"""SQLSTATE classes of values that a row must not have."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request.

    Attributes:
        status: of HTTP; 0 without an answer.
        rows: of the body, where there is one.
        count: how many rows were written, where it was asked.
        code: of PostgreSQL or PostgREST, where the answer is an error; its message may quote rows and is left out.
        reason: in a few words what went wrong; empty with a success.
        retry_after: when it wants to be asked again.
    """

    status: int
    rows: list[dict[str, Any]] = []
    count: int | None = None
    code: str = ""
    reason: str = ""
    retry_after: timedelta | None = None

    @property
    def is_ok(self) -> bool:
        """Whether it did what was asked."""
        return not self.reason

    @property
    def is_refusal(self) -> bool:
        """Whether asking again is in vain until a person has changed something: a key, a table, a GRANT."""
        return self.status in (401, 403) or self.code in _MISSING

    @property
    def blames_a_row(self) -> bool:
        """Whether one of the rows sent is what it will not take."""
        is_known = bool(_ROW_ERROR.fullmatch(self.code))
        return is_known or (self.status == 400 and not self.code.startswith("PGRST") and self.code not in _MISSING)  # noqa: PLR2004

    @property
    def misses_its_job(self) -> bool:
        """Whether the job that the rows belong to is not there any more (a foreign key)."""
        return self.code == "23503"


class PostgRest:
    """The API of one project.

    Args:
        supabase: where it is, and the key.
        send: makes one exchange; errors are answered, not raised.
    """

    def __init__(self, supabase: Supabase, send: Send) -> None:
        self._base = f"{(supabase.url or '').rstrip('/')}/rest/v1"
        self._headers = headers(supabase.key.reveal())
        self._send = send

    def get(self, table: str, params: Params) -> Reply:
        """Rows of a table."""
        return self._ask("GET", table, params)

    def post(self, table: str, params: Params, rows: Sequence[Mapping[str, Any]], prefer: str) -> Reply:
        """Insert rows."""
        return self._ask("POST", table, params, rows, prefer)

    def patch(self, table: str, params: Params, row: Mapping[str, Any], prefer: str) -> Reply:
        """Change the rows that *params* filter."""
        return self._ask("PATCH", table, params, row, prefer)

    def _ask(self, method: str, table: str, params: Params, body: Any = None, prefer: str = "") -> Reply:
        request = Request(
            url=f"{self._base}/{table}?{urlencode(params, quote_via=quote, safe='(),.:*')}",
            method=method,
            headers={**self._headers, **({"Prefer": prefer} if prefer else {})},
            body=None if body is None else msgspec.json.encode(body),
            follow=False,
        )
        return read_reply(self._send(request))


def missing(settings: Settings, send: Send) -> list[str]:
    """What `check` says of the other side: a key that it refuses, a table, column or GRANT that it lacks."""
    if not settings.supabase.url:
        return []
    columns = ",".join(RemoteJob.__struct_fields__)
    reply = PostgRest(settings.supabase, send).get("jobs", [("select", columns), ("limit", "1")])
    return [] if reply.is_ok else [f"jobs kept elsewhere: {explain(reply, 'jobs')}"]


def headers(key: str) -> dict[str, str]:
    """What each request carries: a JWT goes as a bearer token too, any other key must not."""
    own = {"apikey": key, "User-Agent": f"pollctl-latency/{__version__}", "Content-Type": "application/json"}
    return {**own, "Authorization": f"Bearer {key}"} if is_jwt(key) else own


def is_jwt(key: str) -> bool:
    """Whether a key is one of the older kind, a JSON Web Token."""
    return key.startswith("eyJ") and key.count(".") == 2  # noqa: PLR2004 - header, claims, signature


def read_reply(answer: Answer) -> Reply:
    """An answer without what it quotes of rows."""
    if answer.error is not None:
        return Reply(status=0, reason=answer.error.message)
    pause = retry_after(answer, datetime.now(UTC)) if answer.status in (429, 503) else None
    try:
        body = strict_json(answer.body, Any) if answer.body else []
    except ValueError:
        return Reply(status=answer.status, reason=f"{answer.status}, not JSON", retry_after=pause)
    if answer.is_ok and isinstance(body, list):
        counted = _COUNT.fullmatch(answer.headers.get("content-range", ""))
        return Reply(status=answer.status, rows=body, count=int(counted[1]) if counted else None)
    code = str(body.get("code") or "") if isinstance(body, dict) else ""
    code = code if re.fullmatch(r"[A-Z0-9]{5,8}", code) else ""
    return Reply(status=answer.status, code=code, reason=f"{answer.status} {code}".strip(), retry_after=pause)


def explain(reply: Reply, table: str) -> str:
    """What a person must know of an answer: ``GRANT missing on jobs: see supabase.sql (403 42501)``."""
    if reply.code in _MISSING:
        return f"{_MISSING[reply.code]} on {table}: see supabase.sql ({reply.reason})"
    return f"key refused ({reply.reason})" if reply.status in (401, 403) else reply.reason
