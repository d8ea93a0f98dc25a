"""The conformance suite: everything that holds of every plugin, in one line of its tests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from pollctl.testing.suite import hostile, package, passes
from pollctl.testing.suite.subject import Subject

if TYPE_CHECKING:
    from pollctl.testing.bench import Bench

CHECKS: tuple[Callable[[Subject], list[str]], ...] = (
    package.contract,
    package.sample,
    package.readme,
    package.imports,
    package.demo,
    passes.passes,
    passes.purity,
    passes.values,
    passes.keys,
    passes.plan,
    passes.report,
    passes.crashes,
    hostile.deadline,
    hostile.secrets,
)
"""In the order in which they tell most; each answers what is wrong, a sentence with its remedy each."""
SEEN_FROM_PASSES = frozenset(check for check in CHECKS if check.__module__ != package.__name__)


def findings(check: Callable[[Subject], list[str]], subject: Subject) -> list[str]:
    """What is wrong with a plugin, as one check sees it: of passes that do not begin only why."""
    found = check(subject)
    return (check in SEEN_FROM_PASSES and found and subject.wrong_settings()) or found


def conformance(
    plugin: str,
    arrange: Callable[[Bench], object] | None = None,
    *,
    ignore: Collection[str] = (),
    env: Mapping[str, str] | None = None,
) -> Any:
    """Make the whole suite one test of pytest, with a case for each check; assign it to ``test_conformance``.

    Passes are made on a `Bench`, against the plugin's playground (entry points ``pollctl.fakes``) if it has one.

    Args:
        plugin: its name; it must be installed.
        arrange: readies the bench that it is given for a pass in which something happens: settings, answers, commands.
        ignore: tables (``gauge_polls``) and columns (``gauge_polls.id``) that a pass made again after a kill may leave different.
        env: environment variables of the passes.
    """
    import pytest

    @pytest.mark.parametrize("check", [pytest.param(check, id=check.__name__) for check in CHECKS])
    def test_conformance(check: Callable[[Subject], list[str]]) -> None:
        if found := findings(check, Subject(plugin, arrange, ignore, env)):
            pytest.fail("\n".join(found), pytrace=False)

    return test_conformance
