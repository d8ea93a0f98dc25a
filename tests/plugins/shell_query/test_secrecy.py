"""What is a secret, and SQL text, stay where they belong."""

from __future__ import annotations

import hashlib

import pytest
from plugins.shell_query.place import SQL, Place, at

from pollctl_shell_query.fake import COMPLETE, QUEUED, TOKEN_EXPIRED, Reply, envelopes

ODD = "SELECT Name,\u200b  Opens\n FROM Subscribers\u00ad WHERE Note <> 'a & b' AND Opens > 1"


def dumped(place: Place) -> str:
    """The whole database as text, but for the runs themselves."""
    tables = [name for (name,) in place.sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return repr([place.sql(f"SELECT * FROM {name}") for name in tables if name != "shell_query_runs"])


def test_the_sql_text_is_kept_while_the_run_lives_and_nowhere_else(place: Place) -> None:
    place.configure(core='record = "all"')
    place.upstream.replies["create"] = [Reply(status=500, body=envelopes.fault("soap:Server", f"cannot run {SQL}"))]
    run_id = place.submit()
    place.run(0, code=3)
    assert SQL not in dumped(place)
    assert place.row(run_id, "sql_text") == SQL
    place.run(120)
    place.upstream.replies["status"] = [
        Reply(status=500, body=envelopes.fault("soap:Server", f"cannot ask about {SQL}"))
    ]
    place.run(122, code=1)
    assert SQL not in dumped(place)
    place.upstream.script = [COMPLETE]
    place.run(126)
    assert place.row(run_id, "status, sql_text, sql_text_hash") == (
        "ready",
        None,
        hashlib.sha256(SQL.encode()).hexdigest(),
    )
    assert SQL not in dumped(place) + repr(place.row(run_id, "*"))
    assert "SELECT" not in repr(place.sql("SELECT * FROM recordings"))


def test_the_sql_text_is_kept_where_that_is_asked_for(place: Place) -> None:
    place.configure(keep_sql=True)
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    place.run(2)
    assert place.row(run_id, "status, sql_text") == ("ready", SQL)


def test_the_sql_text_of_a_cancelled_run_is_kept_only_where_that_is_asked_for(place: Place) -> None:
    forgotten = place.submit()
    place.do("shell-query", "cancel", forgotten)
    place.configure(keep_sql=True)
    kept = place.submit()
    place.do("shell-query", "cancel", kept)
    assert [place.row(run_id, "sql_text") for run_id in (forgotten, kept)] == [None, SQL]


def test_no_token_and_no_secret_is_recorded_or_shown(place: Place) -> None:
    place.configure(core='record = "all"')
    place.started()
    (token,) = place.upstream.tokens
    tables = ("recordings", "outbox", "runs")
    text = repr([place.sql(f"SELECT * FROM {name}") for name in tables]) + place.stderr
    assert token not in text
    assert place.upstream.client_secret not in text
    assert token not in place.do("plan", "shell_query", "--json", now=at(900))


def echo(before: str, sql: str = ODD) -> Reply:
    """A fault that repeats SQL."""
    return Reply(status=500, body=envelopes.fault("soap:Server", f"{before} {sql}"))


@pytest.mark.parametrize("sql", [ODD, ODD[:60], ODD[-50:]], ids=["whole", "its beginning", "its end"])
def test_no_word_of_the_upstream_brings_the_sql_text_elsewhere(place: Place, sql: str) -> None:
    place.configure(core='record = "all"')
    place.upstream.script = [QUEUED]
    place.upstream.replies["create"] = [echo("cannot create", sql)]
    run_id = place.submit(sql=ODD)
    place.run(0, code=3)
    place.run(120)
    place.upstream.replies["status"] = [echo("cannot ask", sql)]
    place.run(122, code=1)
    place.sql("UPDATE shell_query_runs SET query_definition_id = NULL")
    place.upstream.replies["find"] = [echo("cannot find", sql)]
    place.run(400)
    assert "cannot find" in dumped(place)
    place.upstream.script = [COMPLETE]
    place.upstream.replies["delete"] = [echo("cannot delete", ODD)]
    place.run(460, code=3)
    assert place.row(run_id) == "ready"
    assert "cannot delete" in dumped(place)
    for piece in ("FROM Subscribers", "WHERE Note", "AND Opens"):
        assert piece not in dumped(place) + place.stderr + place.do("outbox", "list")


def test_a_token_that_was_renewed_during_a_delivery_is_kept_and_shown_nowhere(place: Place) -> None:
    place.configure(core='record = "all"')
    run_id = place.submit()
    place.upstream.replies["perform"] = [TOKEN_EXPIRED]
    place.run(0)
    assert place.row(run_id) == "running"
    assert len(place.upstream.tokens) == 2
    ((kept,),) = place.sql("SELECT access_token FROM shell_query_tokens")
    assert kept in place.upstream.tokens
    ((result,),) = place.sql("SELECT result FROM outbox WHERE kind = 'start'")
    assert '"access_token":"***"' in result
    text = repr([place.sql(f"SELECT * FROM {name}") for name in ("recordings", "outbox", "runs")]) + place.stderr
    shown = [
        ("outbox", "list", "--json"),
        ("shell-query", "show", run_id, "--json"),
        ("status", "--json"),
        ("metrics",),
    ]
    text += "".join(place.do(*arguments) for arguments in shown)
    for secret in (*place.upstream.tokens, place.upstream.client_secret):
        assert secret not in text


def test_no_redirect_takes_the_token_along(place: Place) -> None:
    run_id = place.started()
    place.upstream.script = [COMPLETE]
    elsewhere = f"{place.upstream.base_url}/data/v1/customobjectdata/key/other/rowset?$page=1&$pageSize=1"
    place.upstream.replies["rowset"] = [Reply(status=302, headers={"Location": elsewhere})]
    place.run(2)
    assert place.row(run_id) == "running"
    assert ("rowset", "other") not in place.upstream.details
