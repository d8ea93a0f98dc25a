"""What a plugin says of its columns for `pollctl web` is complete, or `check` and the conformance suite say what is missing (rule 8)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from core.targets.watching import FEEDS
from core.testing.gauge import source
from plugin_package import make_plugin_package, run_pollctl, write_settings

from pollctl.store.database import as_migrated
from pollctl.store.shown_columns import OF_CORE, described
from pollctl.store.table_rights import tables_in
from pollctl.testing.suite import package
from pollctl.testing.suite.subject import Subject

WHOLE = "{'gauge_levels': {'at': False}}"
MISSING = "pollctl_private does not say whether gauge_levels.at is private"
CASES = {
    "whole": (f"():\n    return {WHOLE}", ""),
    "nothing at all": ("():\n    return {}", MISSING),
    "nothing of the column": ("():\n    return {'gauge_levels': {'cm': False}}", MISSING),
    "a column that is not there": (
        "():\n    return {'gauge_levels': {'at': False, 'on': True}}",
        "pollctl_private names gauge_levels.on, which is not there",
    ),
    "a table of others": (
        "():\n    return {'gauge_levels': {'at': False}, 'runs': {'error': False}}",
        "pollctl_private names runs, which is no table of the plugin",
    ),
    "no mapping": (
        "():\n    return ['gauge_levels']",
        "pollctl_private answered something else than {table: {column: whether",
    ),
    "words for booleans": (
        "():\n    return {'gauge_levels': {'at': 'no'}}",
        "pollctl_private answered something else than {table: {column: whether",
    ),
    "an error": ("():\n    raise KeyError('at')", "pollctl_private raised KeyError: 'at'"),
}


@pytest.mark.parametrize("case", CASES)
def test_check_warns_of_what_is_missing_or_wrong(tmp_path: Path, case: str) -> None:
    hook, said = CASES[case]
    env = make_plugin_package(tmp_path, "gauge", source(private=hook))
    write_settings(tmp_path)
    done = run_pollctl(tmp_path, env, "check")
    assert (said in done.stdout, "pollctl_private" in done.stdout) == (True, bool(said)), done.stdout


def test_a_plugin_that_declares_nothing_is_asked_for_nothing(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "gauge", source())
    write_settings(tmp_path)
    assert "pollctl_private" not in run_pollctl(tmp_path, env, "check").stdout


@pytest.mark.parametrize(
    "hook",
    ["():\n    return [('a', 'b')]", "():\n    return {'a': 'SELECT 1'}", "():\n    return {'a': ('title', None)}"],
)
def test_queries_are_pairs_of_title_and_sql(tmp_path: Path, hook: str) -> None:
    env = make_plugin_package(tmp_path, "gauge", source(queries=hook))
    write_settings(tmp_path)
    assert (
        "pollctl_queries answered something else than {name: (title, sql)}"
        in run_pollctl(tmp_path, env, "check").stdout
    )


@pytest.mark.parametrize(
    ("strict", "asked"), [("STRICT", ["said", "raw", "thing"]), ("", ["said", "raw", "thing", "level"])]
)
def test_all_is_asked_for_that_can_hold_text(tmp_path: Path, strict: str, asked: list[str]) -> None:
    """SQLite keeps text in a column of integers, unless the table is STRICT."""
    made = "gauge_more (id INTEGER PRIMARY KEY, said TEXT, raw BLOB, thing ANY, level INTEGER)"
    text = source(private=f"():\n    return {WHOLE}") + (
        f"\n@migrations()\ndef m002(db):\n    db.execute('CREATE TABLE {made} {strict}')\n"
    )
    env = make_plugin_package(tmp_path, "gauge", text)
    write_settings(tmp_path)
    lines = run_pollctl(tmp_path, env, "check").stdout
    expected = [f"whether gauge_more.{name} is private" in lines for name in ("id", "said", "raw", "thing", "level")]
    assert expected == [name in asked for name in ("id", "said", "raw", "thing", "level")]


@pytest.mark.parametrize(
    "made",
    ["gauge_more (id INTEGER PRIMARY KEY DESC)", "gauge_more (id INTEGER PRIMARY KEY) WITHOUT ROWID"],
    ids=["in falling order", "without row numbers"],
)
def test_a_key_that_is_not_the_number_of_its_row_can_hold_text(tmp_path: Path, made: str) -> None:
    text = source(private=f"():\n    return {WHOLE}")
    text += f"\n@migrations()\ndef m002(db):\n    db.execute('CREATE TABLE {made}')\n"
    env = make_plugin_package(tmp_path, "gauge", text)
    write_settings(tmp_path)
    assert "whether gauge_more.id is private" in run_pollctl(tmp_path, env, "check").stdout


def test_the_conformance_suite_asks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_plugin_package(tmp_path, "gauge", source(private="():\n    return {}"))
    monkeypatch.syspath_prepend(str(tmp_path / "site-gauge"))
    assert package.contract(Subject("gauge", None)) == [MISSING]


def test_all_that_comes_with_pollctl_says_it_of_every_column(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "feeds", FEEDS, attribute="plugin")
    write_settings(tmp_path)
    assert "pollctl_private" not in run_pollctl(tmp_path, env, "check").stdout
    with closing(as_migrated()) as db:
        for table in tables_in(db):
            named = OF_CORE[table]
            assert [one.name for one in described(db, table) if one.can_hold_text and one.name not in named] == [], (
                table
            )
