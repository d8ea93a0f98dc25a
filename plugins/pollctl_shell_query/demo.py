"""The story that ``pollctl demo`` tells of shell_query: submitted, hanging in Queued, proven finished by REST, rows printed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pollctl_shell_query.fake.upstream import QUEUED, FakeMarketingCloud

if TYPE_CHECKING:
    from pollctl.demo import DemoSession

_ROWS = (("Ada", 31), ("Grace", 17), ("Edsger", 4))


def tell(stage: DemoSession) -> None:
    """Carry one query through an upstream that forgets to say that it is done."""
    with FakeMarketingCloud() as upstream:
        upstream.script, upstream.running = [QUEUED], [True, False]
        upstream.rows = [{"keys": {"Name": name}, "values": {"Opens": str(opens)}} for name, opens in _ROWS]
        stage.title("shell_query: is my query done?")
        stage.settings(upstream.settings(jitter=0))
        stage.say("A query is submitted; its rows shall go to a data extension. The next pass starts it.")
        run_id = _submit(stage)
        stage.passes("shell_query", _at(0, 5))
        stage.say(
            "Its status says Queued, and goes on saying so. After three minutes REST is asked whether it runs at all:"
        )
        stage.passes("shell_query", _at(1, 0), _at(2, 0), _at(3, 10))
        stage.say("It does. A minute later it does not; one such answer is no proof, so it is asked again:")
        stage.passes("shell_query", _at(4, 10))
        stage.pollctl("shell-query", "runs", at=_at(4, 12))
        stage.passes("shell_query", _at(4, 45))
        stage.say("Twice, far enough apart, and its rows can be read. The definition is deleted.")
        stage.pollctl("shell-query", "results", run_id, "--format", "csv", at=_at(4, 50))


def _submit(stage: DemoSession) -> str:
    words = ("--sql", "SELECT Name, Opens FROM Subscribers", "--target", "Opens_This_Week", "--name", "opens")
    stage.pollctl("shell-query", "submit", *words, at=_at(0, 0))
    with closing(sqlite3.connect(stage.folder / "pollctl.db")) as db:
        return str(db.execute("SELECT id FROM shell_query_runs").fetchone()[0])


def _at(minute: int, second: int) -> str:
    return f"2026-03-02T09:{minute:02d}:{second:02d}Z"
