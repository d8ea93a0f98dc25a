"""A small event service on the loopback: subscriptions, history and postings; what goes wrong is scripted."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from pollctl import from_text, to_text
from pollctl.fakes import NOT_FOUND, FakeUpstream, ServerRequest, ServerResponse
from pollctl_toilet_gap.fake.queue import FakeQueue

Operation = Literal["subscribe", "unsubscribe", "history", "heard", "post"]


class Subscription(NamedTuple):
    """What was subscribed to."""

    id: str
    robot_id: str
    event_names: tuple[str, ...]
    until: datetime


class Fault(NamedTuple):
    """What goes wrong with an operation.

    Attributes:
        status: of the answer; 0 closes the connection without one.
        is_done: whether it is done all the same, so that only the answer is lost.
        delay: seconds before the answer.
        body: sent instead of the usual one, with *status*.
    """

    status: int = 503
    is_done: bool = False
    delay: float = 0
    body: bytes | None = None


class FakeEventService(FakeUpstream):
    """An event service to be used with ``with``; it answers until the block ends.

    Args:
        push: given the text of each message for the queue, if there is one.
        queue: served beside it, and given these messages.

    Attributes:
        push: as above; may be set later.
        now: what its clock says.
        subscriptions: the active ones, by id.
        subscribed: all that were ever made, in their order.
        posted: the alarms that were posted, in their order.
        faults: what goes wrong with each operation from now on, for all robots or for one (``("history", "r-1")``).
        calls: how often each operation was asked for.
    """

    def __init__(
        self, push: Callable[[str], None] | None = None, *, queue: FakeQueue | None = None, port: int = 0
    ) -> None:
        super().__init__(port=port)
        self.now = datetime(2020, 1, 1, tzinfo=UTC)
        self.subscriptions: dict[str, Subscription] = {}
        self.subscribed: list[Subscription] = []
        self.posted: list[dict[str, Any]] = []
        self.faults: dict[Operation | tuple[Operation, str], Fault] = {}
        self.calls: Counter[Operation] = Counter()
        self.created_since: list[int] = []
        self.queue = queue
        self.push = queue.push if queue is not None else push
        self._history: dict[str, list[dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Answer for subscriptions, the history and alarms, and for the queue."""
        if self.queue is not None and self.queue.is_meant(request):
            return self.queue.respond(request)
        match (request.method, *request.parts):
            case ("GET", "internal", "v1", "events", "robots", robot_id, "incomings"):
                name, since = request.query.get("event_name", ""), int(request.query["created_since"])
                asked: Operation = "history" if name else "heard"
                return self._do(asked, robot_id, lambda: ServerResponse.json(self.incomings(robot_id, name, since)))
            case ("POST", "internal", "v1", "events", "robots", robot_id, "subscriptions"):
                body = json.loads(request.body)
                return self._do("subscribe", robot_id, lambda: ServerResponse.json(self.subscribe(robot_id, body), 201))
            case ("POST", "internal", "v1", "events", "robots", robot_id, "incomings"):
                body = json.loads(request.body)
                return self._do("post", robot_id, lambda: ServerResponse.json(self.post(robot_id, body), 201))
            case ("DELETE", "internal", "v1", "events", "robots", robot_id, "subscriptions", subscription_id):
                return self._do("unsubscribe", robot_id, lambda: ServerResponse(self.unsubscribe(subscription_id)))
            case _:
                return NOT_FOUND

    def _do(self, operation: Operation, robot_id: str, do: Callable[[], ServerResponse]) -> ServerResponse:
        fault = self.fault(operation, robot_id)
        if fault is None:
            return do()
        if fault.is_done:
            do()
        body = b"{}" if fault.body is None else fault.body
        return ServerResponse(fault.status, body, delay=fault.delay, is_lost=not fault.status)

    def settings(self, *monitors: dict[str, object], **more: object) -> str:
        """A section of settings that leads here, with a table for each monitor."""
        own: dict[str, object] = {"event_service_url": self.url}
        if self.queue is not None:
            own |= {"queue_url": f"{self.url}/123456789012/{self.queue.name}", "queue_wait": "0s"}
        lines = ["[plugins.toilet_gap]", *(f"{key} = {json.dumps(value)}" for key, value in {**own, **more}.items())]
        for monitor in monitors:
            lines.append("[[plugins.toilet_gap.monitors]]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in monitor.items()]
        return "\n".join(lines)

    def visit(
        self,
        robot_id: str,
        at: datetime | str,
        *,
        event_id: str = "",
        event_name: str = "TOILET_ACTIVITY",
        is_in_history: bool = True,
        is_pushed: bool = True,
    ) -> dict[str, Any]:
        """Let something happen: it is kept in the history and pushed to those who subscribed.

        Without *is_in_history* the history does not know it (``add_to_history`` can make up for that later), without
        *is_pushed* the queue does not.
        """
        moment = at if isinstance(at, str) else to_text(at)
        event = {
            "id": event_id or f"{robot_id}@{moment}",
            "robotId": robot_id,
            "eventName": event_name,
            "createdAt": moment,
        }
        if is_in_history:
            self.add_to_history(robot_id, event)
        for subscription in [*self.subscriptions.values()] if is_pushed and self.push else ():
            if subscription.robot_id == robot_id and event_name in subscription.event_names and self.push:
                self.push(json.dumps({"subscriptionId": subscription.id, "sourceEvent": event}))
        return event

    def add_to_history(self, robot_id: str, event: Any) -> None:
        """Put an item into the history of a robot, whatever it looks like."""
        with self._lock:
            self._history.setdefault(robot_id, []).append(event)

    def fault(self, operation: Operation, robot_id: str) -> Fault | None:
        """What goes wrong with this operation for this robot now."""
        with self._lock:
            self.calls[operation] += 1
            return self.faults.get((operation, robot_id), self.faults.get(operation))

    def subscribe(self, robot_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make a subscription."""
        with self._lock:
            made = Subscription(
                id=f"sub-{len(self.subscribed) + 1}",
                robot_id=robot_id,
                event_names=tuple(body["eventNames"]),
                until=from_text(body["until"]),
            )
            self.subscribed.append(made)
            self.subscriptions[made.id] = made
            return {"id": made.id}

    def unsubscribe(self, subscription_id: str) -> int:
        """End a subscription, and answer with which status."""
        with self._lock:
            return 204 if self.subscriptions.pop(subscription_id, None) else 404

    def incomings(self, robot_id: str, event_name: str, created_since: int) -> list[Any]:
        """The history of one name, or of all, in no particular order; items that are not events are always in it."""
        since = datetime.fromtimestamp(created_since, UTC)
        with self._lock:
            self.created_since.append(created_since)
            items = self._history.get(robot_id, [])
            return [item for item in reversed(items) if _is_wanted(item, event_name, since)]

    def post(self, robot_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Take an alarm; it becomes part of the history, and is answered as it stands there."""
        event = {
            **body,
            "id": f"alarm-{body.get('referenceId')}",
            "robotId": robot_id,
            "createdAt": to_text(self.now),
        }
        with self._lock:
            self.posted.append(event)
        self.add_to_history(robot_id, event)
        return event

    @property
    def references(self) -> list[str]:
        """The reference ids of the alarms that were posted, in their order."""
        return [event["referenceId"] for event in self.posted]


def _is_wanted(item: Any, event_name: str, since: datetime) -> bool:
    try:
        return bool(event_name in ("", item["eventName"]) and from_text(item["createdAt"]) >= since)
    except (KeyError, TypeError, ValueError, OverflowError):
        return True
