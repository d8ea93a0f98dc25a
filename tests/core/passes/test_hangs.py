"""A hang is ended with the stack of every thread in the run's error (authors.md, rule 15)."""

from __future__ import annotations

import json

import pytest
from core.parrot import Parrot
from sample_plugin import parrot_source

pytestmark = pytest.mark.slow

HANGING = "(run):\n    started()\n    dawdle()\n    yield Batch('one')"
MODULE = """
import threading

def started():
    threading.Thread(target=doze, daemon=True).start()

def doze():
    time.sleep(600)

def dawdle():
    while True:
        time.sleep(0.05)
"""


def assert_told(parrot: Parrot, source: str) -> None:
    (error,) = parrot.rows("SELECT error FROM runs WHERE outcome='crashed'")
    told = json.loads(error)
    line = source.splitlines().index("        time.sleep(0.05)") + 1
    assert f"it hung at parrot.py:{line}" in told["message"]
    stack = "\n".join(told["stack"])
    assert "in dawdle" in stack
    assert "in doze" in stack


@pytest.mark.parametrize("words", [("run", "parrot"), ("due", "--run")], ids=["by hand", "by cron"])
def test_a_hang_is_ended_with_where_every_thread_stood(parrot: Parrot, words: tuple[str, ...]) -> None:
    source = parrot_source(fetch=HANGING, module=MODULE)
    parrot.teach(source, 'deadline = "1s"', 'grace = "4s"')
    assert parrot.spawn(*words).returncode == 1
    if words[0] == "run":
        parrot.teach(parrot_source())
        parrot.report()
    assert_told(parrot, source)
    assert "in dawdle" in parrot.call("history", "--json").stdout or "in dawdle" in parrot.call("show", "latest").stdout
