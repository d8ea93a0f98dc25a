"""Plugins that break the contract, each in one way: a catalogue of what is refused, and in which words.

docs/contract.md lists them. Each is called GUEST in its source; where it matters, there is a plugin ``parrot`` beside it that has
made a pass, and a table ``strangers`` that is nobody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from sample_plugin import plain, plugin

Door = Literal["load", "check", "pass", "suite"]
"""Who refuses it first: any load; a load of a pass or a plan, and ``check``; the pass, when it does what is refused; or nobody but the
conformance suite."""

SECRET = "canary-7f3a"


class Broken(Struct, frozen=True, kw_only=True):
    """One broken plugin.

    Attributes:
        door: who refuses it.
        source: of its module.
        says: what must stand in the message, beside the plugin's name.
        section: its settings.
        is_wrapper: whether it goes around the hooks of all plugins.
        check: of the suite, the one that finds it.
        modes: of its file and of the folder that ``plugins_dir`` names, where it is a plugin without packaging.
    """

    door: Door
    source: str
    says: tuple[str, ...]
    section: str = ""
    is_wrapper: bool = False
    check: str = ""
    modes: tuple[int, int] | None = None

    def named(self, name: str) -> str:
        """The source of the plugin under a name of its own."""
        return self.source.replace("GUEST", name)


_TYPES = {"Settings": "", "Batch": "number: int", "Seen": "number: int"}
_FETCH = "(run):\n    yield Batch(1)"
_DECIDE = "(batch):\n    return [Seen(batch.number, 'seen')]"


def writing(statement: str, *, facts: str = "", module: str = "") -> str:
    """A plugin that executes one statement in apply."""
    apply = f"(db):\n    db.execute({statement!r})"
    return plugin("GUEST", "Writes.", _TYPES, facts=facts, module=module, fetch=_FETCH, decide=_DECIDE, apply=apply)


def migrating(statement: str, then: str = "SELECT 1", facts: str = "") -> str:
    """The same with one migration, of one statement."""
    step = (
        "from sqlite_utils import Migrations\nmigrations = Migrations('GUEST')\n"
        f"@migrations()\ndef m001(db):\n    db.execute({statement!r})\n"
    )
    return writing(then, module=step, facts=f"migrations=lambda: migrations, {facts}".removesuffix(", "))


def queueing(body: str, settings: str = "token: Secret = Secret('')", **more: str) -> str:
    """A plugin whose apply does no more than *body*."""
    usual = {"decide": "(batch):\n    return [Seen(batch.number, 'seen')]", "deliver": "(effect):\n    return None"}
    hooks = {"apply": f"(run):\n    {body}", **usual, **more}
    return plain(settings=settings, effects='{"say": "keyed"}', **hooks)


def valued(role: str, fields: str, module: str = "", **hooks: str) -> str:
    """A plugin one of whose values has these fields."""
    types = {
        "Settings": "",
        "Batch": "number: int = 1",
        "State": "number: int = 1",
        "Seen": "number: int",
        role: fields,
    }
    usual = {"fetch": "(run):\n    yield Batch()", "decide": "(batch):\n    return []", "apply": "(db):\n    pass"}
    first = f"from datetime import datetime\nfrom typing import Annotated, Any\n{module}\n"
    return first + plugin("GUEST", "Has values.", types, **(usual | hooks))


def _hook(old: str, new: str) -> str:
    source = plain()
    assert old in source
    return source.replace(old, new)


def _refused_write(statement: str, what: str) -> Broken:
    return Broken(door="pass", source=writing(statement), says=(f"apply may not do this to the database: {what}",))


def _refused_step(statement: str, what: str) -> Broken:
    return Broken(
        door="pass", source=migrating(statement), says=("migrations of", "may not do this to the database", what)
    )


TABLES = {
    "deletes_rows_of_another_plugin": _refused_write(
        "DELETE FROM parrot_words", "DELETE from parrot_words, a table of plugin 'parrot'"
    ),
    "names_a_prefix_of_another_plugin": Broken(
        door="pass",
        source=writing("UPDATE Parrot_Words SET word='x'", facts="tables=['parrot_']"),
        says=("apply may not do this to the database: UPDATE of parrot_words, a table of plugin 'parrot'",),
    ),
    "writes_a_table_of_nobody": _refused_write(
        "INSERT INTO strangers VALUES ('x')", "INSERT into strangers, which no migration of"
    ),
    "deletes_rows_of_the_core": _refused_write("DELETE FROM runs", "DELETE from runs, a table of pollctl"),
    "drops_a_table_of_the_core": _refused_step("DROP TABLE runs", "DROP TABLE runs, a table of pollctl"),
    "renames_a_table_of_the_core": _refused_step(
        "ALTER TABLE outbox RENAME TO GUEST_o", "ALTER TABLE outbox, a table of pollctl"
    ),
    "forgets_what_was_migrated": _refused_step(
        "DELETE FROM _sqlite_migrations", "DELETE from _sqlite_migrations, a table of pollctl"
    ),
    "puts_a_trigger_on_the_core": _refused_step(
        "CREATE TRIGGER GUEST_t AFTER INSERT ON runs BEGIN SELECT 1; END",
        "CREATE TRIGGER on runs, a table of pollctl",
    ),
    "drops_a_table_of_another_plugin": _refused_step(
        "DROP TABLE parrot_words", "DROP TABLE parrot_words, a table of plugin 'parrot'"
    ),
    "alters_a_table_of_another_plugin": _refused_step(
        "ALTER TABLE parrot_words ADD COLUMN x", "ALTER TABLE parrot_words, a table of plugin 'parrot'"
    ),
    "takes_a_table_of_another_plugin": _refused_step(
        "CREATE TABLE IF NOT EXISTS parrot_words (x)", "CREATE TABLE parrot_words, a table of plugin 'parrot'"
    ),
    "changes_a_table_of_nobody": _refused_step(
        "UPDATE strangers SET word='x'", "UPDATE of strangers, which no migration of"
    ),
    "writes_the_schema_by_hand": _refused_step("PRAGMA writable_schema=ON", "PRAGMA writable_schema"),
    "ends_the_transaction": _refused_step("COMMIT", "TRANSACTION COMMIT"),
    "reads_whom_messages_are_for": _refused_step(
        "CREATE TABLE GUEST_x AS SELECT * FROM outbox_addresses", "SELECT from outbox_addresses"
    ),
    "has_prefixes_that_are_one_text": Broken(
        door="load", source=plain(facts="tables='words_'"), says=("its tables are 'words_'; write a list",)
    ),
}
"""Rule 12."""

EFFECTS = {
    "queues_without_a_key": Broken(
        door="pass", source=queueing("run.effect('say', '', {})"), says=("apply: the key of an effect is empty", ".py:")
    ),
    "tells_without_a_key": Broken(
        door="pass", source=queueing("run.tell('', 'title', 'body')"), says=("the key of a message is empty", ".py:")
    ),
    "keeps_a_secret_in_a_payload": Broken(
        door="pass",
        source=queueing("run.effect('say', 'k', {'x': ['y', {'z': f'Bearer {run.settings.token.reveal()}!'}]})"),
        section=f'token = "{SECRET}"',
        says=("the payload of effect 'k' holds plugins.", ".token: payloads are kept; look it up in deliver", ".py:"),
    ),
    "keeps_a_login_in_a_payload": Broken(
        door="pass",
        source="from pollctl import HttpUrl\n"
        + queueing("run.effect('say', 'k', {'at': run.settings.url})", settings="url: HttpUrl"),
        section='url = "https://crew:long-password@127.0.0.1/"',
        says=("holds plugins.", ".url: payloads are kept", ".py:"),
    ),
}
"""Rule 13."""

LOAD = {
    "cannot_be_imported": Broken(
        door="load",
        source="x = 1\nimport nonesuch\n",
        says=("cannot be imported: ModuleNotFoundError: No module named 'nonesuch' (", ".py:2)"),
    ),
    "is_no_python": Broken(
        door="load",
        source="x = 1\nx = = 2\n",
        says=("cannot be imported: SyntaxError: invalid syntax (", ".py:2)"),
    ),
    "fails_in_a_library_while_imported": Broken(
        door="load",
        source="import json\njson.loads('{')\n",
        says=("cannot be imported: JSONDecodeError", ".py:2, in json/decoder.py)"),
    ),
    "misspells_a_hook": Broken(
        door="load",
        source=_hook("pollctl_decide", "pollctl_decyde"),
        says=("there is no hook pollctl_decyde (", ".py:", "; did you mean pollctl_decide?"),
    ),
    "misspells_a_hook_without_its_mark": Broken(
        door="load",
        source=_hook("@hookimpl\ndef pollctl_decide", "def pollctl_decyde"),
        says=("pollctl_decyde (", ".py:", "did you mean pollctl_decide? lacks the mark @pollctl.hookimpl"),
    ),
    "misspells_an_argument": Broken(
        door="load",
        source=_hook("(db, decisions, run)", "(db, decision)"),
        says=("pollctl_apply takes 'decision' (", ".py:", "which it is not given; did you mean decisions?"),
    ),
    "wants_an_argument_that_it_is_not_given": Broken(
        door="load",
        source=_hook("(batch, settings)", "(batch, settings, run)"),
        says=("pollctl_decide takes 'run' (", ".py:", "it may take state, batch, now, settings"),
    ),
    "decides_without_a_reason": Broken(
        door="load",
        source=_hook("    reason: str\n", ""),
        says=("its decision Seen (", ".py:", "has no field reason; add `reason: str`"),
    ),
    "decides_what_is_no_struct": Broken(
        door="load",
        source=_hook("decision=Seen", "decision=dict[str, str]"),
        says=("its decision dict[str, str] has no field reason",),
    ),
    "has_an_untagged_union": Broken(
        door="load",
        source=_hook("batch=Batch", "batch=Batch | Settings"),
        says=("its batch cannot be read back from a recording", "give each struct of it tag=True"),
    ),
    "delivers_nothing_of_what_it_queues": Broken(
        door="load",
        source=plain(effects="{'say': 'keyed'}"),
        says=("it names kinds of effects but has no pollctl_deliver",),
    ),
}
"""Rules 15 and 16: what any load refuses."""

JUDGED = {
    "has_a_default_of_another_type": Broken(
        door="check",
        source=valued("Settings", "every: int = 'ten'"),
        says=("Settings.every (", ".py:", "has the default 'ten', which it does not allow", "Expected `int`"),
    ),
    "has_a_default_out_of_bounds": Broken(
        door="check",
        source=valued("Settings", "every: Annotated[int, msgspec.Meta(ge=1)] = 0"),
        says=("Settings.every (", "has the default 0, which it does not allow", ">= 1"),
    ),
    "has_a_batch_whose_default_does_not_fit": Broken(
        door="check",
        source=valued("Batch", "number: int = None"),
        says=("Batch.number (", ".py:", "has the default None, which it does not allow"),
    ),
    "has_a_schedule_that_never_comes": Broken(
        door="check",
        source=plain(facts="schedule='61 * * * *'"),
        says=(".schedule (the plugin's default): ", "61", ".py:"),
    ),
    "has_a_default_of_the_core_that_is_wrong": Broken(
        door="check",
        source=plain(facts="defaults={'window': '5 minutes'}"),
        says=(".window (the plugin's default): found", ".py:"),
    ),
    "has_a_value_that_cannot_be_recorded": Broken(
        door="check",
        source=valued("Batch", "at: Place = None", module="class Place: pass"),
        says=("Batch.at (", ".py:", "cannot be recorded: Place is none of numbers, text"),
    ),
    "has_a_value_that_comes_back_as_another": Broken(
        door="check",
        source=valued(
            "State",
            "words: str = ''\ndef __post_init__(self):\n    msgspec.structs.force_setattr(self, 'words', self.words + '!')",
        ),
        says=("State (", ".py:", "comes back as"),
    ),
    "decides_by_the_clock": Broken(
        door="check",
        source=_hook("    return [Seen(", "    time.time()\n    return [Seen("),
        says=(".py:", "pollctl_decide reads the clock (time.time); it is given `now`"),
    ),
}
"""Rule 16: what is judged once for each state of the plugin's files."""

MOMENTS = {
    "fetches_a_moment_without_a_zone": Broken(
        door="pass",
        source=valued(
            "Batch", "days: list[datetime] = []", fetch="(run):\n    yield Batch(days=[datetime(2026, 3, 2)])"
        ),
        says=(
            "fetch gave a moment without a zone (",
            ".py:",
            "Batch.days[0] (",
            "is 2026-03-02 00:00:00; say datetime(",
        ),
    ),
    "loads_a_moment_without_a_zone": Broken(
        door="pass",
        source=valued(
            "State", "at: dict[str, datetime] = {}", load="(db):\n    return State({'x': datetime(2026, 3, 2)})"
        ),
        says=("load gave a moment without a zone (", ".py:", "State.at['x'] ("),
    ),
    "decides_a_moment_without_a_zone": Broken(
        door="pass",
        source=valued("Seen", "at: Any", decide="(batch):\n    return [Seen(datetime(2026, 3, 2), 'because')]"),
        says=("decide gave a moment without a zone (", ".py:", "Seen.at ("),
    ),
    "writes_a_moment_without_a_zone": Broken(
        door="pass",
        source=valued(
            "Batch",
            "number: int = 1",
            apply="():\n    from pollctl import to_text\n    to_text(datetime(2026, 3, 2))",
        ),
        says=("apply raised ValueError: 2026-03-02 00:00:00 names no zone", ".py:"),
    ),
}
"""Rule 16: moments of which nobody could say when they were."""

WRAPPERS = {
    "wrapper_that_cannot_be_imported": Broken(
        door="load",
        is_wrapper=True,
        source="def (:\n",
        says=("wrapper 'GUEST' (GUEST-package 1.2.3): cannot be imported: SyntaxError: invalid syntax (", ".py:1)"),
    ),
    "wrapper_that_replaces_a_hook": Broken(
        door="load",
        is_wrapper=True,
        source="from pollctl import hookimpl\n\n@hookimpl\ndef pollctl_decide():\n    return []\n",
        says=("wrapper 'GUEST' (GUEST-package 1.2.3): it would replace pollctl_decide (", "hookimpl(wrapper=True)"),
    ),
    "wrapper_that_raises": Broken(
        door="pass",
        is_wrapper=True,
        source="from pollctl import hookimpl\n\n@hookimpl(wrapper=True)\ndef pollctl_decide():\n    yield\n    raise SystemExit('ouch')\n",
        says=("wrapper 'GUEST' (GUEST-package 1.2.3): decide raised SystemExit: ouch (", ".py:6)"),
    ),
    "wrapper_that_answers_nothing": Broken(
        door="pass",
        is_wrapper=True,
        source="from pollctl import hookimpl\n\n@hookimpl(wrapper=True)\ndef pollctl_decide():\n    yield\n",
        says=("decide (with wrapper 'GUEST' around it) answered NoneType, not a list",),
    ),
}
"""Rule 17."""

_SUITE_TYPES = {"Settings": "token: Secret = Secret('')", "Batch": "number: int", "Seen": "number: int"}
_TABLE = "things (word TEXT)"


def _found(check: str, *says: str, tables: Sequence[str] = (), **hooks: str) -> Broken:
    """One that only the suite finds."""
    usual = {"fetch": _FETCH, "decide": _DECIDE, "apply": "(db):\n    pass"}
    more = {"effects": '{"say": "keyed"}', "deliver": "(effect):\n    return None"} if check == "keys" else {}
    source = plugin("GUEST", "Behaves badly.", _SUITE_TYPES, tables=tables, **(usual | more | hooks))
    return Broken(door="suite", check=check, source=source, says=says)


SUITE = {
    "makes_a_table_under_another_name": Broken(
        door="suite",
        check="contract",
        source=migrating("CREATE TABLE strays (word TEXT) STRICT"),
        says=("its migrations make strays, which does not begin with GUEST_: say tables=['strays'] in its Poller",),
    ),
    "imports_what_a_pass_may_not_need": _found(
        "imports", "importing ", " imports requests; import it in the function that needs it", module="import requests"
    ),
    "fails_wherever_it_is_tried": _found(
        "passes",
        "a pass on the bench ends failed (",
        ".py:",
        "write conformance(NAME, arrange)",
        fetch="(run):\n    raise ValueError('always')\n    yield",
    ),
    "reads_the_clock_where_no_source_shows_it": _found(
        "purity",
        ".py:",
        "it reads the clock (time.time)",
        "it is given `now`",
        decide="(batch):\n    vars(time)['time']()\n    return []",
    ),
    "decides_another_time_in_another_way": _found(
        "values",
        ".py:",
        "what was recorded is not decided the same again",
        decide="(batch):\n    return [Seen(batch.number, str(vars(time)['time_ns']()))]",
    ),
    "makes_a_key_of_the_run": _found(
        "keys",
        ".py:",
        "of an effect 'say' is another when the same pass is made again; make it of what the effect is about",
        apply="(run):\n    run.effect('say', run.id, {})",
    ),
    "writes_while_it_fetches": _found(
        "plan",
        ".py:",
        "a plan with no database wrote seen.txt; fetch and decide write nothing",
        fetch="(run):\n    open('seen.txt', 'w').write(run.id)\n    yield Batch(1)",
    ),
    "shows_a_column_without_a_kind": _found(
        "report",
        "plugin 'GUEST' (GUEST-package 1.2.3): report: Things: table 'All': 'word' is a column without a kind; write "
        "pollctl.Column('word', kind=...)",
        report="(db):\n    from pollctl import Section, Table\n    rows = [{'word': 'a'}]\n"
        "    return [Section('Things', [Table(['word'], rows, 'All')])]",
    ),
    "does_the_same_twice": _found(
        "crashes",
        ".py:",
        "killed before ",
        "too much: ",
        "what is done again must change nothing",
        tables=[_TABLE],
        apply="(db):\n    db.execute(\"INSERT INTO GUEST_things VALUES ('again')\")",
    ),
    "waits_without_a_limit": _found(
        "deadline",
        ".py:",
        "against an upstream that trickles is ended by force",
        "look at run.is_stopping in what waits",
        fetch="(run):\n    while True:\n        time.sleep(0.05)\n    yield",
    ),
    "keeps_a_secret_in_a_table": _found(
        "secrets",
        ".py:",
        "token, a secret, stands in the database when an upstream ",
        "mask it, or do not keep it",
        tables=[_TABLE],
        apply="(db, run):\n    db.execute('INSERT INTO GUEST_things VALUES (?)', [run.settings.token.reveal()])",
    ),
}
"""Rule 19: what only the suite finds."""

FILES = {
    "file_that_others_may_write": Broken(
        door="load",
        source=plain(),
        modes=(0o666, 0o700),
        says=("plugin 'GUEST' (", "GUEST.py): not obeyed: others may write to it", "chmod"),
    ),
    "file_in_a_folder_that_others_may_write": Broken(
        door="load",
        source=plain(),
        modes=(0o600, 0o777),
        says=("plugin 'GUEST' (", "GUEST.py): not obeyed: its folder: others may write to it", "chmod"),
    ),
    "file_that_is_no_python": Broken(
        door="load",
        source="x = 1\nx = = 2\n",
        modes=(0o600, 0o700),
        says=("GUEST.py): cannot be imported: SyntaxError: invalid syntax (", "GUEST.py:2)"),
    ),
}
"""Rule 22."""

CATALOGUE: dict[str, Broken] = {**TABLES, **EFFECTS, **LOAD, **JUDGED, **MOMENTS, **WRAPPERS, **SUITE, **FILES}
