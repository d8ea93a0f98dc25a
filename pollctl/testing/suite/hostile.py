"""What is seen when upstreams misbehave: whether the deadline is kept, and whether secrets come out."""

from __future__ import annotations

import base64
import json
import re
import time
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from http import HTTPStatus
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import quote, quote_plus

import msgspec
from msgspec import Struct

from pollctl import fakes
from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl.plugin_host.blame import class_place
from pollctl.redaction import Secret
from pollctl.testing.bench import Bench
from pollctl.testing.killing import printed_report
from pollctl.testing.suite.subject import Arranged, Subject

DEADLINE_S = 2
_GRACE_S = 8.0
"""How much later a pass may end: machines on which tests run are busy."""
_PAUSE_S = 0.1
_LONGEST_S = 30.0
_OF_EACH_ITEM, _OF_EACH_KEY = "[]", "*"
"""In the path of a secret: it stands in each item of a list, or under each key of a table."""


class Trickle(FakeUpstream):
    """Answers with a byte at a time, for as long as anybody listens."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port=port)
        self._server.RequestHandlerClass = _TricklingHandler


class _TricklingHandler(fakes._Handler):  # noqa: SLF001 - how it reads a request
    def do_GET(self) -> None:  # noqa: N802 - as below
        self.close_connection = True
        until = time.monotonic() + _LONGEST_S
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
            while time.monotonic() < until:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(_PAUSE_S)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = do_GET  # noqa: N815 - the names that http.server looks for


def deadline(subject: Subject) -> list[str]:
    """A pass whose upstream trickles ends by itself, in time."""
    with subject.arranged() as arranged, Trickle() as trickle:
        if arranged.upstream:
            arranged.upstream.begin(Trickle)
        bench = arranged.bench
        env = {**bench.environment(), "http_proxy": trickle.url, "https_proxy": trickle.url}
        words = ["run", subject.name, "--json", "--deadline", f"{DEADLINE_S}s"]
        bench.passes.run(["plugins"], bench.folder, env, 0)  # what makes passes has started
        began = time.monotonic()
        ended = bench.passes.run(words, bench.folder, env, 0)
        took = time.monotonic() - began
    if printed_report(ended.stdout) is None:
        return [
            (
                f"{subject.place('pollctl_fetch')}: a pass of {DEADLINE_S} s against an upstream that trickles is ended by force "
                f"({' '.join(ended.stderr.split())}); ask through run, and look at run.is_stopping in what waits"
            )
        ]
    if took > DEADLINE_S + _GRACE_S:
        return [
            (
                f"{subject.place('pollctl_fetch')}: a pass of {DEADLINE_S} s against an upstream that trickles took {took:.1f} s; "
                "give what waits a limit"
            )
        ]
    return []


def secrets(subject: Subject) -> list[str]:
    """Secrets of the settings come out nowhere, whatever an upstream says that repeats them."""
    with subject.arranged() as arranged:
        planted = _plant(arranged.bench, subject)
        if not planted:
            return []
        found = dict.fromkeys(one for fault in FAULTS for one in _leaks(arranged, planted, fault))
    return [f"{class_place(subject.plugin.poller.settings)}: {one}" for one in found]


def _plant(bench: Bench, subject: Subject) -> Mapping[str, str]:
    """Put a canary into each secret of the settings with which a pass still begins; answers which, by the names of the settings."""
    tables = tomllib.loads((bench.folder / "pollctl.toml").read_text(encoding="utf-8"))
    sections = tables["plugins"]
    planted: dict[str, str] = {}
    for path in _secret_places(subject.plugin.poller.settings):
        name = ".".join(path)
        canary = f"canary-{re.sub(r'[^a-z0-9]+', '-', name)}-7f3a"
        before = sections[subject.name]
        sections[subject.name] = _with(before, path, canary)
        bench.settings(_text(tables))
        if bench.plan().outcome:
            planted[name] = canary
        else:
            sections[subject.name] = before
    bench.settings(_text(tables))
    return planted


def _text(tables: Mapping[str, Any]) -> str:
    import tomlkit

    return tomlkit.dumps(tables)


def _secret_places(kind: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where values of a type have secrets, in the structs, lists and tables within them too."""
    if kind is Secret:
        yield path
    elif isinstance(kind, type) and issubclass(kind, Struct):
        for field in msgspec.structs.fields(kind):
            yield from _secret_places(field.type, (*path, field.encode_name))
    elif get_origin(kind) in (Union, UnionType, Annotated):
        for one in get_args(kind):
            yield from _secret_places(one, path)
    elif isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Collection):
        is_table = issubclass(get_origin(kind), Mapping)
        for inner in dict.fromkeys(get_args(kind)[is_table:]):
            yield from _secret_places(inner, (*path, _OF_EACH_KEY if is_table else _OF_EACH_ITEM))


def _with(value: Any, path: Sequence[str], canary: str) -> Any:
    """What stands in the settings, with a canary at a place; within a list or table in each of its items, or in a first one."""
    if not path:
        return _canary_like(value, canary)
    first, *rest = path
    table = value if isinstance(value, dict) else {}
    if first == _OF_EACH_ITEM:
        return [_with(one, rest, canary) for one in (isinstance(value, list) and value) or [None]]
    if first == _OF_EACH_KEY:
        return {key: _with(one, rest, canary) for key, one in (table or {"canary": None}).items()}
    return {**table, first: _with(table.get(first), rest, canary)}


def _canary_like(value: Any, canary: str) -> str:
    """A canary; where an address stands it is the login of that, so that messages still arrive."""
    scheme, is_address, rest = value.partition("://") if isinstance(value, str) else ("", "", "")
    return f"{scheme}://{canary}@{rest.rpartition('@')[2]}" if is_address else canary


def _leaks(arranged: Arranged, planted: Mapping[str, str], fault: str) -> Iterator[str]:
    """Which secrets come out of a pass whose upstream repeats what it was told."""
    bench = arranged.bench
    if arranged.upstream:
        arranged.upstream.begin(lambda port: Parrot(FAULTS[fault], port))
    bench.answer_all(FAULTS[fault])
    result = bench.at("+10m").run()
    shown = {
        "what the pass logs": result.log + result.error,
        "what `pollctl history` prints": bench.command("history", "--json", code=None),
        "what `pollctl report` prints": bench.command("report", "--json", code=None),
        "the database": _dump(bench),
    }
    for name, secret in planted.items():
        for place, text in shown.items():
            if any(spelling in text for spelling in spellings(secret)):
                yield f"{name}, a secret, stands in {place} when an upstream {fault}; mask it, or do not keep it"


def _dump(bench: Bench) -> str:
    """The database, but for the table in which the core keeps people's addresses until they are told."""
    import sqlite3

    with closing(sqlite3.connect(bench.folder / "pollctl.db")) as db:
        return "\n".join(line for line in db.iterdump() if not line.startswith('INSERT INTO "outbox_addresses"'))


def spellings(secret: str) -> set[str]:
    """A secret as it may come out: plain, in JSON, in an address, in a form, in base64 at each of its three offsets."""
    found = {
        secret,
        json.dumps(secret)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret)[1:-1],
    }
    for shift in range(3):
        packed = base64.b64encode(b"x" * shift + secret.encode()).decode()
        found.add(packed[4 : len(packed) - 4] if shift else packed[: len(packed) - 4])
    return found


class Parrot(FakeUpstream):
    """Answers each request with all that it said, in one way."""

    def __init__(self, answer: Callable[[ServerRequest], ServerResponse], port: int) -> None:
        super().__init__(port=port)
        self._answer = answer

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Repeat it."""
        return self._answer(request)


def _said(request: ServerRequest) -> str:
    return "\n".join(
        [request.address, *(f"{name}: {value}" for name, value in request.headers.items()), _body(request)]
    )


def _body(request: ServerRequest) -> str:
    return request.body.decode("utf-8", "replace")


def _refused(status: HTTPStatus) -> Callable[[ServerRequest], ServerResponse]:
    return lambda request: ServerResponse.json({"error": _said(request), "message": _said(request)}, status)


FAULTS: Mapping[str, Callable[[ServerRequest], ServerResponse]] = {
    "refuses its login and repeats it": _refused(HTTPStatus.UNAUTHORIZED),
    "fails and repeats the request": _refused(HTTPStatus.INTERNAL_SERVER_ERROR),
    "answers with the request": lambda request: ServerResponse(200, _said(request).encode()),
    "answers with the request as JSON": lambda request: ServerResponse.json([_said(request)]),
    "leads elsewhere, with the request in the address": lambda request: ServerResponse(
        302, b"", {"Location": f"http://elsewhere.example.net/?q={quote(_said(request))}"}
    ),
}
