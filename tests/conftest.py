"""What holds for every test."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from pollctl.plugin_host.conformance import contract, purity
from pollctl.plugin_host.loader import Plugin
from pollctl.testing import in_process

_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30


def pytest_configure() -> None:
    """Let the folders of tests lie in memory where there is room: waiting for a disk at each commit doubles their time."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
    hypothesis.settings.register_profile("pollctl", deadline=None)  # a busy machine is no fault
    hypothesis.settings.load_profile("pollctl")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _secrets_of_one_test_mask_nothing_in_the_next() -> Iterator[None]:
    with in_process.known_secrets_kept():
        yield


@pytest.fixture(scope="session", autouse=True)
def _plugins_that_ship_with_pollctl_are_judged_once() -> Iterator[None]:
    """Their files do not change, and the database of each test begins without a memory of them."""
    judge, known = contract.judge, dict[str, purity.Judgement]()

    def judge_once(plugin: Plugin) -> purity.Judgement:
        if plugin.found.distribution != "pollctl":
            return judge(plugin)
        key = plugin.found.entry_point.value
        if key not in known:
            known[key] = judge(plugin)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract, "judge", judge_once)
        yield
