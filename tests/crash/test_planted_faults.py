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
import tracee
from campaign import WORKERS, figure
from disk_trace import needs_strace
from product_copy import FAULTS, ProductCopy

EVERY_SYSCALL = (
    "tests/crash/test_every_syscall.py::test_a_pass_killed_before_some_system_call_ends_like_an_undisturbed_one"
)
RANDOM_KILLS = "tests/crash/test_random_kills.py::test_whenever_a_pass_is_killed_nothing_is_lost_or_doubled"
IO_ERRORS = "tests/crash/test_io_errors.py::test_a_pass_whose_disk_fails_somewhere_says_so_and_the_next_goes_on"
POWER_CUT = "tests/crash/test_power_cut.py::test_no_power_cut_loses_an_acknowledged_commit_or_an_effect[a later pass]"


class Caught(NamedTuple):
    """A fault, the test that catches it, what that says when it does (a pattern), and how long it may take (one is to hang)."""

    fault: str
    test: str
    says: str
    limit_s: int = 200


CAUGHT = (
    Caught(
        "stamp_without_counter",
        "tests/core/due/test_stamp.py::test_in_doubt_it_says_nothing[a commit, and a power cut that took the times]",
        "is None",
    ),
    Caught("synchronous_off", POWER_CUT, "a power cut damages the database"),
    Caught("wal_normal", f"{POWER_CUT.removesuffix(']')}, in WAL]", "an acknowledged commit is lost"),
    Caught("deliver_before_commit", POWER_CUT, "was sent before its row was durable as sending"),
    Caught("mark_before_send", POWER_CUT, "is durable as delivered before it was sent"),
    Caught(
        "no_unique_key",
        "tests/crash/test_simulation.py::test_the_promises_hold_in_random_worlds",
        "queued twice under one key",
    ),
    Caught(
        "lock_file_unlinked",
        "tests/core/store/test_lock.py::test_the_lock_file_stays_private_and_is_never_unlinked",
        "FileNotFoundError",
    ),
    Caught(
        "deferred_begin",
        "tests/core/store/test_database.py::test_a_transaction_begins_immediate_so_that_a_second_writer_waits_at_the_start",
        "DID NOT RAISE",
    ),
    Caught(
        "commit_retried",
        "tests/crash/test_power_cut.py::test_a_pass_that_says_ok_has_written_everything_whichever_sync_fails[journal]",
        "the pass said ok, but what it decided is not there",
    ),
    Caught(
        "time_out_per_read",
        "tests/core/http/test_hostile.py::test_an_exchange_ends_at_its_total_time_limit_and_so_does_its_thread"
        "[python-body a byte at a time]",
        r"Timeout \(>|<= \(0\.5 \+ 0\.5\)",  # it goes on and on, unless a slow machine leaves a gap in the trickle
        limit_s=8,
    ),
    Caught(
        "redirects_with_credentials",
        "tests/core/http/test_redirects.py::test_a_redirect_to_an_allowed_host_is_followed_without_credentials_or_custom_headers[python]",
        "'Authorization'",
    ),
    Caught(
        "proxy_variables",
        "tests/core/http/test_surroundings.py::test_proxies_and_netrc_do_not_count_unless_the_settings_say_so[python]",
        "from the proxy",
    ),
    Caught(
        "naive_local_time",
        "tests/crash/test_clock_shifts.py::test_moments_are_utc_wherever_the_machine_stands",
        "hours away from UTC",
    ),
    Caught(
        "plugin_errors_not_contained",
        "tests/core/passes/test_pass.py::test_a_bad_batch_leaves_no_trace_and_does_not_hide_the_next[ValueError('no')-decide]",
        "pollctl: plugin 'parrot' .* decide raised ValueError: no",
    ),
    Caught(
        "empty_answer_closes_all",
        "tests/plugins/soc_sections/decide/test_verdicts.py::test_by_default_an_empty_answer_is_never_believed",
        "suspect_empty",
    ),
    Caught("cut_off_forgotten", EVERY_SYSCALL, "effects cut off"),
    Caught("cut_off_forgotten", RANDOM_KILLS, "effects cut off"),
    Caught(
        "cut_off_sent_together",
        "tests/core/delivery/test_poisoned_effects.py::test_effects_cut_off_together_go_one_at_a_time_next",
        "cut off in company again",
    ),
    Caught(
        "failure_recorded_by_code_that_raises",
        "tests/core/delivery/test_recording_failures.py::test_what_others_delivered_is_kept",
        "what others delivered was undone",
    ),
    Caught(
        "time_beyond_maximum_obeyed",
        "tests/core/delivery/test_wrong_clock.py"
        "::test_an_effect_that_failed_while_the_clock_was_ahead_is_sent_once_it_is_right_again[twelve years-say]",
        "a moment beyond its maximum was waited for",
    ),
    Caught(
        "encoded_text_masked",
        "tests/core/test_encoding.py::test_a_secret_of_digits_breaks_no_number_moment_or_id",
        r"JSONDecodeError",
    ),
    Caught(
        "kill_without_looking",
        "tests/core/supervision/test_stopped_supervisor.py"
        "::test_a_pass_that_ended_well_while_its_supervisor_was_stopped_is_not_called_killed",
        "alpha: killed",
    ),
    Caught(
        "wait_beyond_maximum",
        "tests/core/store/test_wrong_clocks.py::test_a_hold_of_a_wrong_clock_holds_nobody_up[TRUNCATE]",
        "held until 2038",
    ),
    Caught(
        "shared_backup_name",
        "tests/core/store/test_names_beside_ours.py::test_two_backups_to_one_file_do_not_disturb_each_other[TRUNCATE]",
        "assert 1 == 0|malformed|cut-off|what the other had written",
    ),
    Caught(
        "journals_left",
        "tests/core/store/test_names_beside_ours.py"
        "::test_the_journals_of_a_database_that_was_removed_are_not_played_into_the_next[WAL]",
        "2000 != 0|DatabaseError",
    ),
    Caught(
        "link_not_resolved",
        "tests/core/store/test_names_beside_ours.py::test_a_database_with_two_names_has_one_set_of_locks",
        "linked.db",
    ),
    Caught("failed_commit_hidden", IO_ERRORS, r"in which call \d+ .* with (EIO|ENOSPC) failed"),
)

needs_patch = pytest.mark.skipif(not shutil.which("patch"), reason="patch is not installed (Debian: apt install patch)")
needs_ptrace = pytest.mark.skipif(not tracee.is_possible, reason=tracee.why_not)
pytestmark = [pytest.mark.slow, needs_patch, needs_strace, needs_ptrace, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> ProductCopy:
    """A copy without a fault."""
    return ProductCopy(tmp_path_factory.mktemp("sound") / "copy")


def test_every_fault_has_a_test_that_catches_it_and_every_patch_fits(tmp_path: Path) -> None:
    faults = {caught.fault for caught in CAUGHT}
    assert {path.stem for path in FAULTS.glob("*.patch")} == faults
    for fault in faults:
        copy = ProductCopy(tmp_path / fault)
        done = copy.spoil(fault)
        assert done.returncode == 0, f"{fault}.patch does not fit any more: {done.stdout}{done.stderr}"


def test_the_copy_is_what_is_tested(sound: ProductCopy, tmp_path: Path) -> None:
    words = ("-c", "import pollctl, pollctl_soc_sections as plugin; print(pollctl.__file__, plugin.__file__)")
    for path in sound.run(*words, cwd=tmp_path).stdout.split():
        assert Path(path).is_relative_to(sound.folder)


def test_without_a_fault_the_tests_pass(sound: ProductCopy, tmp_path: Path) -> None:
    tests = sorted({caught.test for caught in CAUGHT})
    shares = [tests[number::WORKERS] for number in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as side_by_side:
        for done in side_by_side.map(lambda share: sound.pytest(*share, cwd=tmp_path), shares):
            assert done.returncode == 0, done.stdout[-3000:]
            assert "skipped" not in done.stdout


def test_each_fault_is_caught_by_name(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(len(CAUGHT))]
    with ThreadPoolExecutor(WORKERS) as side_by_side:
        missed = [words for words in side_by_side.map(miss, CAUGHT, folders) if words]
    assert not missed, "\n".join(missed)
    faults = {caught.fault for caught in CAUGHT}
    figure(f"planted faults: {len(faults)} of {len(faults)} caught by name, in {len(CAUGHT)} tests")


def miss(caught: Caught, folder: Path) -> str:
    """Plant a fault and run a test that must catch it; answers what went wrong, or nothing."""
    fault = caught.fault
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
