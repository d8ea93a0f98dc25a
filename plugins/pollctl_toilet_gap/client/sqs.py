"""The queue: Amazon SQS through boto3, which is imported when a queue is used and not before."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pollctl import DeliveryError, Run, Secret, counted, shorten
from pollctl_toilet_gap.client.parsing import Message
from pollctl_toilet_gap.model import Receipt, Settings

AT_ONCE = 10
"""Messages that one receive brings at most, and one batch deletes: limits of SQS."""
NO_BOTO3 = "boto3 is not installed: `pip install 'pollctl[sqs]'`, or take queue_url out of [plugins.toilet_gap]"
_TIMEOUT_S = 5.0
_UNREAD = [
    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
]  # fmt: skip
_REGION = re.compile(r"(?:^|[./])([a-z]{2}(?:-[a-z]+)+-\d)\.")
_GONE = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue", "AWS.SimpleQueueService.ReceiptHandleIsInvalid"})


class Received(NamedTuple):
    """What one receive brought, or why it brought nothing."""

    messages: Sequence[Message]
    error: str = ""


def receive(run: Run, number: int) -> Received:
    """Receive up to *number* messages, with a long poll of ``queue_wait``."""
    messages, error = _within_time(run, lambda wanted: _receive_once(run, wanted), number)
    return Received(messages or (), error)


def delete(run: Run, queue_url: str, handles: Sequence[str]) -> None:
    """Delete up to ten messages; what SQS names as failed is tried once more at once.

    Raises:
        DeliveryError: some of them are still there.
    """
    for _ in range(2):
        failed, error = _within_time(run, lambda left: _delete_once(run, queue_url, left), handles)
        if error:
            raise DeliveryError(f"the queue did not delete: {error}")
        if not failed:
            return
        handles = [handle for handle, _ in failed]
    raise DeliveryError(f"the queue did not delete {counted(len(failed), 'message')}: {failed[0][1]}")


def connect(settings: Settings) -> Any:
    """A client for the queue of the settings."""
    import boto3
    from botocore.config import Config

    limits = Config(
        connect_timeout=_TIMEOUT_S,
        read_timeout=settings.queue_wait.total_seconds() + _TIMEOUT_S,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
    session = boto3.Session()
    _mask(session.get_credentials())
    region = settings.region or region_of(settings.queue_url or "")
    return session.client("sqs", region_name=region, endpoint_url=endpoint_of(settings), config=limits)


def endpoint_of(settings: Settings) -> str | None:
    """Where SQS is: as the settings say, else where a queue lies that is not Amazon's own; None for Amazon's endpoints."""
    if settings.endpoint_url:
        return settings.endpoint_url
    parts = urlsplit(settings.queue_url or "")
    is_amazon = (parts.hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return None if is_amazon or not parts.hostname else f"{parts.scheme}://{parts.netloc}"


def unread(run: Run) -> tuple[int, str]:
    """Messages that the queue still has, in flight and delayed ones too, as far as it knows; and why that cannot be known."""
    number, error = _within_time(run, lambda _: _count_once(run), None)
    return number or 0, error


def region_of(queue_url: str) -> str:
    """The region that a queue is in: by its address, else as in the environment."""
    match = _REGION.search(queue_url)
    if match:
        return match[1]
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _client(run: Run) -> Any:
    """The one client of a pass, which its threads share."""
    return run.once("sqs", lambda: connect(run.settings))


def _receive_once(run: Run, number: int) -> list[Message]:
    answer = _client(run).receive_message(
        QueueUrl=run.settings.queue_url,
        MaxNumberOfMessages=number,
        WaitTimeSeconds=round(run.settings.queue_wait.total_seconds()),
    )
    return [
        Message(Receipt(message["MessageId"], message["ReceiptHandle"]), message.get("Body", ""))
        for message in answer.get("Messages", [])
    ]


def _count_once(run: Run) -> int:
    answer = _client(run).get_queue_attributes(QueueUrl=run.settings.queue_url, AttributeNames=_UNREAD)
    return sum(int(answer.get("Attributes", {}).get(name, 0)) for name in _UNREAD)


def _delete_once(run: Run, queue_url: str, handles: Sequence[str]) -> list[tuple[str, str]]:
    """Handles that are left, each with the reason; one that expired is done: its message comes again, as a duplicate."""
    entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
    answer = _client(run).delete_message_batch(QueueUrl=queue_url, Entries=entries)
    failed = [(entry["Id"], entry.get("Code", "")) for entry in answer.get("Failed", [])]
    return [(handles[int(number)], shorten(code) or "no reason given") for number, code in failed if code not in _GONE]


def _within_time(run: Run, function: Callable[[Any], Any], item: Any) -> tuple[Any, str]:
    """What a call to boto3 answers, or why it answers nothing; a queue that is silent does not hold the pass."""
    limit = run.settings.queue_wait.total_seconds() + 2 * _TIMEOUT_S
    for result in run.map(function, [item], timeout=limit):
        if result.error is None:
            return result.value, ""
        is_missing = "No module named 'boto" in result.error.message
        return None, NO_BOTO3 if is_missing else result.error.message
    return None, "the pass must end"


def _mask(credentials: Any) -> None:
    """Let pollctl mask the keys, which come from the environment or a profile: errors repeat what an endpoint answers."""
    for part in ("access_key", "secret_key", "token"):
        if value := getattr(credentials, part, None):
            Secret(value)
