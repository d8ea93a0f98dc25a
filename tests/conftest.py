"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import in_process
import pytest

from pollctl.plugin_host.conformance import purity
from pollctl.plugin_host.loader import Plugin


@pytest.fixture(autouse=True)
def _secrets_of_one_test_mask_nothing_in_the_next() -> Iterator[None]:
    with in_process.known_secrets_kept():
        yield


@pytest.fixture(scope="session", autouse=True)
def _plugins_that_ship_with_pollctl_are_judged_once() -> Iterator[None]:
    """Their files do not change, and the database of each test begins without a memory of them."""
    judge, known = purity.judge, dict[str, purity.Judgement]()

    def judge_once(plugin: Plugin) -> purity.Judgement:
        if plugin.found.distribution != "pollctl":
            return judge(plugin)
        key = plugin.found.entry_point.value
        if key not in known:
            known[key] = judge(plugin)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(purity, "judge", judge_once)
        yield
