"""Wrappers go around the hooks of every plugin."""

from __future__ import annotations

from core.parrot import Parrot


def test_a_wrapper_sees_every_plugin_without_either_knowing_the_other(parrot: Parrot) -> None:
    wrapper = """
from pollctl import hookimpl

@hookimpl(wrapper=True)
def pollctl_decide(batch):
    decisions = yield
    with open("audit.txt", "a") as audit:
        audit.write(f"decide {batch.word} {len(decisions)}\\n")
    return decisions

@hookimpl(wrapper=True)
def pollctl_deliver(effect):
    result = yield
    with open("audit.txt", "a") as audit:
        audit.write(f"deliver {effect.key}\\n")
    return result
"""
    parrot.plugin("auditor", wrapper, group="pollctl.wrappers")
    parrot.report()
    lines = (parrot.folder / "audit.txt").read_text().split("\n")
    assert lines[:2] == ["decide one 1", "decide two 1"]
    assert sorted(lines[2:4]) == ["deliver one", "deliver two"]


def test_a_wrapper_that_replaces_a_hook_is_refused(parrot: Parrot) -> None:
    usurper = "from pollctl import hookimpl\n\n@hookimpl\ndef pollctl_decide():\n    return []\n"
    parrot.plugin("usurper", usurper, group="pollctl.wrappers")
    message = parrot.report(code=1)["error"]["message"]
    assert "wrapper usurper" in message
    assert "pollctl_decide" in message


def test_a_wrapper_that_raises_fails_the_pass_and_is_named(parrot: Parrot) -> None:
    clumsy = "from pollctl import hookimpl\n\n@hookimpl(wrapper=True)\ndef pollctl_decide():\n    yield\n    raise SystemExit('ouch')\n"
    parrot.plugin("clumsy", clumsy, group="pollctl.wrappers")
    message = parrot.report(code=1)["error"]["message"]
    assert "SystemExit: ouch (clumsy.py:6)" in message
