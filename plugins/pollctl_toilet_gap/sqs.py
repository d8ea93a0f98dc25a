"""The queue: Amazon SQS through boto3, which is imported when a queue is used and not before."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

from pollctl import DeliveryError, Run, Secret
from pollctl_toilet_gap.letters import Message
from pollctl_toilet_gap.model import Receipt, Settings

AT_ONCE = 10
"""Messages that one receive brings at most, and one batch deletes: limits of SQS."""
LEAVE_S = 20.0
"""Seconds of a pass that draining leaves for the history and the alarms; of a short pass a half."""
NO_BOTO3 = "boto3 is not installed: `pip install 'pollctl[sqs]'`, or take queue_url out of [plugins.toilet_gap]"
_PATIENCE_S = 5.0
_REGION = re.compile(r"(?:^|[./])([a-z]{2}(?:-[a-z]+)+-\d)\.")
_GONE = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue", "AWS.SimpleQueueService.ReceiptHandleIsInvalid"})
_lock = Lock()


class Drained(NamedTuple):
    """What one pass took from the queue; *is_empty*: until nothing was left in it."""

    messages: list[Message]
    is_empty: bool
    trouble: str = ""


def drain(run: Run) -> Drained:
    """Receive up to ``max_messages``, ten at a time, with as many receives as that takes and no more."""
    settings: Settings = run.settings
    messages: list[Message] = []
    leave_s = min(LEAVE_S, run.remaining / 2)
    for _ in range(-(-settings.max_messages // AT_ONCE)):
        if run.is_stopping or run.remaining < leave_s:
            return Drained(messages, is_empty=False, trouble="there was no time left to drain it")
        wanted = min(AT_ONCE, settings.max_messages - len(messages))
        received, trouble = _within_time(run, lambda number: receive(settings, number), wanted)
        if trouble:
            return Drained(messages, is_empty=False, trouble=trouble)
        messages += received
        if not received:
            return Drained(messages, is_empty=True)
    return Drained(messages, is_empty=False)


def receive(settings: Settings, number: int) -> list[Message]:
    """One receive with a long poll of ``queue_wait``."""
    answer = client(settings).receive_message(
        QueueUrl=settings.queue_url,
        MaxNumberOfMessages=number,
        WaitTimeSeconds=round(settings.queue_wait.total_seconds()),
    )
    return [
        Message(Receipt(message["MessageId"], message["ReceiptHandle"]), message.get("Body", ""))
        for message in answer.get("Messages", [])
    ]


def delete(run: Run, queue_url: str, handles: Sequence[str]) -> None:
    """Delete up to ten messages; what SQS names as failed is tried once more at once.

    Raises:
        DeliveryError: some of them are still there.
    """
    for _ in range(2):
        failed, trouble = _within_time(run, lambda left: _delete_once(run.settings, queue_url, left), handles)
        if trouble:
            raise DeliveryError(f"the queue did not delete: {trouble}")
        if not failed:
            return
        handles = [handle for handle, _ in failed]
    raise DeliveryError(f"the queue did not delete {len(failed)} messages: {failed[0][1]}")


def _delete_once(settings: Settings, queue_url: str, handles: Sequence[str]) -> list[tuple[str, str]]:
    """Handles that are left, each with the reason; one that expired is done: its message comes again, and is known."""
    entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
    answer = client(settings).delete_message_batch(QueueUrl=queue_url, Entries=entries)
    failed = [(entry["Id"], entry.get("Code", "")) for entry in answer.get("Failed", [])]
    return [(handles[int(number)], code or "no reason given") for number, code in failed if code not in _GONE]


def _within_time(run: Run, function: Any, item: Any) -> tuple[Any, str]:
    """What a call to boto3 brings, or why it brings nothing; a queue that says nothing ends in time."""
    limit = run.settings.queue_wait.total_seconds() + 2 * _PATIENCE_S
    for result in run.map(function, [item], timeout=limit):
        if result.error is None:
            return result.value, ""
        is_missing = "No module named 'boto" in result.error.message
        return None, NO_BOTO3 if is_missing else result.error.message
    return None, "the pass must end"


def client(settings: Settings) -> Any:
    """The client for the queue of the settings, made once."""
    with _lock:  # boto3's default session may not be used by two threads at once
        return _made(settings.queue_url, settings.endpoint_url, settings.queue_wait.total_seconds())


@cache
def _made(queue_url: str, endpoint_url: str, wait_s: float) -> Any:
    import boto3
    from botocore.config import Config

    patience = Config(
        connect_timeout=_PATIENCE_S,
        read_timeout=wait_s + _PATIENCE_S,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
    _have_masked(boto3.Session().get_credentials())
    return boto3.client("sqs", region_name=region_of(queue_url), endpoint_url=endpoint_url or None, config=patience)


def _have_masked(credentials: Any) -> None:
    """Let pollctl know the keys, which come from the environment or a profile: errors repeat what an endpoint says."""
    for part in ("access_key", "secret_key", "token"):
        if value := getattr(credentials, part, None):
            Secret(value)


def region_of(queue_url: str) -> str:
    """The region that a queue is in: by its address, else as the environment says."""
    match = _REGION.search(queue_url)
    if match:
        return match[1]
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
