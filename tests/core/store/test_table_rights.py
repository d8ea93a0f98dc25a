"""Whose tables a plugin may write, in hooks and in migrations (authors.md, rule 12)."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from core.parrot import Parrot
from plugin_package import json_of
from sample_plugin import plain, plugin

from pollctl.store import content, database

_TYPES = {"Settings": "", "Batch": "number: int", "Seen": "number: int"}
_PASS = "(run):\n    yield Batch(1)"
_DECIDE = "(batch):\n    return [Seen(batch.number, 'seen')]"


def writing(statement: str, *, facts: str = "", module: str = "") -> str:
    """A plugin called ``guest`` that executes one statement in apply."""
    apply = f"(db):\n    db.execute({statement!r})"
    return plugin("guest", "Writes.", _TYPES, facts=facts, module=module, fetch=_PASS, decide=_DECIDE, apply=apply)


def migrating(statement: str, name: str = "m002", then: str = "SELECT 1", facts: str = "") -> str:
    """The same with one migration, of one statement."""
    step = f"from sqlite_utils import Migrations\nmigrations = Migrations('guest')\n@migrations()\ndef {name}(db):\n    db.execute({statement!r})\n"
    return writing(then, module=step, facts=f"migrations=lambda: migrations, {facts}".removesuffix(", "))


@pytest.fixture
def host(parrot: Parrot) -> Parrot:
    """A place in which the parrot has made a pass, a table lies that belongs to nobody, and ``guest`` is to be a guest."""
    parrot.settings("[plugins.parrot]", "[plugins.guest]")
    parrot.do("run", "parrot")
    parrot.sql("CREATE TABLE strangers (word TEXT)")
    return parrot


REFUSED = {
    "rows of another plugin": (
        writing("DELETE FROM parrot_words"),
        "apply may not do this to the database: DELETE from parrot_words, a table of plugin 'parrot'",
    ),
    "a table that its prefix names and another made": (
        writing("UPDATE Parrot_Words SET word='x'", facts="tables=['parrot_']"),
        "UPDATE of parrot_words, a table of plugin 'parrot'",
    ),
    "a table of nobody": (
        writing("INSERT INTO strangers VALUES ('x')"),
        "INSERT into strangers, which no migration of 'guest' made and no prefix in Poller.tables names",
    ),
    "rows of the core": (writing("DELETE FROM runs"), "DELETE from runs, a table of pollctl"),
    "dropping a table of the core": (migrating("DROP TABLE runs"), "DROP TABLE runs, a table of pollctl"),
    "renaming a table of the core": (migrating("ALTER TABLE outbox RENAME TO guest_o"), "ALTER TABLE outbox"),
    "rows of the core, while it migrates": (migrating("DELETE FROM _sqlite_migrations"), "_sqlite_migrations"),
    "a trigger on a table of the core": (
        migrating("CREATE TRIGGER guest_t AFTER INSERT ON runs BEGIN SELECT 1; END"),
        "CREATE TRIGGER on runs, a table of pollctl",
    ),
    "dropping another plugin's table": (
        migrating("DROP TABLE parrot_words"),
        "DROP TABLE parrot_words, a table of plugin 'parrot'",
    ),
    "altering another plugin's table": (
        migrating("ALTER TABLE parrot_words ADD COLUMN x"),
        "ALTER TABLE parrot_words, a table of plugin 'parrot'",
    ),
    "taking another plugin's table for its own": (
        migrating("CREATE TABLE IF NOT EXISTS parrot_words (x)"),
        "CREATE TABLE parrot_words, a table of plugin 'parrot'",
    ),
    "changing the table of a stranger": (
        migrating("UPDATE strangers SET word='x'"),
        "UPDATE of strangers, which no migration of 'guest' made",
    ),
    "writing the schema by hand": (migrating("PRAGMA writable_schema=ON"), "PRAGMA writable_schema"),
    "ending the transaction": (migrating("COMMIT"), "TRANSACTION COMMIT"),
    "whom messages are for": (migrating("CREATE TABLE guest_x AS SELECT * FROM outbox_addresses"), "SELECT from"),
}


@pytest.mark.parametrize(("source", "named"), REFUSED.values(), ids=REFUSED)
def test_nobody_may_touch_what_is_not_theirs(host: Parrot, source: str, named: str) -> None:
    host.plugin("guest", source)
    before = host.sql("SELECT type, name, sql FROM sqlite_master"), host.sql("SELECT * FROM parrot_words")
    report = json_of(host.call("run", "guest", "--json"))
    assert report["outcome"] == "failed"
    assert named in report["error"]["message"]
    assert "'guest'" in report["error"]["message"]
    after = host.sql("SELECT type, name, sql FROM sqlite_master"), host.sql("SELECT * FROM parrot_words")
    assert after == before


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
    db.execute("CREATE TABLE book (word TEXT)")
    db.execute("CREATE TABLE gone (word TEXT)")
    db.execute("INSERT INTO book VALUES ('a')")
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
    host.sql("DELETE FROM _sqlite_migrations WHERE name='m008_whose_tables'")
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


def test_prefixes_that_are_one_text_are_refused_by_load(parrot: Parrot) -> None:
    parrot.plugin("guest", plain(facts="tables='guest_'"))
    parrot.settings("[plugins.guest]")
    assert "its tables are 'guest_'; write a list of the beginnings" in parrot.call("run", "guest").stderr


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
