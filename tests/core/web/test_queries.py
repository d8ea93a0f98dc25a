"""What plugins find worth asking: pages, and tables of dashboards (rule 10)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from core.targets.watching import FEEDS
from core.web.served import Served, serving
from full_database import SETTINGS, lay_out
from plugin_package import make_plugin_package, run_pollctl

from pollctl.inspection.queries import QUERIES
from pollctl.plugin_host.declarations import private_columns, queries
from pollctl.plugin_host.discovery import discover
from pollctl.plugin_host.loader import load
from pollctl.store.shown_columns import OF_CORE
from pollctl.targets import report as of_targets

pytest.importorskip("datasette")

BUILT_IN = {name: load(found) for name, found in discover().items() if found.distribution == "pollctl"}
ALL = {
    "pollctl": QUERIES,
    **{name: queries(plugin) for name, plugin in BUILT_IN.items()},
    "feeds": of_targets.queries("feeds"),
}
NAMED = [(plugin, name, sql) for plugin, found in ALL.items() for name, (_, sql) in found.items()]
COLUMNS = [OF_CORE, *map(private_columns, BUILT_IN.values()), of_targets.privacy("feeds")]
PRIVATE = {
    (table, name) for one in COLUMNS for table, named in one.items() for name, private in named.items() if private
}
BROKEN = """
@hookimpl
def pollctl_queries():
    return {
        "fine": ("Fine", "SELECT 1 AS number"), "gone": ("Gone", "SELECT * FROM gone"), "wrong": ("Wrong", "SELEKT"),
        "private": ("Private", "SELECT payload, result FROM outbox"), "written": ("Written", "DELETE FROM runs"),
        "joined": ("Joined", "SELECT * FROM runs JOIN schedules USING (plugin)"),
    }
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    from sample_plugin import PLAIN

    folder = tmp_path_factory.mktemp("queries")
    lay_out(folder, is_full=True)
    env = make_plugin_package(folder, "feeds", FEEDS, attribute="plugin")
    env = make_plugin_package(folder, "plain", PLAIN + BROKEN, env=env)
    (folder / "pollctl.toml").write_text(f"{SETTINGS}\n[plugins.feeds]\n[plugins.plain]\n")
    assert run_pollctl(folder, env, "db", "migrate").returncode == 0
    with serving(folder, env) as found:
        found.log_in()
        yield found


@pytest.mark.parametrize(("plugin", "name", "sql"), NAMED, ids=lambda value: value if " " not in value else "")
def test_a_named_query_has_a_page_and_an_answer(served: Served, plugin: str, name: str, sql: str) -> None:
    fields = "&".join(f"{field}=1" for field in re.findall(r":([a-z]+)", sql))
    assert served.ask(f"/pollctl/{plugin}-{name}?{fields}").status == 200
    answer = json.loads(served.ask(f"/pollctl/{plugin}-{name}.json?{fields}").body)
    assert (answer["ok"], answer["truncated"]) == (True, False)


@pytest.mark.parametrize(("plugin", "name", "sql"), NAMED, ids=lambda value: value if " " not in value else "")
def test_a_named_query_needs_nothing_private(served: Served, plugin: str, name: str, sql: str) -> None:
    read: list[tuple[Any, Any]] = []

    def note(action: int, table: Any, column: Any, *_: Any) -> int:
        read.extend([(table, column)] if action == sqlite3.SQLITE_READ else [])
        return sqlite3.SQLITE_OK

    with closing(sqlite3.connect(served.folder / "pollctl.db")) as db:
        db.set_authorizer(note)
        db.execute(f"EXPLAIN {sql}", dict.fromkeys(re.findall(r":([a-z]+)", sql), "1"))
    assert read
    assert not PRIVATE & set(read)


@pytest.mark.parametrize("plugin", ALL)
def test_every_plugin_names_some_and_has_a_dashboard_of_those_without_fields(served: Served, plugin: str) -> None:
    pytest.importorskip("datasette_dashboards")
    page = served.ask(f"/-/dashboards/{plugin}")
    shown = [title for title, sql in ALL[plugin].values() if ":" not in re.sub("'[^']*'", "", sql)]
    assert page.status == 200
    assert len(shown) >= 2
    assert [title for title in shown if title not in page.body] == []


def test_among_those_of_all_plugins_a_query_says_whose_it_is(served: Served) -> None:
    page = served.ask("/pollctl").body
    assert ">latency: Jobs and how they do<" in page
    assert ">How each plugin stands<" in page


def test_what_cannot_be_answered_here_is_not_offered(served: Served) -> None:
    page = served.ask("/pollctl").body
    offered = re.findall(r"/pollctl/plain-(\w+)", page)
    assert sorted(set(offered)) == ["fine", "private"]
    assert served.ask("/pollctl/plain-gone").status == 404
    assert {tuple(row) for row in json.loads(served.ask("/pollctl/plain-private.json").body)["rows"]} == {(None, None)}


def test_the_rows_are_those_of_the_database(served: Served) -> None:
    rows = json.loads(served.ask("/pollctl/pollctl-plugins.json").body)["rows"]
    assert (rows[0][0], rows[0][1], rows[0][3]) == ("toilet_gap", "failed", 3)
    hours = json.loads(served.ask("/pollctl/latency-hours-of-job.json?job=1").body)["rows"]
    assert (sum(row[1] for row in hours), sum(row[2] for row in hours)) == (6, 1)


def test_a_dashboard_may_be_the_first_page_that_is_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("datasette_dashboards")
    lay_out(tmp_path, is_full=True)
    with serving(tmp_path, make_plugin_package(tmp_path, "plain")) as served:
        served.log_in()
        assert served.ask("/-/dashboards/latency").status == 200


def test_without_dashboards_the_rest_is_there(tmp_path: Path) -> None:
    lay_out(tmp_path, is_full=True)
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "datasette_dashboards.py").write_text("")
    env = make_plugin_package(tmp_path, "plain")
    env["PYTHONPATH"] = f"{tmp_path / 'none'}:{env['PYTHONPATH']}"
    with serving(tmp_path, env) as served:
        served.log_in()
        assert served.ask("/pollctl/latency-jobs").status == 200
        assert served.ask("/-/dashboards").status == 404


@pytest.mark.parametrize(
    "path",
    [
        *("/pollctl/runs.json?id__in=[", "/pollctl/runs?id__in=[1,", "/pollctl/runs.json?_through={"),
        *("/pollctl/runs.json?_sort=nope", "/pollctl/runs?_sort_desc=nope", "/pollctl/runs?_next=zzz&_size=-1"),
    ],
)
def test_what_is_mistyped_in_an_address_is_no_bug(served: Served, path: str) -> None:
    answer = served.ask(path)
    assert (answer.status, "this is a bug" in answer.body) == (400, False)
