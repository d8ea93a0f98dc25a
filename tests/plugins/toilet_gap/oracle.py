"""What must happen in a day, found by walking it second by second; written from the words of the rules alone."""

from __future__ import annotations

from collections.abc import Sequence


def alarms(visits: Sequence[int], begins: int, ends: int, gap: int) -> list[tuple[int, int]]:
    """Windows without a visit, as seconds: walk every second of the day, the end included, and look at the clock.

    Somebody sits there with a stopwatch. At each second they first note a visit, which starts the stopwatch again. Then they
    look at it: has it run for a whole gap, an alarm is raised and it starts again. A visit in the very last second is not
    in the day any more.
    """
    seen = set(visits)
    started = begins
    raised = []
    for second in range(begins, ends + 1):
        if second in seen and second != ends:
            started = second
        if second - started == gap:
            raised.append((started, second))
            started = second
    return raised
