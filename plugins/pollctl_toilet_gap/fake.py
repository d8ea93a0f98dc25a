"""A small event service on the loopback: subscriptions, history and postings; what goes wrong is scripted."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pollctl import from_text, to_text

Deed = Literal["subscribe", "unsubscribe", "history", "post"]


class Subscription(NamedTuple):
    """What was subscribed to."""

    id: str
    robot_id: str
    event_names: tuple[str, ...]
    until: datetime


class Fault(NamedTuple):
    """What goes wrong with a deed.

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


class FakeEventService:
    """An event service to be used with ``with``; it answers until the block ends.

    Args:
        push: given the text of each message for the queue, if there is one.

    Attributes:
        push: as above; may be set later.
        now: what its clock says.
        subscriptions: the active ones, by id.
        subscribed: all that were ever made, in their order.
        posted: the alarms that were posted, in their order.
        faults: what goes wrong with each deed from now on, for all robots or for one (``("history", "r-1")``).
        asked: how often each deed was asked for.
    """

    def __init__(self, push: Callable[[str], None] | None = None) -> None:
        self.now = datetime(2020, 1, 1, tzinfo=UTC)
        self.subscriptions: dict[str, Subscription] = {}
        self.subscribed: list[Subscription] = []
        self.posted: list[dict[str, Any]] = []
        self.faults: dict[Deed | tuple[Deed, str], Fault] = {}
        self.asked: Counter[Deed] = Counter()
        self.created_since: list[int] = []
        self.push = push
        self._history: dict[str, list[dict[str, Any]]] = {}
        self._turn = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Asked)
        self._server.service = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def settings(self, *monitors: dict[str, object], **more: object) -> str:
        """A section of settings that leads here, with a table for each monitor."""
        lines = ["[plugins.toilet_gap]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in {"event_service_url": self.url, **more}.items()]
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
        is_remembered: bool = True,
        is_pushed: bool = True,
    ) -> dict[str, Any]:
        """Let something happen: it is remembered by the history and pushed to those who subscribed.

        Without *is_remembered* the history does not know it (``remember`` can make up for that later), without
        *is_pushed* the queue does not.
        """
        moment = at if isinstance(at, str) else to_text(at)
        event = {
            "id": event_id or f"{robot_id}@{moment}",
            "robotId": robot_id,
            "eventName": event_name,
            "createdAt": moment,
        }
        if is_remembered:
            self.remember(robot_id, event)
        for subscription in [*self.subscriptions.values()] if is_pushed and self.push else ():
            if subscription.robot_id == robot_id and event_name in subscription.event_names and self.push:
                self.push(json.dumps({"subscriptionId": subscription.id, "sourceEvent": event}))
        return event

    def remember(self, robot_id: str, event: Any) -> None:
        """Put an item into the history of a robot, whatever it looks like."""
        with self._turn:
            self._history.setdefault(robot_id, []).append(event)

    def fault(self, deed: Deed, robot_id: str) -> Fault | None:
        """What goes wrong with this deed for this robot now."""
        with self._turn:
            self.asked[deed] += 1
            return self.faults.get((deed, robot_id), self.faults.get(deed))

    def subscribe(self, robot_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make a subscription."""
        with self._turn:
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
        with self._turn:
            return 204 if self.subscriptions.pop(subscription_id, None) else 404

    def incomings(self, robot_id: str, event_name: str, created_since: int) -> list[Any]:
        """The history, in no particular order; items that are no events are always in it."""
        since = datetime.fromtimestamp(created_since, UTC)
        with self._turn:
            self.created_since.append(created_since)
            items = self._history.get(robot_id, [])
            return [item for item in reversed(items) if _is_wanted(item, event_name, since)]

    def post(self, robot_id: str, body: dict[str, Any]) -> None:
        """Take an alarm; it becomes part of the history."""
        event = {
            **body,
            "id": f"posted-{len(self.posted) + 1}",
            "robotId": robot_id,
            "createdAt": to_text(self.now),
        }
        with self._turn:
            self.posted.append(event)
        self.remember(robot_id, event)

    @property
    def references(self) -> list[str]:
        """The reference ids of the alarms that were posted, in their order."""
        return [event["referenceId"] for event in self.posted]


def _is_wanted(item: Any, event_name: str, since: datetime) -> bool:
    try:
        return bool(item["eventName"] == event_name and from_text(item["createdAt"]) >= since)
    except (KeyError, TypeError, ValueError, OverflowError):
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    service: FakeEventService

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that are killed in the middle."""


class _Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one piece
    server: _Server

    def do_GET(self) -> None:
        """Answer the history."""
        split = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        match self._parts():
            case [robot_id, "incomings"]:
                self._do(
                    "history",
                    robot_id,
                    lambda: self.server.service.incomings(robot_id, query["event_name"], int(query["created_since"])),
                )
            case _:
                self._answer(404, b"{}")

    def do_POST(self) -> None:
        """Make a subscription, or take an alarm."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        match self._parts():
            case [robot_id, "subscriptions"]:
                self._do("subscribe", robot_id, lambda: self.server.service.subscribe(robot_id, body), 201)
            case [robot_id, "incomings"]:
                self._do("post", robot_id, lambda: self.server.service.post(robot_id, body), 201)
            case _:
                self._answer(404, b"{}")

    def do_DELETE(self) -> None:
        """End a subscription."""
        match self._parts():
            case [robot_id, "subscriptions", subscription_id]:
                self._do("unsubscribe", robot_id, lambda: self.server.service.unsubscribe(subscription_id))
            case _:
                self._answer(404, b"{}")

    def _parts(self) -> list[str]:
        """What follows ``/internal/v1/events/robots/``."""
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        return parts[4:] if parts[:4] == ["internal", "v1", "events", "robots"] else []

    def _do(self, deed: Deed, robot_id: str, do: Callable[[], Any], status: int = 200) -> None:
        fault = self.server.service.fault(deed, robot_id)
        if fault is None:
            done = do()
            self._answer(done if isinstance(done, int) else status, json.dumps(done).encode())
            return
        if fault.is_done:
            do()
        time.sleep(fault.delay)
        if not fault.status:
            self.close_connection = True
            return
        self._answer(fault.status, b"{}" if fault.body is None else fault.body)

    def _answer(self, status: int, body: bytes) -> None:
        body = b"" if status == 204 else body  # noqa: PLR2004
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing: stderr belongs to the program that embeds this."""
