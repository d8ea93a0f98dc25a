"""A small PostgREST behind a gateway like Supabase's, on the loopback: what the mirror asks, and faults on request."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64decode
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl_latency.fake.filters import Condition, where
from pollctl_latency.fake.rows import Rows, SqlError, SqliteRows

SECRET_KEY = "sb_secret_of_the_fake"  # noqa: S105 - of a fake
_STATUSES = {"23503": 409, "23505": 409, "42501": 403, "42P01": 404}
"""HTTP statuses of SQLSTATEs, as PostgREST maps them; any other is 400."""
MAX_ROWS = 1000


class Fault(NamedTuple):
    """How one request fails.

    Attributes:
        code: of the body, as PostgREST would say it.
        is_after: whether the request is done all the same, and only its answer is lost.
        table: which requests it concerns; all where empty.
    """

    status: int = 503
    code: str = "PGRST002"
    is_after: bool = False
    table: str = ""


class Refused(Exception):  # noqa: N818 - an answer
    """An answer with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.response = ServerResponse.json({"code": code, "details": None, "hint": None, "message": message}, status)


class FakePostgrest(FakeUpstream):
    """To be used with ``with``.

    Args:
        rows: where they are kept; SQLite in memory by default.

    Attributes:
        requests: in the order of arrival.
        faults: what becomes of the next requests.
        outage: what becomes of all, while it is set.
        then: called after each request is done, before it is answered.
    """

    def __init__(self, rows: Rows | None = None, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.rows: Rows = rows or SqliteRows()
        self.requests: list[ServerRequest] = []
        self.faults: deque[Fault] = deque()
        self.outage: Fault | None = None
        self.then: Callable[[ServerRequest], object] = lambda _: None
        self._lock = threading.Lock()

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Answer one request, or fail as was asked for."""
        table = request.parts[-1]
        with self._lock:
            self.requests.append(request)
            fault = self.outage
            if fault is None and self.faults and self.faults[0].table in ("", table):
                fault = self.faults.popleft()
        if fault and not fault.is_after:
            return Refused(fault.status, fault.code, "as was asked for").response
        try:
            response = self._answer(request, table, role_of(request))
        except Refused as refused:
            response = refused.response
        except SqlError as error:
            response = Refused(_STATUSES.get(error.state, 400), error.state, str(error)).response
        self.then(request)
        return response._replace(is_lost=True) if fault else response

    def create(self, remote_id: str, target: str, *, started_at: str) -> None:
        """A job as the web application would create it."""
        sql = "INSERT INTO jobs (id, target, monitoring_mode, started_at) VALUES (?, ?, 'real_polling', ?)"
        self.rows.execute(sql, [remote_id, target, started_at], "service_role")

    def numbers(self, remote_id: str) -> list[int]:
        """The numbers of the samples of a job that have arrived."""
        sql = "SELECT sequence_number FROM samples WHERE job_id = ? ORDER BY sequence_number"
        return [row["sequence_number"] for row in self.rows.execute(sql, [remote_id], "service_role").rows]

    def _answer(self, request: ServerRequest, table: str, role: str) -> ServerResponse:
        query = parse_qsl(urlsplit(request.address).query, keep_blank_values=True)
        try:
            condition = where(query)
        except ValueError as error:
            raise Refused(400, "PGRST100", f"failed to parse filter ({error})") from error
        options = dict(query)
        prefer = request.headers.get("prefer", "")
        match request.method:
            case "GET":
                return self._select(table, condition, options, role)
            case "POST":
                return self._insert(table, json.loads(request.body), options, role)
            case _:
                return self._update(table, condition, options, json.loads(request.body), role, prefer)

    def _select(self, table: str, condition: Condition, options: dict[str, str], role: str) -> ServerResponse:
        column, _, direction = options.get("order", "").partition(".")
        order = f" ORDER BY {column} {direction or 'asc'}" if column else ""
        limit = min(int(options.get("limit", MAX_ROWS)), MAX_ROWS)
        sql = f"SELECT {options.get('select', '*')} FROM {table}{condition.sql}{order} LIMIT {limit}"  # noqa: S608 - a fake
        return ServerResponse.json(self.rows.execute(sql, condition.values, role).rows)

    def _insert(self, table: str, rows: list[dict[str, Any]], options: dict[str, str], role: str) -> ServerResponse:
        names = options["columns"].split(",")
        marks = ", ".join(f"({', '.join('?' for _ in names)})" for _ in rows)
        conflict = options["on_conflict"]
        sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES {marks} ON CONFLICT ({conflict}) DO NOTHING"  # noqa: S608 - a fake
        done = self.rows.execute(sql, [row.get(name) for row in rows for name in names], role)
        return ServerResponse(201, headers={"Content-Range": f"*/{done.touched}"})

    def _update(
        self, table: str, condition: Condition, options: dict[str, str], row: dict[str, Any], role: str, prefer: str
    ) -> ServerResponse:
        changes = ", ".join(f"{name} = ?" for name in row)
        returning = f" RETURNING {options.get('select', '*')}" if "return=representation" in prefer else ""
        sql = f"UPDATE {table} SET {changes}{condition.sql}{returning}"  # noqa: S608 - a fake
        done = self.rows.execute(sql, [*row.values(), *condition.values], role)
        return ServerResponse.json(done.rows) if returning else ServerResponse(204)


def role_of(request: ServerRequest) -> str:
    """The gateway's look at the key, then PostgREST's at the token.

    Raises:
        Refused: it is not one that counts.
    """
    key, token = request.headers.get("apikey", ""), request.bearer
    if request.headers.get("user-agent", "").startswith("Mozilla/"):
        raise Refused(401, "", "Forbidden use of secret API key in browser")
    if token and token.count(".") != 2:  # noqa: PLR2004 - a JWT
        raise Refused(401, "PGRST301", "Expected 3 parts in JWT")
    if key == SECRET_KEY:
        return "service_role"
    if not token or key != token:
        raise Refused(401, "", "Invalid API key")
    claims = token.split(".")[1]
    return str(json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("role", "anon"))
