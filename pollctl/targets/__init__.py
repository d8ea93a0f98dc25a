"""Many addresses, each with its own pace, memory and people: a plugin from two functions (docs/targets.md).

```python
from pollctl import Answer
from pollctl.targets import Change, News, Target, TargetPlugin

def read(answer: Answer, target: Target) -> str:
    return answer.text

def compare(before: str | None, now: str, target: Target) -> Change[str]:
    return Change(now, [] if before == now else [News(f"{target.title} has changed")])

plugin = TargetPlugin("pages", Target, str, key="pages", summary="Has a page changed?", read=read, compare=compare)
```
"""

from __future__ import annotations

from pollctl.targets.model import Batch, Decision, Kept
from pollctl.targets.plugin import TargetPlugin
from pollctl.targets.rows import Known
from pollctl.targets.target import Change, News, Target, TargetSettings

__all__ = ["Batch", "Change", "Decision", "Kept", "Known", "News", "Target", "TargetPlugin", "TargetSettings"]
