"""Command lines and settings files drawn by a grammar and by mutation: no traceback, nothing that steers a terminal, no end that is late.

``POLLCTL_SEED`` repeats a campaign, ``POLLCTL_FUZZ_CASE`` one case of it; ``POLLCTL_CAMPAIGN=full`` tries 20,000.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from campaign import SEED, WORKERS, figure, side_by_side, size
from fuzz import LONGEST_S, Failure, try_out

ONE = os.environ.get("POLLCTL_FUZZ_CASE")
CASES = [int(ONE)] if ONE else list(range(size(400, 20_000)))


@pytest.mark.slow
@pytest.mark.timeout(24 * 3600)
def test_whatever_is_written_is_answered_in_time_and_without_a_traceback() -> None:
    tallies = side_by_side(try_out, [CASES[start::WORKERS] for start in range(min(WORKERS, len(CASES)))])
    codes: Counter[int] = Counter()
    for tally in tallies:
        codes.update(tally.codes)
    failures = [failure for tally in tallies for failure in tally.failures]
    for failure in failures:
        print(told(failure))
    ended = ", ".join(f"{count} with {code}" for code, count in sorted(codes.items()))
    slowest = max(tally.slowest_s for tally in tallies)
    figure(
        f"fuzz: {len(CASES)} command lines and settings files, {len(failures)} failures; slowest {slowest:.1f} s; {ended}"
    )
    assert [f"case {failure.number}: {failure.why}" for failure in failures] == []
    assert slowest <= LONGEST_S
    assert ONE or codes[0] > len(CASES) // 20, "what is drawn is hardly ever right"


def told(failure: Failure) -> str:
    """All that it takes to have the failure again, in the same campaign or by hand."""
    case = failure.case
    return (
        f"\ncase {failure.number}: {failure.why}; again with POLLCTL_SEED={SEED} POLLCTL_FUZZ_CASE={failure.number}\n"
        f"  words: {list(case.words)}\n  environ: {case.environ}, database: {case.has_database}, mode: {case.mode:04o}\n"
        f"  pollctl.toml: {case.settings!r:.4000}\n  said: {failure.said}"
    )
