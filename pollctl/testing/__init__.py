"""The conformance kit: what authors of plugins hold their plugin against.

```python
from pollctl import testing

def test_my_plugin_keeps_the_contract():
    assert testing.contract_problems("my_plugin") == []

def test_decide_is_pure():
    assert testing.impurities(decide, state, batch, now, settings) == []
```
"""

from __future__ import annotations

from pollctl.plugin_host.conformance.contract import problems_of
from pollctl.plugin_host.conformance.purity import impure_source
from pollctl.plugin_host.conformance.recordings import read_back, round_trip_problems
from pollctl.testing.audit import audited
from pollctl.testing.contract import contract_problems
from pollctl.testing.imports import HEAVY, imports_of
from pollctl.testing.purity import impurities

__all__ = [
    "HEAVY",
    "audited",
    "contract_problems",
    "imports_of",
    "impure_source",
    "impurities",
    "problems_of",
    "read_back",
    "round_trip_problems",
]
