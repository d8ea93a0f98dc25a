"""What the upstream's word for an operation means (rules 3 to 6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from plugins.stockx_ops.decide.values import NOON, OPERATIONS, decided, only, response

from pollctl_stockx_ops.model import (
    CompleteJob,
    PostponeJob,
)

# rules 3 to 6


@pytest.mark.parametrize("word", ["queued", "processing", "something new", ""])
def test_an_operation_under_way_or_with_an_unknown_word_is_asked_about_again(word: str) -> None:
    later = only(decided(response(word=word), settings=OPERATIONS))
    assert isinstance(later, PostponeJob)
    assert (later.until, later.is_rate_limited) == (NOON + timedelta(seconds=20), False)


def test_a_word_of_the_other_dialect_is_unknown() -> None:
    assert isinstance(only(decided(response(word="completed"))), PostponeJob)


@pytest.mark.parametrize(
    ("job_type", "status"),
    [
        ("create_listing", "ACTIVE"),
        ("update_listing", "ACTIVE"),
        ("activate_listing", "ACTIVE"),
        ("deactivate_listing", "INACTIVE"),
        ("delete_listing", "DELETED"),
    ],
)
def test_a_completed_job_makes_of_its_listing_what_its_type_says(job_type: str, status: str) -> None:
    done = only(decided(response(word="SUCCEEDED", amount=250, currency_code="USD"), job_type=job_type))
    assert isinstance(done, CompleteJob)
    assert (done.change.listing_id, done.change.status) == ("L1", status)  # type: ignore[union-attr]
    assert (done.change.ask_price, done.change.currency_code) == (250, "USD")  # type: ignore[union-attr]
    assert not done.is_partial


def test_an_unknown_job_type_completes_the_job_and_touches_no_listing() -> None:
    done = only(decided(response(word="SUCCEEDED"), job_type="polish_listing"))
    assert isinstance(done, CompleteJob)
    assert done.change is None
    assert done.recipients is None


def test_without_a_result_the_listing_id_comes_from_the_job() -> None:
    given_by_upstream = only(decided(response(word="completed", listing_id="L9"), settings=OPERATIONS))
    assert given_by_upstream.change.listing_id == given_by_upstream.listing_id == "L9"
    silent = only(decided(response(word="completed"), settings=OPERATIONS))
    assert (silent.change.listing_id, silent.change.ask_price) == ("L1", None)
    unknown = only(decided(response(word="completed"), settings=OPERATIONS, listing_id=None))
    assert isinstance(unknown, CompleteJob)
    assert unknown.change is None


def test_only_a_completed_create_or_activate_is_notified_as_live() -> None:
    recipients = {kind: only(decided(response(word="SUCCEEDED"), job_type=kind)).recipients for kind in
            ("create_listing", "activate_listing", "update_listing", "delete_listing")}  # fmt: skip
    assert recipients == {
        "create_listing": ["crew"], "activate_listing": ["crew"], "update_listing": None, "delete_listing": None
    }  # fmt: skip


def test_a_failed_operation_fails_its_job_with_the_upstreams_message_or_unknown_error() -> None:
    lost = only(decided(response(word="FAILED", error_message="ask too low", error_code="LOW")))
    assert (lost.error_code, lost.error_message, lost.is_timeout) == ("LOW", "ask too low", False)
    silent = only(decided(response(word="failed"), settings=OPERATIONS))
    assert (silent.error_code, silent.error_message) == ("operation_failed", "Unknown error")


def test_a_partial_success_ends_the_job_updates_the_listing_and_keeps_the_error() -> None:
    said = response(word="partial_success", listing_id="L1", amount=90, error_code="S9", error_message="size 9 refused")
    done = only(decided(said, settings=OPERATIONS))
    assert (done.is_partial, done.change.ask_price, done.change.status) == (True, 90, "ACTIVE")
    assert (done.history_status, done.error_code, done.error_message) == ("PARTIAL", "S9", "size 9 refused")
    assert done.recipients == ["crew"]


@pytest.mark.parametrize(
    ("job_type", "status"),
    [
        ("create_listing", "ACTIVE"),
        ("update_listing", "ACTIVE"),
        ("activate_listing", "ACTIVE"),
        ("deactivate_listing", "INACTIVE"),
        ("delete_listing", "DELETED"),
        ("polish_listing", "COMPLETED"),
    ],
)
def test_the_history_says_what_became_of_the_listing(job_type: str, status: str) -> None:
    assert only(decided(response(word="SUCCEEDED"), job_type=job_type)).history_status == status
