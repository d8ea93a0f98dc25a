"""What becomes of an effect: attempts, lanes, kinds, kills, and what settles it (core §2)."""

from __future__ import annotations

import json

import pytest
from core.parrot import FAILING, Parrot
from plugin_package import json_of
from sample_plugin import parrot_source


def test_an_effect_that_must_not_be_repeated_waits_for_a_person_as_unknown(parrot: Parrot) -> None:
    loud = parrot_source().replace('run.effect("say"', 'run.effect("shout"')
    parrot.teach(loud.replace('    with open("said.txt"', '    os.kill(os.getpid(), 9)\n    with open("said.txt"'))
    parrot.start_pass().communicate()
    parrot.teach(loud)
    parrot.report()
    assert parrot.said == []
    assert parrot.rows("SELECT DISTINCT status FROM outbox") == ["unknown"]
    listed = json_of(parrot.call("outbox", "list", "--json"))
    assert [row["status"] for row in listed] == ["unknown", "unknown"]
    assert parrot.call("outbox", "retry", str(listed[-1]["id"])).returncode == 0
    parrot.report()
    assert parrot.said == ["one"]


def test_a_failed_delivery_makes_the_pass_partial_and_is_tried_again_later_and_later(parrot: Parrot) -> None:
    parrot.teach(parrot_source(deliver=FAILING), "plan = ['one']")
    report = parrot.report(now="2026-01-01T00:00:00Z", code=3)
    assert (report["outcome"], report["effects"]) == ("partial", {"queued": 1, "delivered": 0, "failed": 1})
    (first,) = parrot.rows("SELECT next_attempt_at FROM outbox")
    assert "2026-01-01T00:00:54" <= first <= "2026-01-01T00:01:06"
    assert parrot.report(now="2026-01-01T00:00:30Z")["effects"]["failed"] == 0
    parrot.report(now="2026-01-01T00:02:00Z", code=3)
    (second,) = parrot.rows("SELECT next_attempt_at FROM outbox")
    assert "2026-01-01T00:03:48" <= second <= "2026-01-01T00:04:12"
    parrot.teach(parrot_source(), "plan = ['one']")
    assert parrot.report(now="2026-01-01T00:10:00Z")["effects"]["delivered"] == 1
    assert parrot.rows("SELECT status, attempts FROM outbox") == [("delivered", 3)]


def test_after_max_attempts_an_effect_is_dead_and_can_be_retried_by_hand(parrot: Parrot) -> None:
    core = "[pollctl.outbox]\nmax_attempts = 2\nbackoff = '0s'"
    parrot.teach(parrot_source(deliver=FAILING), "plan = ['one']", core)
    parrot.report(code=3)
    parrot.report(code=3)
    assert parrot.rows("SELECT status, attempts, last_error FROM outbox") == [("dead", 2, "the line is dead")]
    assert parrot.report()["effects"]["failed"] == 0
    status = json_of(parrot.call("status", "--json"))
    assert "dead" in json.dumps(status)
    parrot.teach(parrot_source(), "plan = ['one']", core)
    assert parrot.call("outbox", "retry", "1").returncode == 0
    assert parrot.report()["effects"]["delivered"] == 1


TIRELESS = ('effects={"say": "keyed", "shout": "hold"}', 'effects={"say": "keyed", "shout": "hold"}, tireless=["say"]')


def test_a_tireless_effect_is_never_given_up_and_never_waits_much_longer_than_two_minutes(parrot: Parrot) -> None:
    core = "[pollctl.outbox]\nmax_attempts = 1\nbackoff = '30m'"
    parrot.teach(parrot_source(deliver=FAILING).replace(*TIRELESS), "plan = ['one']", core)
    parrot.report(now="2026-01-01T00:00:00Z", code=3)
    ((status, next_at),) = parrot.rows("SELECT status, next_attempt_at FROM outbox")
    assert status == "pending"
    assert next_at == "2026-01-01T00:02:00.000Z"
    gone = parrot_source(deliver="(effect):\n    raise DeliveryError('gone', permanent=True)\n")
    parrot.teach(gone.replace(*TIRELESS), "plan = []")
    parrot.report(now="2026-01-01T00:02:00Z", code=3)
    assert parrot.rows("SELECT status FROM outbox") == ["dead"]


def test_a_tireless_effect_that_kills_every_pass_leaves_others_their_turn(parrot: Parrot) -> None:
    killing = parrot_source(deliver="(effect):\n    os.kill(os.getpid(), 9)\n").replace(*TIRELESS)
    parrot.teach(killing, "plan = ['one']", "[pollctl.outbox]\nmax_attempts = 2")
    for _ in range(2):
        parrot.start_pass().communicate()
    assert parrot.report()["outcome"] == "ok"
    assert parrot.rows("SELECT status, attempts FROM outbox") == [("pending", 2)]


def test_a_plugin_that_is_broken_now_leaves_a_cut_off_delivery_to_the_day_when_it_is_mended(parrot: Parrot) -> None:
    shouting = parrot_source().replace('run.effect("say"', 'run.effect("shout"')
    killing = parrot_source(deliver="(effect):\n    os.kill(os.getpid(), 9)\n").replace(
        'run.effect("say"', 'run.effect("shout"'
    )
    parrot.teach(killing, "plan = ['one']")
    parrot.start_pass().communicate()
    parrot.teach("raise ImportError('half an update')\n")
    assert parrot.report(code=1)["outcome"] == "failed"
    assert parrot.rows("SELECT status FROM outbox") == ["sending"]
    parrot.teach(shouting, "plan = []")
    parrot.report()
    assert parrot.rows("SELECT status FROM outbox") == ["unknown"]


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        ("DeliveryError('gone', permanent=True)", "dead"),
        ("KeyError('a bug')", "pending"),
        ("SystemExit(0)", "pending"),
        ("DeliveryError('wait', retry_after=7200)", "pending"),
        ("DeliveryError('wait', retry_after=1e20)", "pending"),
        ("DeliveryError('wait', retry_after=float('nan'))", "pending"),
        ("DeliveryError('half a character: \\ud800')", "pending"),
    ],
)
def test_what_deliver_raises_says_what_becomes_of_the_effect(parrot: Parrot, raised: str, status: str) -> None:
    parrot.teach(parrot_source(deliver=f"(effect):\n    raise {raised}\n"), "plan = ['one']")
    parrot.report(now="2026-01-01T00:00:00Z", code=3)
    ((found, next_at),) = parrot.rows("SELECT status, next_attempt_at FROM outbox")
    assert found == status
    if "7200" in raised:
        assert next_at == "2026-01-01T02:00:00.000Z"


def test_effects_of_one_lane_go_in_order_and_one_dead_lane_does_not_stop_another(parrot: Parrot) -> None:
    lanes = "run.effect('say', learn.word, {'word': learn.word}, lane=learn.word[0])"
    source = parrot_source(deliver="(effect):\n    if effect.key == 'a1': raise DeliveryError('no')\n    SAY\n")
    say = "open('said.txt', 'a').write(effect.key + '\\n'); return {'said': effect.key}"
    source = source.replace("SAY", say).replace("open('said.txt', 'a').write", "_append")
    source += "\ndef _append(text):\n    with open('said.txt', 'a') as said:\n        said.write(text)\n"
    parrot.teach(
        source.replace('run.effect("say", learn.word, {"word": learn.word})', lanes),
        "plan = ['a1', 'b1', 'a2', 'b2', 'a3', 'b3']",
    )
    parrot.report(code=3)
    assert parrot.said == ["b1", "b2", "b3"]
    parrot.teach(parrot_source())
    parrot.rows("SELECT 1")
    parrot.call("outbox", "retry", "1")
    parrot.configure("plan = []")
    parrot.report()
    assert parrot.said == ["b1", "b2", "b3", "a1", "a2", "a3"]


def test_settle_is_part_of_the_transaction_that_marks_the_effect_delivered(parrot: Parrot) -> None:
    parrot.teach(parrot_source(settle="(db, effect):\n    raise ValueError('not now')\n"), "plan = ['one']")
    parrot.report(code=3)
    ((status, error),) = parrot.rows("SELECT status, last_error FROM outbox")
    assert status == "pending"
    assert "settle raised ValueError: not now" in error
    parrot.teach(parrot_source(), "plan = ['one']")
    parrot.call("outbox", "retry", "1")
    parrot.report()
    assert parrot.rows("SELECT word FROM parrot_said") == ["one"]


def test_an_effect_that_kills_every_pass_is_dead_after_max_attempts(parrot: Parrot) -> None:
    parrot.teach(
        parrot_source(deliver="(effect):\n    os.kill(os.getpid(), 9)\n"),
        "plan = ['one']",
        "[pollctl.outbox]\nmax_attempts = 2",
    )
    for _ in range(2):
        parrot.start_pass().communicate()
    assert parrot.report()["outcome"] == "ok"
    assert parrot.rows("SELECT status, attempts FROM outbox") == [("dead", 2)]


def test_a_settle_that_raises_leaves_no_effect_and_no_count_behind(parrot: Parrot) -> None:
    settle = "(db, effect, run):\n    run.effect('say', 'follow-up', {'word': 'x'})\n    run.count(settled=1)\n    raise ValueError('not now')\n"
    parrot.teach(parrot_source(settle=settle), "plan = ['one']")
    assert parrot.report(code=3)["stats"] == {"learned": 1}
    assert parrot.rows("SELECT key FROM outbox") == ["one"]
