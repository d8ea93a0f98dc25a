"""The rules of the outbox: what becomes of an effect whose delivery failed, or was cut off by the end of its process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pollctl import DeliveryError, to_text
from pollctl.config.schema import Outbox
from pollctl.delivery.policy import (
    DEADLY,
    LONGEST_PAUSE,
    LONGEST_RETRY_AFTER,
    LONGEST_TIRELESS_PAUSE,
    Kinds,
    Policy,
    Retry,
)

KINDS = Kinds(holding=frozenset({"shout"}), tireless=frozenset({"clean"}))
LENGTHS = st.timedeltas(timedelta(), timedelta.max)
RETRIES = st.builds(Retry, st.integers(1, 100), LENGTHS, LENGTHS.filter(bool))
POLICIES = st.builds(Policy, RETRIES, st.just(KINDS))
ANY_KIND = st.sampled_from(["say", "shout", "clean"])


@given(POLICIES, ANY_KIND, st.text(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_after_a_cut_an_effect_rests_as_long_as_it_may_and_no_longer(
    policy: Policy, kind: str, key: str, counted: int, alone: int
) -> None:
    what = policy.after_cut(kind, key, counted, alone)
    assert timedelta() <= what.pause <= policy.retry.longest_pause
    assert what.pause == timedelta() or counted >= policy.retry.max_attempts or alone >= DEADLY
    if kind == "shout":
        assert what.status == "unknown"
    elif kind == "clean":
        assert what.status == "pending"
        assert what.pause <= LONGEST_TIRELESS_PAUSE
    else:
        assert what.status == ("dead" if counted >= policy.retry.max_attempts else "pending")


@given(POLICIES, ANY_KIND, st.text(), st.integers(1, 10**6), st.booleans(), st.booleans(), st.floats())
def test_after_a_failure_an_effect_is_given_up_only_for_a_reason(
    policy: Policy, kind: str, key: str, counted: int, permanent: bool, uncertain: bool, retry_after: float
) -> None:
    error = DeliveryError("no", permanent=permanent, uncertain=uncertain, retry_after=retry_after)
    what = policy.after_failure(kind, key, counted, error)
    assert what.pause <= policy.retry.longest_pause
    if kind == "shout" and uncertain:
        assert what.status == "unknown"
    elif permanent:
        assert what.status == "dead"
    elif kind == "clean":
        assert (what.status, what.pause <= LONGEST_TIRELESS_PAUSE) == ("pending", True)
    else:
        assert what.status == ("dead" if counted >= policy.retry.max_attempts else "pending")


@given(RETRIES, st.text(), st.integers(0, 10**6))
def test_no_pause_is_beyond_what_a_date_can_hold(retry: Retry, key: str, attempts: int) -> None:
    assert timedelta() <= retry.pause(key, attempts) <= LONGEST_PAUSE * 1.1
    assert to_text(datetime(2100, 1, 1, tzinfo=UTC) + retry.longest_pause)


def test_the_forty_first_pause_of_two_minutes_doubled_each_time_is_the_longest_one() -> None:
    retry = Retry(60, timedelta(minutes=2), timedelta(hours=6))
    assert timedelta(hours=5.4) <= retry.pause("key", 41) <= timedelta(hours=6.6)


class ForgetfulError(DeliveryError):
    """An error of a plugin's own making, which never told the one that it is derived from."""

    def __init__(self) -> None:
        pass


class Undecided:
    """Has no truth, as arrays have none."""

    def __bool__(self) -> bool:
        raise ValueError("all or any?")


class Odd(float):
    """A number of a plugin's own making."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("incomparable")

    __hash__ = float.__hash__


def test_by_the_defaults_a_night_without_a_network_loses_nothing() -> None:
    outbox = Outbox()
    retry = Retry(outbox.max_attempts, outbox.backoff, outbox.backoff_max)
    assert sum((retry.pause("key", attempt) for attempt in range(1, retry.max_attempts)), timedelta()) > timedelta(
        days=2
    )


@pytest.mark.parametrize("rubbish", ["60", b"60", object(), [1], Undecided(), Odd(3), 10**400, float("inf"), -1, True])
@pytest.mark.parametrize("kind", ["say", "shout", "clean"])
def test_whatever_an_error_was_set_to_there_is_an_answer(kind: str, rubbish: Any) -> None:
    error = DeliveryError("no")
    error.retry_after = error.permanent = error.uncertain = rubbish
    what = Policy(Retry(3, timedelta(minutes=1), timedelta(hours=1)), KINDS).after_failure(kind, "key", 1, error)
    assert timedelta() < what.pause <= LONGEST_RETRY_AFTER
    assert kind != "shout" or what.status == "unknown"


def test_an_error_that_does_not_say_whether_it_arrived_may_have_arrived() -> None:
    policy = Policy(Retry(3, timedelta(minutes=1), timedelta(hours=1)), KINDS)
    assert policy.after_failure("shout", "key", 1, ForgetfulError()).status == "unknown"
    assert policy.after_failure("say", "key", 1, ForgetfulError()).status == "pending"


@pytest.mark.parametrize("rubbish", ["60", True, [1], object()])
def test_a_retry_after_that_is_not_a_number_is_refused_where_the_error_is_made(rubbish: Any) -> None:
    with pytest.raises(TypeError, match="retry_after of a DeliveryError is seconds as a number, not"):
        DeliveryError("wait", retry_after=rubbish)
