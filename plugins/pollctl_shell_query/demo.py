"""shell_query in ``pollctl demo``: hanging in Queued, proven finished by REST, told of, and never deleted twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pollctl_shell_query.fake import LOGIN_FAILED, PROCESSING, QUEUED, FakeMarketingCloud

if TYPE_CHECKING:
    from pollctl.demo import DemoSession
    from pollctl.fakes import Playground

_ROWS = (("Ada", 31), ("Grace", 17), ("Edsger", 4))


def run(session: DemoSession) -> None:
    """Carry one query through an upstream that forgets to say that it is done."""
    with FakeMarketingCloud() as upstream:
        upstream.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        upstream.script, upstream.running = [QUEUED], [True, False]
        upstream.rows = [{"keys": {"Name": name}, "values": {"Opens": str(opens)}} for name, opens in _ROWS]
        session.title("shell_query: is my query done?")
        session.settings(upstream.settings(jitter=0))
        session.say("A query is submitted; its rows are to go to a data extension. The next pass starts it.")
        run_id = _submit(session)
        session.passes("shell_query", _at(0, 5))
        session.say(
            "Its status says Queued, and goes on saying so. After three minutes REST is asked whether it runs at all:"
        )
        session.passes("shell_query", _at(1, 0), _at(2, 0), _at(3, 10))
        session.say("It does. A minute later it does not; one such answer does not prove it, so it is asked again:")
        session.passes("shell_query", _at(4, 10))
        session.pollctl("shell-query", "runs", at=_at(4, 12))
        session.passes("shell_query", _at(4, 45))
        session.say("Twice, far enough apart, and its rows can be read. The definition is deleted, and Ada is told.")
        session.expect("the definition is deleted", is_so=not upstream.definitions)
        session.expect_messages("ada", "Query opens is ready")
        session.pollctl("shell-query", "wait", run_id, at=_at(4, 48))
        session.pollctl("shell-query", "results", run_id, "--format", "csv", at=_at(4, 50))
        _own_target(session, upstream)
        _sweep(session, upstream)


def _own_target(session: DemoSession, upstream: FakeMarketingCloud) -> None:
    upstream.script, upstream.running = [PROCESSING], [True, False]
    session.say(
        "A data extension made for the query is empty at first. A row in it is a hint: REST is asked at once, and rows that "
        "are still on their way are waited for. A login that is refused for once changes nothing:"
    )
    arguments = ("--sql", "SELECT Name, Opens FROM Subscribers", "--create-target", "Name:Text(50),Opens:Number")
    session.pollctl("shell-query", "submit", *arguments, "--name", "early", at=_at(6, 0))
    upstream.rows, every = upstream.rows[:1], upstream.rows
    session.passes("shell_query", _at(6, 5))
    upstream.replies["status"] = [LOGIN_FAILED, LOGIN_FAILED]
    session.passes("shell_query", _at(6, 10), code=1)
    session.passes("shell_query", _at(6, 20), _at(6, 40))
    upstream.rows = every
    session.passes("shell_query", _at(7, 0))
    session.pollctl("shell-query", "runs", at=_at(7, 1))
    session.expect("all rows were waited for", is_so=_asked(session, "row_count", "early") == len(every))


def _sweep(session: DemoSession, upstream: FakeMarketingCloud) -> None:
    session.say(
        "The upstream goes on listing deleted definitions as Inactive. The sweep of the next days leaves them alone:"
    )
    session.passes("shell_query", "2026-03-03T10:00:00Z", "2026-03-04T10:00:00Z")
    session.expect("each definition was deleted once", is_so=set(upstream.deletes.values()) == {1})


def playground(port: int) -> Playground:
    """A Marketing Cloud in which each query ends with three rows."""
    from pollctl.fakes import Playground

    upstream = FakeMarketingCloud(port=port)
    upstream.rows = [{"keys": {"Name": name}, "values": {"Opens": str(opens)}} for name, opens in _ROWS]
    hint = (
        "pollctl shell-query submit --sql 'SELECT Name, Opens FROM Subscribers' --target Opens; pollctl run shell_query"
    )
    return Playground(upstream, upstream.settings(), hint)


def _submit(session: DemoSession) -> str:
    arguments = ("--sql", "SELECT Name, Opens FROM Subscribers", "--target", "Opens_This_Week", "--name", "opens")
    session.pollctl("shell-query", "submit", *arguments, "--notify", session.inbox("ada"), at=_at(0, 0))
    return str(_asked(session, "id", "opens"))


def _asked(session: DemoSession, column: str, name: str) -> Any:
    """What the database holds of a run."""
    with closing(sqlite3.connect(session.folder / "pollctl.db")) as db:
        return db.execute(f"SELECT {column} FROM shell_query_runs WHERE name = ?", [name]).fetchone()[0]  # noqa: S608


def _at(minute: int, second: int) -> str:
    return f"2026-03-02T09:{minute:02d}:{second:02d}Z"
