"""When a plugin is due: the slots of a cron expression in a zone, and the gates between a slot and a pass.

Pure: no I/O but zone data, no clock, no randomness. Importing this package does not import croniter.
"""

from pollctl.schedule.due import backoff_until, judge
from pollctl.schedule.expression import warnings
from pollctl.schedule.model import Gate, Past, Timing, Verdict
from pollctl.schedule.slots import Schedule

__all__ = ["Gate", "Past", "Schedule", "Timing", "Verdict", "backoff_until", "judge", "warnings"]
