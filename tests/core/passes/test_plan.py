"""A plan writes nothing, here or upstream."""

from __future__ import annotations

import json
import signal

from core.parrot import Parrot
from place import wait_for
from sample_plugin import parrot_source


def test_a_plan_writes_nothing_here_or_upstream(parrot: Parrot) -> None:
    report = parrot.report("--dry-run")
    assert report["decisions"] == [
        {"type": "Learn", "word": "one", "reason": "never heard before"},
        {"type": "Learn", "word": "two", "reason": "never heard before"},
    ]
    assert parrot.said == []
    assert sorted(path.name for path in parrot.folder.iterdir() if path.name.startswith("pollctl.db")) == []


def test_a_plan_leaves_an_existing_database_as_it_is_to_the_byte(parrot: Parrot) -> None:
    parrot.report()
    database = parrot.folder / "pollctl.db"
    before = (database.read_bytes(), database.stat().st_mtime_ns)
    parrot.report("--dry-run")
    assert (database.read_bytes(), database.stat().st_mtime_ns) == before


def test_a_plan_that_the_deadline_or_a_signal_cuts_says_so(parrot: Parrot) -> None:
    fetch = "(run):\n    yield Batch('one')\n    open('there', 'w').close()\n    while not run.is_stopping:\n        time.sleep(0.02)\n"
    parrot.teach(parrot_source(fetch=fetch))
    report = parrot.report("--dry-run", "--deadline", "0.3", code=3)
    assert (report["outcome"], report["error"]["type"]) == ("partial", "Deadline")
    (parrot.folder / "there").unlink()
    with parrot.start_pass("--dry-run") as process:
        wait_for((parrot.folder / "there").exists)
        process.send_signal(signal.SIGTERM)
        assert json.loads(process.communicate()[0])["outcome"] == "interrupted"
    assert process.returncode == 143
