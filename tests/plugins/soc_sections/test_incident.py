"""The day the upstream was wrong: for 41 seconds its answer held 8,146 of 11,423 open sections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugins.soc_sections.place import Place, Sink

from pollctl_soc_sections.fake import FakeSoc

STUDENTS = 30


@pytest.fixture
def term(tmp_path: Path) -> Iterator[Place]:
    with Sink() as sink, FakeSoc() as soc:
        place = Place(tmp_path, soc, sink)
        place.configure(catalogue_every="1d", min_poll_gap="15s")
        yield place


@pytest.mark.slow
def test_a_partial_answer_closes_nothing_and_alarms_nobody(term: Place) -> None:
    full = json.loads(term.soc.answer("NB"))
    partial = json.loads(term.soc.answer("NB", "partial"))
    assert (len(set(full)), len(set(partial))) == (11_423, 8_146)
    left_out = sorted(set(full) - set(partial))
    term.run()
    rows = "\n".join(f"{index},92026,NB,{term.sink.contact(index)},yes" for index in left_out[:STUDENTS])
    (term.folder / "subscriptions.csv").write_text(f"index,term,campus,contact,unless_open\n{rows}\n")
    term.soc_sections("subscribe", "--from", str(term.folder / "subscriptions.csv"))

    naive = set(full)
    false_closings = false_openings = 0
    for answer in ("none", "partial", "partial", "none", "none"):
        term.soc.lasting_faults["NB"] = answer
        term.run()
        listed = set(json.loads(term.soc.answer("NB", answer)))
        false_closings += len(naive - listed)
        false_openings += len(listed - naive)
        naive = listed

    assert (false_closings, false_openings) == (3_277, 3_277)
    assert term.events() == []
    assert term.sink.received == []
    assert term.verdicts() == ["accepted", "accepted", "suspect_drop", "suspect_drop", "accepted", "accepted"]
    assert term.sql("SELECT status, sum(misses), count(*) FROM soc_sections GROUP BY 1") == [
        ("CLOSED", 0, 577),
        ("OPEN", 0, 11_423),
    ]
