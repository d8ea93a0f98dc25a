"""What a pass does is told as it happens, as JSON lines or as text (people.md, rule 20)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from core.parrot import Parrot
from plugin_package import Done
from sample_plugin import parrot_source

from pollctl.store.database import open_to_write

FETCH = "(run):\n    run.reached('room 1')\n    yield Batch('one')\n    run.failed('room 2', 'no answer')\n    yield Batch('two')"
DELIVER = """(effect):
    if effect.key == "two":
        raise DeliveryError("the line is busy")
    return {"said": effect.payload["word"]}"""
BROKEN = "(state, batch):\n    raise ValueError('an odd batch')"
SECRET = "(run):\n    run.failed(run.settings.token.reveal(), 'no answer')\n    yield from ()"


@pytest.fixture
def parrot(parrot: Parrot) -> Parrot:
    parrot.teach(parrot_source(fetch=FETCH, deliver=DELIVER))
    open_to_write(parrot.database).close()
    return parrot


def objects(done: Done) -> list[dict[str, Any]]:
    """Each line of stderr, which must be one JSON object."""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_the_events_of_a_pass_are_json_lines_with_plugin_run_and_trace(parrot: Parrot) -> None:
    said = objects(parrot.call("--log-format", "json", "run", "parrot"))
    log, events = [one for one in said if one["event"] == "log"], [one for one in said if one["event"] != "log"]
    names = [one["event"] for one in events]
    assert names[:4] == ["pass.started", "batch.applied", "target.failed", "batch.applied"]
    assert sorted(names[4:-1]) == ["effect.delivered", "effect.failed"]
    assert names[-1] == "pass.finished"
    whose = {(one["plugin"], one["run_id"], one["trace_id"]) for one in events}
    assert whose == set(parrot.sql("SELECT plugin, id, trace_id FROM runs"))
    assert log[0]["message"].startswith("pollctl: parrot: partial: ")


def test_each_event_says_what_a_reader_wants_to_know(parrot: Parrot) -> None:
    by_name = {one["event"]: one for one in objects(parrot.call("--log-format", "json", "run", "parrot"))}
    expected: dict[str, dict[str, Any]] = {
        "pass.started": {"trigger": "manual"},
        "batch.applied": {"batch": 2, "decisions": 1, "effects": 1, "stats": {"learned": 1}},
        "target.failed": {"target": "room 2", "error": "no answer"},
        "effect.delivered": {"kind": "say", "key": "one", "attempt": 1},
        "effect.failed": {"kind": "say", "key": "two", "error": "the line is busy"},
        "pass.finished": {"outcome": "partial", "batches": 2, "delivered": 1, "undelivered": 1},
    }
    for name, facts in expected.items():
        assert by_name[name] | facts == by_name[name]
    assert by_name["pass.started"]["at"] < by_name["pass.started"]["until"]
    assert by_name["pass.finished"]["duration_ms"] > 0
    assert by_name["pass.finished"]["error"].startswith("room 2: no answer")


def test_a_batch_that_fails_is_told_and_stdout_stays_one_document(parrot: Parrot) -> None:
    parrot.teach(parrot_source(decide=BROKEN))
    done = parrot.call("run", "parrot", "--json", "--log-format=json")
    assert json.loads(done.stdout)["outcome"] == "failed"
    failed = [one for one in objects(done) if one["event"] == "batch.failed"]
    assert [one["batch"] for one in failed] == [1, 2]
    assert "an odd batch" in failed[0]["error"]


def test_verbose_says_the_same_in_words_and_else_nothing_is_said(parrot: Parrot) -> None:
    lines = parrot.call("-v", "run", "parrot").stderr.splitlines()
    (run_id,) = parrot.rows("SELECT id FROM runs")
    assert lines[0].startswith(f"parrot: pass started: run {run_id}, trigger manual, until ")
    assert lines[1] == "parrot: batch applied: batch 1, decisions 1, effects 1, stats learned=1"
    assert "parrot: target failed: target room 2, error no answer" in lines
    quiet = parrot.call("run", "parrot").stderr.splitlines()
    assert quiet == [line for line in quiet if line.startswith("pollctl: parrot: partial")]


def test_the_settings_may_ask_for_json_and_the_command_line_goes_first(parrot: Parrot) -> None:
    parrot.configure(core='log_format = "json"')
    assert objects(parrot.call("run", "parrot"))[0]["event"] == "pass.started"
    assert parrot.call("run", "parrot", "--log-format", "text").stderr.startswith("pollctl: parrot: partial")
    refused = parrot.call("run", "parrot", "--log-format", "xml")
    assert refused.returncode == 2
    assert "'xml' is not one of 'text', 'json'" in refused.stderr


def test_what_goes_wrong_before_a_pass_is_a_json_line_too(parrot: Parrot) -> None:
    for words in (["run", "parrott"], ["run"], ["show", "nothing"], ["status", "--nonsense"]):
        done = parrot.call("--log-format", "json", *words)
        assert done.returncode
        assert [one["event"] for one in objects(done)] == ["log"]


def test_secrets_are_masked_in_events(parrot: Parrot) -> None:
    parrot.teach(parrot_source(fetch=SECRET, settings='token: Secret = Secret("")'), 'token = "hunter2hunter2"')
    for words in (["--log-format", "json"], ["-v"]):
        said = parrot.call(*words, "run", "parrot").stderr
        assert "no answer" in said
        assert "hunter2" not in said


@pytest.mark.parametrize("words", [["run", "parrot", "other"], ["due", "--run"]], ids=" ".join)
def test_events_come_through_a_supervisor(parrot: Parrot, words: list[str]) -> None:
    parrot.plugin("other")
    parrot.settings("[plugins.parrot]", "[plugins.other]")
    done = parrot.call("--log-format", "json", *words)
    events = [one for one in objects(done) if one["event"] != "log"]
    assert {one["plugin"] for one in events} == {"parrot", "other"}
    assert sum(one["event"] == "pass.finished" for one in events) == 2
    said = [one["message"] for one in objects(done) if one["event"] == "log"]
    assert said == ["parrot: partial: room 2: no answer"]
    told = parrot.call("-v", *words, now="2030-01-01T00:00:30Z").stderr
    assert "parrot: pass started: run " in told
    assert "other: pass finished: outcome ok" in told
