"""watch: has a page changed, and is it what is waited for?"""

from __future__ import annotations

from pollctl.targets import TargetPlugin
from pollctl_watch.client import read
from pollctl_watch.decide import compare
from pollctl_watch.model import Seen, Watch

plugin = TargetPlugin("watch", Watch, Seen, key="watches", summary="Has a page changed?", read=read, compare=compare)
