"""Proof that the tests can fail: each fault of ``faults/`` is planted in a copy of the product and must be caught by name.

The copy without a fault must pass the same tests.
"""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from campaign import WORKERS, figure
from disk_trace import needs_strace
from product_copy import FAULTS, ProductCopy

POWER_CUT = "tests/crash/test_power_cut.py::test_no_power_cut_loses_an_acknowledged_commit_or_an_effect[a later pass]"


class Caught(NamedTuple):
    """The test that catches a fault, what it says when it does (a pattern), and how long it may take (one fault is to hang)."""

    test: str
    says: str
    limit_s: int = 200


CAUGHT = {
    "synchronous_off": Caught(POWER_CUT, "a power cut damages the database"),
    "wal_normal": Caught(POWER_CUT, "an acknowledged commit is lost"),
    "deliver_before_commit": Caught(POWER_CUT, "was sent before its row was durable as sending"),
    "mark_before_send": Caught(POWER_CUT, "is durable as delivered before it was sent"),
    "no_unique_key": Caught(
        "tests/crash/test_simulation.py::test_the_promises_hold_in_random_worlds", "queued twice under one key"
    ),
    "lock_file_unlinked": Caught(
        "tests/core/test_lock.py::test_the_lock_file_stays_private_and_is_never_unlinked", "FileNotFoundError"
    ),
    "deferred_begin": Caught(
        "tests/core/test_store.py::test_a_transaction_begins_immediate_so_that_a_second_writer_waits_at_the_start",
        "DID NOT RAISE",
    ),
    "commit_retried": Caught(
        "tests/crash/test_power_cut.py::test_a_pass_that_says_ok_has_written_everything_whichever_sync_fails",
        "the pass said ok, but what it decided is not there",
    ),
    "time_out_per_read": Caught(
        "tests/core/test_http_hostile.py::test_an_exchange_ends_at_its_total_time_limit_and_so_does_its_thread"
        "[body a byte at a time]",
        r"Timeout \(>|<= \(0\.5 \+ 0\.5\)",  # it goes on and on, unless a slow machine leaves a gap in the trickle
        limit_s=8,
    ),
    "redirects_with_credentials": Caught(
        "tests/core/test_http.py::test_a_redirect_to_an_allowed_host_is_followed_without_credentials_or_custom_headers",
        "'Authorization'",
    ),
    "proxy_variables": Caught(
        "tests/core/test_http.py::test_proxies_and_netrc_do_not_count_unless_the_settings_say_so", "from the proxy"
    ),
    "naive_local_time": Caught(
        "tests/crash/test_clock_shifts.py::test_moments_are_utc_wherever_the_machine_stands", "hours away from UTC"
    ),
    "plugin_errors_not_contained": Caught(
        "tests/core/test_engine.py::test_a_bad_batch_leaves_no_trace_and_does_not_hide_the_next[ValueError('no')-decide]",
        "AssertionError: pollctl: plugin 'parrot' .* decide raised ValueError: no",
    ),
    "empty_answer_closes_all": Caught(
        "tests/plugins/soc_sections/test_decide.py::test_by_default_an_empty_answer_is_never_believed", "suspect_empty"
    ),
}

needs_patch = pytest.mark.skipif(not shutil.which("patch"), reason="patch is not installed (Debian: apt install patch)")
pytestmark = [needs_patch, needs_strace, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> ProductCopy:
    """A copy without a fault."""
    return ProductCopy(tmp_path_factory.mktemp("sound") / "copy")


def test_every_fault_has_a_test_that_catches_it_and_every_patch_fits(tmp_path: Path) -> None:
    assert sorted(path.stem for path in FAULTS.glob("*.patch")) == sorted(CAUGHT)
    for fault in CAUGHT:
        copy = ProductCopy(tmp_path / fault)
        done = copy.spoil(fault)
        assert done.returncode == 0, f"{fault}.patch does not fit any more: {done.stdout}{done.stderr}"


def test_the_copy_is_what_is_tested(sound: ProductCopy, tmp_path: Path) -> None:
    words = ("-c", "import pollctl, pollctl_soc_sections as plugin; print(pollctl.__file__, plugin.__file__)")
    for path in sound.run(*words, cwd=tmp_path).stdout.split():
        assert Path(path).is_relative_to(sound.folder)


def test_without_a_fault_the_tests_pass(sound: ProductCopy, tmp_path: Path) -> None:
    tests = sorted({caught.test for caught in CAUGHT.values()})
    shares = [tests[number::WORKERS] for number in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as side_by_side:
        for done in side_by_side.map(lambda share: sound.pytest(*share, cwd=tmp_path), shares):
            assert done.returncode == 0, done.stdout[-3000:]
            assert "skipped" not in done.stdout


def test_each_fault_is_caught_by_name(tmp_path: Path) -> None:
    with ThreadPoolExecutor(WORKERS) as side_by_side:
        missed = [words for words in side_by_side.map(lambda fault: miss(fault, tmp_path / fault), CAUGHT) if words]
    assert not missed, "\n".join(missed)
    figure(f"planted faults: {len(CAUGHT)} of {len(CAUGHT)} caught by name")


def miss(fault: str, folder: Path) -> str:
    """Plant a fault and run the test that must catch it; answers what went wrong, or nothing."""
    caught = CAUGHT[fault]
    copy = ProductCopy(folder / "copy")
    if copy.spoil(fault).returncode:
        return f"{fault}.patch does not fit any more"
    done = copy.pytest(caught.test, f"--timeout={caught.limit_s}", cwd=folder)
    is_caught = any(line.startswith("FAILED") and caught.test in line for line in done.stdout.splitlines())
    if done.returncode != 1 or not is_caught:
        return f"{fault} was not caught by {caught.test}: {done.returncode}: {done.stdout[-1500:]}{done.stderr[-500:]}"
    if not re.search(caught.says, done.stdout):
        return f"{fault} was caught, but not by the words {caught.says!r}: {done.stdout[-1500:]}"
    return ""
