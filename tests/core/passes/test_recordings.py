"""What is recorded of a pass, and decides again."""

from __future__ import annotations

from core.parrot import Parrot
from sample_plugin import parrot_source


def test_recordings_can_be_replayed_against_new_code(parrot: Parrot) -> None:
    parrot.configure('record = "all"')
    parrot.report()
    assert parrot.call("replay", "--all").returncode == 0
    parrot.teach(parrot_source().replace("never heard before", "unheard of"), 'record = "all"')
    changed = parrot.call("replay", "--all")
    assert changed.returncode == 1
    assert "unheard of" in changed.stdout


def test_a_batch_that_decide_choked_on_is_recorded_and_replayed_after_the_mend(parrot: Parrot) -> None:
    parrot.teach(parrot_source(decide="(state, batch):\n    raise ValueError('choked')\n"))
    parrot.report(code=1)
    assert parrot.rows("SELECT batch, decisions FROM recordings") == [
        ('{"word":"one"}', None),
        ('{"word":"two"}', None),
    ]
    assert parrot.call("replay", "--all").returncode == 1
    parrot.teach(parrot_source())
    assert parrot.call("replay", "--all").returncode == 0


def test_recordings_of_good_passes_are_kept_only_when_asked_for(parrot: Parrot) -> None:
    parrot.report()
    assert parrot.rows("SELECT count(*) FROM recordings") == [0]
    parrot.teach(parrot_source(decide="(state, batch):\n    raise ValueError('choked')\n"), 'record = "off"')
    parrot.report(code=1)
    assert parrot.rows("SELECT count(*) FROM recordings") == [0]
