"""Wrappers go around the hooks of every plugin."""

from __future__ import annotations

from core.parrot import Parrot
from plugin_package import json_of
from sample_plugin import parrot_source


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
    assert message.startswith("wrapper 'usurper' (usurper-package 1.2.3): it would replace")
    assert "pollctl_decide" in message


def test_a_wrapper_that_raises_fails_the_pass_and_is_named(parrot: Parrot) -> None:
    clumsy = "from pollctl import hookimpl\n\n@hookimpl(wrapper=True)\ndef pollctl_decide():\n    yield\n    raise SystemExit('ouch')\n"
    parrot.plugin("clumsy", clumsy, group="pollctl.wrappers")
    message = parrot.report(code=1)["error"]["message"]
    assert message == "wrapper 'clumsy' (clumsy-package 1.2.3): decide raised SystemExit: ouch (clumsy.py:6)"


def test_a_wrapper_hears_for_which_plugin_and_in_which_pass_it_is_called(parrot: Parrot) -> None:
    tracer = """
from pollctl import hookimpl

def note(hook, plugin, run):
    with open("trace.txt", "a") as trace:
        trace.write(f"{hook} {plugin} {run and run.trace_id}\\n")

@hookimpl(wrapper=True)
def pollctl_decide(plugin, run):
    note("decide", plugin, run)
    return (yield)

@hookimpl(wrapper=True)
def pollctl_poller(plugin, run):
    note("poller", plugin, run)
    return (yield)
"""
    parrot.plugin("tracer", tracer, group="pollctl.wrappers")
    parrot.configure('record = "all"')
    parrot.report()
    (trace_id,) = parrot.rows("SELECT trace_id FROM runs")
    lines = (parrot.folder / "trace.txt").read_text().splitlines()
    assert set(lines) == {f"decide parrot {trace_id}", "poller parrot None"}
    (parrot.folder / "trace.txt").unlink()
    parrot.do("replay", "latest")
    assert "decide parrot None" in (parrot.folder / "trace.txt").read_text().splitlines()


def test_wrappers_are_listed_and_checked_by_their_own_names(parrot: Parrot) -> None:
    sound = "from pollctl import hookimpl\n\n@hookimpl(wrapper=True)\ndef pollctl_decide(plugin):\n    return (yield)\n"
    parrot.plugin("sound", sound, group="pollctl.wrappers")
    row = {one["plugin"]: one for one in json_of(parrot.call("plugins", "--json"))}["sound"]
    assert (row["state"], row["distribution"], row["summary"]) == (
        "wrapper",
        "sound-package",
        "goes around pollctl_decide",
    )
    assert "ok     wrapper sound" in parrot.call("check").stdout
    parrot.plugin("torn", "def (:\n", group="pollctl.wrappers")
    rows = {one["plugin"]: one for one in json_of(parrot.call("plugins", "--json"))}
    assert rows["torn"]["state"] == "broken"
    error = "wrapper 'torn' (torn-package 1.2.3): cannot be imported: SyntaxError: invalid syntax (torn.py:1)"
    assert (rows["torn"]["error"], rows["parrot"]["error"]) == (error, error)


def test_a_wrapper_that_answers_nothing_is_named_beside_the_plugin(parrot: Parrot) -> None:
    mute = "from pollctl import hookimpl\n\n@hookimpl(wrapper=True)\ndef pollctl_decide():\n    yield\n"
    parrot.plugin("mute", mute, group="pollctl.wrappers")
    message = parrot.report(code=1)["error"]["message"]
    assert "decide (with wrapper 'mute' around it) answered NoneType, not a list" in message


def test_a_plugin_may_not_take_what_only_wrappers_may(parrot: Parrot) -> None:
    source = parrot_source().replace("pollctl_decide(state, batch)", "pollctl_decide(state, batch, run)")
    parrot.teach(source)
    message = parrot.report(code=1)["error"]["message"]
    assert "pollctl_decide takes 'run' (parrot.py:" in message
    assert "which it is not given; it may take state, batch, now, settings" in message
