"""Whose tables a plugin may write, in hooks and in migrations (authors.md, rule 12); the catalogue has what is refused."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import broken_plugins
import pytest
from core.parrot import Parrot
from plugin_package import json_of

from pollctl.store import content, database


def migrating(statement: str, then: str = "SELECT 1", facts: str = "") -> str:
    """A plugin with one migration, that executes another statement in apply."""
    return broken_plugins.migrating(statement, then, facts).replace("GUEST", "guest")


def writing(statement: str, **more: str) -> str:
    """A plugin that executes one statement in apply."""
    return broken_plugins.writing(statement, **more).replace("GUEST", "guest")


@pytest.fixture
def host(parrot: Parrot) -> Parrot:
    """A place in which the parrot has made a pass, a table lies that belongs to nobody, and ``guest`` is to be a guest."""
    parrot.settings("[plugins.parrot]", "[plugins.guest]")
    parrot.do("run", "parrot")
    parrot.sql("CREATE TABLE strangers (word TEXT)")
    return parrot


ALLOWED = {
    "a table that it made": migrating("CREATE TABLE guest_book (word)", then="INSERT INTO guest_book VALUES ('x')"),
    "one that its name does not begin": migrating("CREATE TABLE book (word)", then="INSERT INTO book VALUES ('x')"),
    "one that a prefix names": writing("INSERT INTO strangers VALUES ('x')", facts="tables=['Strange']"),
    "a view of what is another's": migrating("CREATE VIEW guest_v AS SELECT * FROM parrot_words"),
}


@pytest.mark.parametrize("source", ALLOWED.values(), ids=ALLOWED)
def test_what_is_its_own_it_may_write(host: Parrot, source: str) -> None:
    host.plugin("guest", source)
    host.do("run", "guest")


def test_a_table_stays_its_own_under_another_name_and_a_dropped_one_does_not(host: Parrot) -> None:
    steps = """
from sqlite_utils import Migrations
migrations = Migrations('guest')
@migrations()
def m001(db):
    db.execute("CREATE TABLE book (id INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT)")
    db.execute("CREATE TABLE gone (word TEXT)")
    db.execute("INSERT INTO book (word) VALUES ('a')")
    db.table("book").transform(types={"word": str}, not_null={"word"})
    db.execute("ALTER TABLE book RENAME TO ledger")
    db.execute("DROP TABLE gone")
"""
    host.plugin("guest", writing("UPDATE ledger SET word='b'", module=steps, facts="migrations=lambda: migrations"))
    host.do("run", "guest")
    assert host.sql("SELECT word FROM ledger") == [("b",)]
    ((tables,),) = host.sql("SELECT tables FROM plugin_tables WHERE plugin='guest'")
    assert json.loads(tables) == ["ledger"]


def test_what_an_older_pollctl_migrated_is_known_for_its_own_at_the_next_pass(host: Parrot) -> None:
    host.plugin("guest", migrating("CREATE TABLE book (word)", then="INSERT INTO book VALUES ('x')"))
    host.do("run", "guest")
    host.sql("DROP TABLE plugin_tables")
    host.sql("DELETE FROM _sqlite_migrations WHERE name='m010_whose_tables'")
    host.do("run", "guest")
    assert host.sql("SELECT count(*) FROM book") == [(2,)]
    assert host.sql("SELECT tables FROM plugin_tables WHERE plugin='guest'") == [('["book"]',)]
    host.do("run", "parrot")
    assert len(host.sql("SELECT * FROM plugin_tables")) == 2


def test_a_table_that_no_prefix_names_is_a_warning_of_check(host: Parrot) -> None:
    host.plugin("guest", migrating("CREATE TABLE book (word)"))
    done = host.call("check", "--json")
    found = [(row["level"], row["text"]) for row in json_of(done) if row["subject"] == "guest"]
    text = "its migrations make book, which does not begin with guest_: say tables=['book'] in its Poller"
    assert ("warn", text) in found
    assert not [text for level, text in found if level == "FAIL"]


def test_a_table_that_a_prefix_names_is_none(host: Parrot) -> None:
    host.plugin("guest", migrating("CREATE TABLE book (word)", facts="tables=['boo']"))
    assert "book" not in host.call("check").stdout


SCHEMA = {
    "DROP TABLE printed": "FAIL the table printed of pollctl is missing; restore a backup",
    "DROP INDEX outbox_due": "FAIL the index outbox_due of pollctl is missing; make it again: CREATE INDEX outbox_due",
    "ALTER TABLE runs ADD COLUMN x TEXT": "FAIL the table runs is not as pollctl made it; restore a backup",
    "CREATE TRIGGER odd AFTER INSERT ON runs BEGIN SELECT 1; END": "FAIL the trigger odd on runs is not pollctl's",
    "CREATE INDEX odd_too ON runs (host)": "warn the index odd_too on runs is not pollctl's; `DROP INDEX odd_too`",
}


def test_check_compares_the_cores_schema_with_what_it_should_be(host: Parrot) -> None:
    host.settings("[plugins.parrot]")
    host.sql("CREATE INDEX strangers_by_word ON strangers (word)")  # the core's own is what it looks at
    for statement in SCHEMA:
        host.sql(statement)
    done = host.call("check", "--json")
    found = [f"{row['level']} {row['text'].partition('pollctl.db: ')[2]}" for row in json_of(done)]
    assert [text for text in SCHEMA.values() if not any(line.startswith(text) for line in found)] == []
    assert done.returncode == 1


def test_a_database_that_an_older_pollctl_made_is_as_it_should_be(tmp_path: Path) -> None:
    with closing(database.as_migrated({"m001_core_tables", "m002_suspects"})) as db:
        assert content.differences(db) == []
