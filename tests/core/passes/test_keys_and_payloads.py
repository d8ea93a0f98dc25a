"""Keys of effects, and what their payloads and the labels of metrics must not hold (authors.md, rule 13)."""

from __future__ import annotations

import json

import pytest
from core.parrot import Parrot
from sample_plugin import parrot_source

SECRET = "canary-7f3a"
ONCE = '(run):\n    yield Batch("one")'


def queueing(body: str, **more: str) -> str:
    """A parrot whose apply does no more than *body*."""
    usual = {"settings": "token: Secret = Secret('')\nurl: str = ''", "fetch": ONCE, "apply": f"(run):\n    {body}"}
    return parrot_source(**(usual | more))


def test_a_secret_of_the_core_is_refused_by_its_name(parrot: Parrot) -> None:
    parrot.teach(queueing("run.effect('say', 'k', {'to': run.addresses[0].reveal()})"))
    parrot.settings('[pollctl.notify]\nurls = ["json://127.0.0.1:9/long-path"]', "[plugins.parrot]")
    assert "holds pollctl.notify.urls[0]: payloads are kept" in parrot.report(code=1)["error"]["message"]
    assert parrot.rows("SELECT key FROM outbox WHERE kind='say'") == []


def test_a_short_secret_may_be_a_word_and_is_only_masked_where_it_comes_out(parrot: Parrot) -> None:
    parrot.teach(queueing("run.effect('say', 'k', {'word': 'one word'})"), 'token = "word"')
    parrot.report()


def test_a_message_that_holds_a_secret_arrives_without_it(parrot: Parrot) -> None:
    told = "run.tell('k', 'title', f'it answered {run.settings.token.reveal()}')"
    parrot.teach(queueing(told, settle="():\n    pass"), f'token = "{SECRET}"')
    parrot.report()
    (payload,) = parrot.rows("SELECT payload FROM outbox")
    assert json.loads(payload)["body"] == "it answered ***"


@pytest.mark.parametrize("what", ["effect('say', 'k', {})", "tell('k', 'title', 'body')"])
def test_what_is_queued_in_deliver_is_refused(parrot: Parrot, what: str) -> None:
    source = queueing("run.effect('say', 'first', {'word': 'one'})", deliver=f"(run):\n    run.{what}")
    parrot.teach(source)
    parrot.report(code=3)
    name = what.partition("(")[0]
    ((key, error),) = parrot.rows("SELECT key, last_error FROM outbox")
    assert key == "first"
    assert f"deliver: run.{name} in deliver: what it queues would belong to no transaction; call it in settle" in error
    assert "(parrot.py:" in error


def test_effects_that_are_known_already_are_counted_and_said(parrot: Parrot) -> None:
    parrot.teach(queueing("run.effect('say', 'k', {'word': run.id})\n    run.effect('shout', 'same', {'word': 'x'})"))
    assert parrot.report()["effects"] == {"queued": 2, "delivered": 2, "failed": 0}
    assert parrot.report()["effects"] == {"queued": 0, "delivered": 0, "failed": 0, "known": 2}
    done = parrot.call("-v", "run", "parrot")
    assert "2 effects known already" in done.stdout
    assert "effect known: kind say, key k, payload differs; the first one stands" in done.stderr
    assert "key same" not in done.stderr
    events = [json.loads(line) for line in parrot.call("--log-format=json", "run", "parrot").stderr.splitlines()]
    assert [event["key"] for event in events if event["event"] == "effect.known"] == ["k"]


def test_of_very_many_effects_each_whose_payload_differs_is_said(parrot: Parrot) -> None:
    effects = "[run.effect('say', f'k{n}', {'word': run.id if n % 700 == 699 else 'same'}) for n in range(2100)]"
    parrot.teach(queueing(effects, settle="():\n    pass"))
    parrot.report()
    events = [json.loads(line) for line in parrot.call("--log-format=json", "run", "parrot").stderr.splitlines()]
    assert [event["key"] for event in events if event["event"] == "effect.known"] == ["k699", "k1399", "k2099"]


@pytest.mark.parametrize(
    ("secret", "named"),
    [
        (SECRET, "label 'at' of words holds plugins.parrot.token: labels are public; take another; they are left out"),
        ("abcd", ""),
    ],
)
def test_a_secret_in_a_label_of_a_metric_is_refused_with_the_name_of_its_setting(
    parrot: Parrot, secret: str, named: str
) -> None:
    metrics = "(db):\n    from pollctl.metrics import labelled\n    return [labelled('words', 'Words.', ['at'], {'x=SECRET': 1})]"
    parrot.teach(queueing("pass", metrics=metrics.replace("SECRET", secret)), f'token = "{secret}"')
    parrot.report()
    done = parrot.call("metrics")
    assert named in done.stderr
    assert secret not in done.stdout + done.stderr
    assert ('words{at="x=***"}' in done.stdout) is not bool(named)
