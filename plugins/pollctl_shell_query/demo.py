"""shell_query in ``pollctl demo``: submitted, hanging in Queued, proven finished by REST, rows printed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pollctl_shell_query.fake import QUEUED, FakeMarketingCloud

if TYPE_CHECKING:
    from pollctl.demo import DemoSession
    from pollctl.fakes import Playground

_ROWS = (("Ada", 31), ("Grace", 17), ("Edsger", 4))


def run(session: DemoSession) -> None:
    """Carry one query through an upstream that forgets to say that it is done."""
    with FakeMarketingCloud() as upstream:
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
        session.say("Twice, far enough apart, and its rows can be read. The definition is deleted.")
        session.expect("the definition is deleted", is_so=not upstream.definitions)
        session.pollctl("shell-query", "results", run_id, "--format", "csv", at=_at(4, 50))


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
    session.pollctl("shell-query", "submit", *arguments, at=_at(0, 0))
    with closing(sqlite3.connect(session.folder / "pollctl.db")) as db:
        return str(db.execute("SELECT id FROM shell_query_runs").fetchone()[0])


def _at(minute: int, second: int) -> str:
    return f"2026-03-02T09:{minute:02d}:{second:02d}Z"
