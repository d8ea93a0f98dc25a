"""What authors of plugins test their plugin with; each name is loaded when it is first used.

```python
from pollctl import testing

def test_my_plugin_keeps_the_contract():
    assert testing.contract_problems("my_plugin") == []

def test_the_crew_is_told(bench):
    gauge = bench("gauge", 'url = "https://gauge.example.net/level"')
    gauge.answer("https://gauge.example.net/level", {"cm": 300})
    assert gauge.at("09:01").run().outcome == "ok"
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pollctl.plugin_host.conformance.contract import problems_of as problems_of
    from pollctl.plugin_host.conformance.purity import impure_source as impure_source
    from pollctl.plugin_host.conformance.recordings import read_back as read_back
    from pollctl.plugin_host.conformance.recordings import round_trip_problems as round_trip_problems
    from pollctl.testing.audit import audited as audited
    from pollctl.testing.bench import Bench as Bench
    from pollctl.testing.contract import contract_problems as contract_problems
    from pollctl.testing.imports import HEAVY as HEAVY
    from pollctl.testing.imports import imports_of as imports_of
    from pollctl.testing.internet import Message as Message
    from pollctl.testing.purity import impurities as impurities
    from pollctl.testing.result import QueuedEffect as QueuedEffect
    from pollctl.testing.result import Result as Result
    from pollctl.testing.suite import conformance as conformance

_HOMES = {
    "Bench": "testing.bench",
    "HEAVY": "testing.imports",
    "Message": "testing.internet",
    "QueuedEffect": "testing.result",
    "Result": "testing.result",
    "audited": "testing.audit",
    "conformance": "testing.suite",
    "contract_problems": "testing.contract",
    "impure_source": "plugin_host.conformance.purity",
    "imports_of": "testing.imports",
    "impurities": "testing.purity",
    "problems_of": "plugin_host.conformance.contract",
    "read_back": "plugin_host.conformance.recordings",
    "round_trip_problems": "plugin_host.conformance.recordings",
}
__all__ = [*_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pollctl.testing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"pollctl.{_HOMES[name]}"), name)
