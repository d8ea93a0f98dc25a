"""A plugin that breaks the contract fails its own passes, is named, and hinders no other."""

from __future__ import annotations

import json
import os

import pytest
from core.parrot import Parrot
from plugin_package import json_of
from sample_plugin import PLAIN

pytestmark = pytest.mark.slow

BROKEN = {
    "cannot be imported": (
        "raise ImportError('no module named yesterday')",
        "cannot be imported: ImportError",
    ),
    "exits while imported": ("raise SystemExit(3)", "cannot be imported: SystemExit"),
    "lacks a hook": (
        PLAIN.replace("def pollctl_apply", "def apply").replace("@hookimpl\ndef apply", "def apply"),
        "lacks the hook pollctl_apply",
    ),
    "is an object that its entry point does not name": (
        "from pollctl.targets import Target, TargetPlugin\n"
        'pages = TargetPlugin("broken", Target, str, summary="Pages.", read=str, compare=str)',
        "its `pages` has them: let the entry point name `broken:pages`",
    ),
    "misspells a hook": (PLAIN.replace("pollctl_decide", "pollctl_decyde"), "pollctl_decyde"),
    "forgets the mark": (
        PLAIN.replace("@hookimpl\ndef pollctl_apply", "def pollctl_apply"),
        "pollctl_apply (broken.py:30) lacks the mark @pollctl.hookimpl",
    ),
    "has a strange argument": (PLAIN.replace("(db, decisions, run)", "(database, decisions)"), "database"),
    "needs another contract": (
        PLAIN.replace("contract=1", "contract=2"),
        "contract version 2",
    ),
    "exits when asked": (
        PLAIN.replace("    return Poller(", "    raise SystemExit(3)\n    return Poller("),
        "pollctl_poller raised SystemExit",
    ),
    "answers no facts": (
        PLAIN.replace(
            'return Poller(contract=1, summary="Counts to two.", settings=Settings, batch=Batch, decision=Seen)',
            "return None",
        ),
        "answered NoneType",
    ),
    "says nothing of itself": (PLAIN.replace("Counts to two.", ""), "its summary must be one line"),
    "delivers nothing of what it queues": (
        PLAIN.replace("decision=Seen", "decision=Seen, effects={'say': 'keyed'}"),
        "it names kinds of effects but has no pollctl_deliver",
    ),
    "is tireless in nothing": (
        PLAIN.replace("decision=Seen", "decision=Seen, tireless=['say']"),
        "it calls kinds of effects tireless that it does not name in effects: say",
    ),
    "has batches that cannot be read back": (
        PLAIN.replace("batch=Batch", "batch=Batch | Settings"),
        "its batch cannot be read back from a recording",
    ),
}


@pytest.mark.parametrize(("source", "named"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_fails_its_own_pass_and_no_other(parrot: Parrot, source: str, named: str) -> None:
    parrot.plugin("broken", source)
    parrot.settings("[plugins.parrot]", "[plugins.broken]")
    done = parrot.call("run", "broken", "--json")
    report = json_of(done)
    assert (done.returncode, report["outcome"]) == (1, "failed")
    assert "plugin 'broken' (broken-package 1.2.3)" in report["error"]["message"]
    assert named in report["error"]["message"]
    assert "Traceback" not in done.stderr
    parrot.report()
    plugins = {row["plugin"]: row for row in json_of(parrot.call("plugins", "--json"))}
    assert named in json.dumps(plugins["broken"])
    assert parrot.call("check").returncode == 1


MIGRATING = """from sqlite_utils import Migrations
migrations = Migrations("broken")
@migrations()
def m001(db):
    FAULT
@hookimpl
def pollctl_poller"""


FAULTS = {
    "a step raises": ("1 / 0", "lambda: migrations"),
    "a step is wrong SQL": ("db.execute('CREATE TABLE runs (x)')", "lambda: migrations"),
    "they cannot be had": ("pass", "lambda: 1 / 0"),
}


@pytest.mark.parametrize(("step", "migrations"), FAULTS.values(), ids=FAULTS)
def test_a_plugin_whose_migrations_fail_fails_its_own_passes_and_no_other(
    parrot: Parrot, step: str, migrations: str
) -> None:
    source = PLAIN.replace("@hookimpl\ndef pollctl_poller", MIGRATING.replace("FAULT", step))
    source = source.replace("decision=Seen)", f"decision=Seen, migrations={migrations})")
    parrot.plugin("broken", source)
    parrot.settings("[plugins.parrot]", "[plugins.broken]")
    done = parrot.call("due", "--run")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "migrations" in done.stderr
    assert "'broken'" in done.stderr
    assert sorted(parrot.rows("SELECT plugin, outcome FROM runs")) == [("broken", "failed"), ("parrot", "ok")]
    checked = parrot.call("check")
    assert (checked.returncode, checked.stderr) == (1, "")
    metrics = parrot.call("metrics")
    assert metrics.returncode == 0
    assert 'pollctl_last_run_outcome{outcome="ok",plugin="parrot"} 1.0' in metrics.stdout


REFUSED = {
    "its summary is empty": (PLAIN.replace("Counts to two.", ""), "its summary must be one line"),
    "its migrations are named like another's": (
        PLAIN.replace("decision=Seen)", "decision=Seen, migrations=lambda: sqlite_utils.Migrations('other'))"),
        "its migrations are named 'other', not 'broken'",
    ),
    "it decides by the clock": (
        PLAIN.replace("    return [Seen(", "    time.time()\n    return [Seen("),
        ": pollctl_decide reads the clock (time.time); it is given `now`",
    ),
    "it is nested too deeply": (
        PLAIN.replace("[Seen(batch.number,", f"[Seen({'+'.join(['0'] * 1500)} + batch.number,"),
        "its source is nested too deeply to be judged; give parts of the long expression names",
    ),
}


@pytest.mark.parametrize(("source", "named"), REFUSED.values(), ids=REFUSED)
def test_what_check_fails_of_a_contract_every_load_refuses(parrot: Parrot, source: str, named: str) -> None:
    """people.md, rule 26: nothing of the plugin runs, whoever starts it."""
    source = source.replace("def pollctl_fetch(run):", "def pollctl_fetch(run):\n    open('ran', 'w').close()")
    parrot.plugin("broken", source.replace("import msgspec\n", "import msgspec, sqlite_utils\n"))
    parrot.settings("[plugins.broken]")
    ways = {words: parrot.call(*words.split()) for words in ("check", "due --run", "plan broken", "run broken")}
    assert {words: done.returncode for words, done in ways.items()} == dict.fromkeys(ways, 1)
    assert [words for words, done in ways.items() if named not in done.stdout + done.stderr] == []
    assert not (parrot.folder / "ran").exists()
    assert parrot.rows("SELECT outcome FROM runs") == ["failed", "failed"]


def test_a_plugin_is_judged_once_for_each_state_of_its_files(parrot: Parrot) -> None:
    parrot.plugin("other", PLAIN)
    parrot.settings("[plugins.other]")
    file = parrot.folder / "site-other" / "other.py"
    was = file.stat()
    parrot.do("run", "other")
    file.write_text(PLAIN.replace("    return [Seen(", "    time.time(); return [Seen(").replace("Counts to two.", "."))
    assert file.stat().st_size == was.st_size
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    parrot.do("run", "other")
    os.utime(file)
    assert "reads the clock" in parrot.call("run", "other").stderr
