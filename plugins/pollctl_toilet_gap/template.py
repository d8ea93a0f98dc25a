"""What ``seed-template`` writes: how this kind of check is described to people."""

from __future__ import annotations

DESCRIPTION = "TOILET_ACTIVITY_GAP"
TEXT = "Raises an alarm when a whole gap passes between two visits to the toilet."
PHASES = {
    "SETUP": "The event service is asked for the visits of the day.",
    "MONITORING": "Each visit begins a new window; one that ends without a visit raises an alarm.",
    "COMPLETE": "The day is over, and its result is known.",
}
"""What happens in each phase, in their order."""
