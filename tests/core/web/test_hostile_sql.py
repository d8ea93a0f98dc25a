"""Whatever is asked, in whatever form: no private column in any answer (rule 8)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from core.targets.watching import FEEDS
from core.web.hostile import GUESSES, STATEMENTS, betrays
from core.web.served import Served, plant, serving
from full_database import SETTINGS, lay_out
from plugin_package import make_plugin_package, run_pollctl
from sample_plugin import PLAIN, plugin

from pollctl.plugin_host.declarations import private_columns
from pollctl.plugin_host.discovery import discover
from pollctl.plugin_host.loader import load
from pollctl.store.shown_columns import OF_CORE
from pollctl.targets.report import privacy

pytest.importorskip("datasette")

PLUGINS = ("latency", "shell_query", "soc_sections", "stockx_ops", "toilet_gap")
DECLARED: Mapping[str, Mapping[str, bool]] = {
    **OF_CORE,
    **{
        table: columns
        for name, found in discover().items()
        if name in PLUGINS
        for table, columns in private_columns(load(found)).items()
    },
    **privacy("feeds"),
}
PRIVATE = [(table, name) for table, columns in DECLARED.items() for name, is_private in columns.items() if is_private]
UNKNOWN = ["silent_notes", "nobodys", "sqlite_sequence", "sqlite_stat1", "sqlite_stat4"]
"""Tables of a plugin that declares nothing, of nobody, and of SQLite's own."""
LIES = """
@hookimpl
def pollctl_private():
    return {
        "stockx_accounts": {"access_token": False}, "outbox_addresses": {"url": False}, "silent_notes": {"word": False},
        "nobodys": {"word": False}, "sqlite_sequence": {"name": False}, "sqlite_master": {"name": False},
    }
"""
SILENT = plugin(
    "silent",
    "Says nothing.",
    {"Settings": "", "Batch": "", "Done": ""},
    tables=["notes (id INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT)"],
    fetch="(run):\n    yield from ()",
    decide="(state, batch, now, settings):\n    return []",
    apply="(db, decisions, run):\n    return None",
)


def canary(table: str, column: str) -> str:
    """One for each column, of which no other part of an answer has the letters."""
    return f"canary{f'{table}.{column}'.encode().hex()}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hostile")
    lay_out(folder, is_full=True)
    env = make_plugin_package(folder, "feeds", FEEDS, attribute="plugin")
    env = make_plugin_package(folder, "silent", SILENT, env=env)
    env = make_plugin_package(folder, "plain", PLAIN + LIES, env=env)
    (folder / "pollctl.toml").write_text(f"{SETTINGS}\n[plugins.feeds]\n[plugins.silent]\n[plugins.plain]\n")
    assert run_pollctl(folder, env, "db", "migrate").returncode == 0
    with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
        fill(db)
    with serving(folder, env) as found:
        found.log_in()
        yield found


def fill(db: sqlite3.Connection) -> None:
    for table, columns in DECLARED.items():
        if table not in ("plugin_tables", "_sqlite_migrations"):  # what is written there is acted by
            plant(db, table, {name: canary(table, name) for name, is_private in columns.items() if is_private})
    db.execute("ALTER TABLE latency_jobs ADD COLUMN later TEXT")
    db.execute("UPDATE latency_jobs SET later = ?", [canary("latency_jobs", "later")])
    db.execute("CREATE TABLE nobodys (id INTEGER PRIMARY KEY, word TEXT)")
    db.execute("CREATE INDEX nobodys_word ON nobodys (word)")
    db.execute("CREATE VIEW peeping AS SELECT access_token AS word FROM stockx_accounts")
    for table in ("silent_notes", "nobodys"):
        db.execute(f"INSERT INTO {table} (word) VALUES (?)", [canary(table, "word")])
    db.execute("ANALYZE")


EVERYTHING = [*PRIVATE, ("latency_jobs", "later"), ("silent_notes", "word"), ("nobodys", "word")]


@pytest.mark.parametrize(("table", "column"), EVERYTHING, ids=lambda name: name)
def test_no_statement_gives_a_private_column_away(served: Served, table: str, column: str) -> None:
    word, answered = canary(table, column), 0
    for number, template in enumerate(STATEMENTS):
        sql = template.format(t=table, c=column if column != "key" else '"key"')
        answer = served.select(sql, ("json", "csv", "")[number % 3])
        assert answer.status in (200, 400), sql
        assert not betrays(answer.body, word), sql
        answered += answer.status == 200
    assert answered > 25 or table not in DECLARED


@pytest.mark.parametrize(("table", "column"), EVERYTHING, ids=lambda name: name)
def test_no_guess_is_told_right_from_wrong(served: Served, table: str, column: str) -> None:
    answered = 0
    for template in GUESSES:
        sql = template.format(t=table, c=column if column != "key" else '"key"', canary=canary(table, column))
        answer = served.select(sql)
        assert answer.status == 400 or number_in(answer.body) == 0, sql
        answered += answer.status == 200
    assert answered == len(GUESSES) - 2 or table not in DECLARED


def number_in(body: str) -> Any:
    return json.loads(body)["rows"][0][0] or 0


@pytest.mark.parametrize(("table", "column"), PRIVATE, ids=lambda name: name)
def test_no_page_of_a_table_gives_a_private_column_away(served: Served, table: str, column: str) -> None:
    word, at, answered = canary(table, column), f"/pollctl/{table}", 0
    paths = [
        *(at, f"{at}.json", f"{at}.csv", f"{at}.json?_shape=array", f"{at}.json?_nl=on&_shape=array"),
        *(f"{at}?_facet={column}", f"{at}.json?_facet={column}&_facet_size=max", f"{at}.json?_facet_array={column}"),
        *(f"{at}?_sort={column}", f"{at}.json?_sort_desc={column}", f"{at}.json?_col={column}", f"{at}.csv?_dl=1"),
        *(f"{at}.json?_where={column}+is+not+null", f"{at}.json?{column}__notblank=1", f"{at}?_facet_date={column}"),
        *(f"{at}.csv?_labels=on&_size=max", f"{at}.json?_json={column}&_extra=all", f"{at}.json?_labels=on"),
        *(f"{at}.json?_where=1+union+select+{column}+from+{table}", f"{at}.blob?_blob_column={column}"),
    ]
    for path in paths:
        answer = served.ask(path)
        assert answer.status in (200, 400), path
        assert not betrays(answer.body, word), path
        answered += answer.status == 200
    assert answered > 15
    found = served.ask(f"{at}.json?{column}__startswith=canary")
    assert (found.status, json.loads(found.body)["rows"]) == (200, [])


@pytest.mark.parametrize("table", UNKNOWN)
def test_what_nobody_declared_cannot_be_read_at_all(served: Served, table: str) -> None:
    for path in (f"/pollctl/{table}", f"/pollctl/{table}.json", f"/pollctl/{table}.csv"):
        assert served.ask(path).status == 404, path
    for path in (f"/pollctl/{table}/1", f"/pollctl/{table}/1.json", f"/pollctl/{table}/1.blob?_blob_column=word"):
        assert served.ask(path).status == 400, path
    for sql in (
        f"SELECT * FROM {table}",
        f"SELECT count(*) FROM {table}",
        f"SELECT 1 WHERE EXISTS (SELECT 1 FROM {table})",
    ):
        assert served.select(sql).status == 400, sql
    assert f"/pollctl/{table}" not in served.ask("/pollctl").body


def test_a_table_that_is_made_meanwhile_cannot_be_read_either(served: Served) -> None:
    with closing(sqlite3.connect(served.folder / "pollctl.db")) as db, db:
        db.execute("CREATE TABLE latecomer (word TEXT)")
        db.execute("ALTER TABLE holds ADD COLUMN secret TEXT")
        db.execute("INSERT INTO holds VALUES ('a', 'b', 'c', 'canary')")
    assert served.select("SELECT count(*) FROM latecomer").status == 400
    assert json.loads(served.select("SELECT upstream, secret FROM holds WHERE plugin = 'a'").body)["rows"] == [
        ["b", None]
    ]


def test_a_view_of_nobody_cannot_be_read_and_shows_nothing(served: Served) -> None:
    assert served.ask("/pollctl/peeping").status == 404
    assert served.select("SELECT * FROM peeping").status == 400


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM sqlite_dbpage",
        "SELECT data FROM sqlite_dbpage('main')",
        "SELECT * FROM dbstat",
        "SELECT * FROM pragma_table_info('runs')",
        "SELECT * FROM pragma_database_list()",
        "SELECT * FROM sqlite_temp_master",
        "SELECT load_extension('x')",
        "SELECT readfile('pollctl.toml')",
        "SELECT writefile('x', 'y')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT length(hex(zeroblob(100000000)))",
        "SELECT 1; SELECT 2",
        "SELECT '\x00'",
        "PRAGMA query_only=OFF",
        "PRAGMA schema_version=5",
        "ATTACH 'other.db' AS other",
        "VACUUM INTO 'copy.db'",
        "DELETE FROM runs",
        "WITH x AS (SELECT 1) DELETE FROM runs",
        "WITH x AS (SELECT 1) INSERT INTO holds SELECT 'a', 'b', 'c'",
        "WITH x AS (SELECT 1) UPDATE runs SET plugin = 'x'",
        "SELECT * FROM _internal.tables",
    ],
)
def test_what_is_no_plain_question_is_refused(served: Served, sql: str) -> None:
    answer = served.select(sql)
    assert (answer.status, '"ok": false' in answer.body.lower()) == (400, True)


def test_a_plain_question_is_answered(served: Served) -> None:
    asked = "WITH some AS (SELECT 1) SELECT target FROM latency_jobs WHERE (SELECT count(*) FROM some) = 1 AND id = 1"
    assert '"gateway.example.net"' in served.select(asked).body
    assert served.select("SELECT name FROM sqlite_master").status == 200
    assert '"housing"' in served.select("SELECT 1 AS housing, 2 AS using_it").body


@pytest.mark.parametrize(
    "path", ["/pollctl.db", "/pollctl/runs.csv?_stream=1", "/_internal", "/_memory", "/-/permissions"]
)
def test_copies_streams_and_other_databases_are_not_to_be_had(served: Served, path: str) -> None:
    assert served.ask(path).status in (400, 403, 404)


def test_a_statement_ends_after_half_a_second(served: Served) -> None:
    forever = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    began = time.monotonic()
    answer = served.select(forever)
    assert time.monotonic() - began < 3
    assert (answer.status, "took too long" in answer.body or "interrupted" in answer.body.lower()) == (400, True)


def test_no_answer_has_more_than_a_thousand_rows(served: Served) -> None:
    many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000) SELECT x FROM n"
    answer = served.select(many)
    assert '"truncated": true' in answer.body
    assert answer.body.count("[") <= 1003


def test_every_page_of_the_site_answers_and_is_silent_about_canaries(served: Served) -> None:
    paths = [
        "/",
        "/.json",
        "/pollctl",
        "/pollctl.json",
        "/-/dashboards",
        "/-/plugins.json",
        "/-/versions.json",
        "/-/metadata.json",
    ]
    paths += [f"/pollctl/{table}" for table in DECLARED]
    assert json.loads(served.ask("/-/settings.json").body)["allow_download"] is False
    for path in paths:
        answer = served.ask(path)
        assert answer.status == 200, path
        assert "canary" not in answer.body, path


def test_it_says_nothing_on_its_terminal_of_what_it_was_asked(served: Served) -> None:
    """The last test: it ends the process."""
    served.select("SELECT json('canary')")
    _, said = served.end()
    assert "canary" not in said
    assert "Traceback" not in said
