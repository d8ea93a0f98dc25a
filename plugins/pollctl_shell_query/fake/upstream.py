"""A small Marketing Cloud on the loopback that behaves like the real one: token, SOAP and REST ends, faults included."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl_shell_query.fake import envelopes as xml
from pollctl_shell_query.fake.envelopes import Definition, Step

LIFETIME_S = 1080


class Reply(Struct, frozen=True, kw_only=True):
    """How one request is answered instead of as usual.

    Attributes:
        is_acted: whether the request takes effect all the same.
        is_lost: the connection is closed without an answer.
        delay: seconds before the answer.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    is_acted: bool = False
    is_lost: bool = False
    delay: float = 0


QUEUED, PROCESSING, COMPLETE = Step(), Step(status="Processing"), Step(status="Complete")
HTML_500 = Reply(status=500, body=b"<html><body>Server Error</body></html>", headers={"Content-Type": "text/html"})
LOST = Reply(is_lost=True)
LOST_AFTER = Reply(is_lost=True, is_acted=True)
TOKEN_EXPIRED = Reply(status=500, body=xml.fault("q0:Security", "Token Expired"))


class FakeMarketingCloud(FakeUpstream):
    """A Marketing Cloud to be used with ``with``; it answers until the block ends.

    Attributes:
        base_url: for the settings.
        now: the moment that creations bear; None for the real one.
        script: what the polls of a task say, one after the other, the last again and again.
        scripts: the same for the tasks of one definition, by the name of the run.
        running: what isRunning says, one after the other, the last again and again.
        replies: how the next requests of a kind are answered instead: ``token``, ``create``, ``perform``, ``status``,
            ``find``, ``list``, ``find_target``, ``create_target``, ``delete``, ``delete_target``, ``isrunning``, ``rowset``,
            ``validate``. Those of a kind in ``always`` are answered so again and again.
        missing: how many questions for rows of a target are answered with 404 before it can be read.
        rows: what every target holds.
        counted: the count of rows to tell, if it shall differ from those.
        delay: seconds before each answer.
        asked: kinds of requests, in their order; ``details`` the same with what they were about.
        creates, performs: how often by customer key, and by ObjectID.
        barred: whether every token is refused.
        on_request: called with the kind of each request before it is answered.
        is_unplugged: whether connections are closed without an answer, and nothing happens any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.client_id, self.client_secret, self.account_id = "fake-client", "fake-client-secret", 0
        self.lifetime: float = LIFETIME_S
        self.now: datetime | None = None
        self.script: list[Step] = [QUEUED, COMPLETE]
        self.scripts: dict[str, list[Step]] = {}
        self.running: list[bool] = [True]
        self.replies: dict[str, list[Reply]] = defaultdict(list)
        self.always: dict[str, Reply] = {}
        self.missing: Counter[str] = Counter()
        self.rows: list[dict[str, Any]] = [{"keys": {"id": "1"}, "values": {"name": "Ada", "opens": "3"}}]
        self.counted: int | None = None
        self.delay = 0.0
        self.asked: list[str] = []
        self.details: list[tuple[str, str]] = []
        self.arrivals: list[float] = []
        self.creates: Counter[str] = Counter()
        self.performs: Counter[str] = Counter()
        self.barred = False
        self.on_request: Callable[[str], None] = lambda _: None
        self.is_unplugged = False
        self.definitions: dict[str, Definition] = {}
        self.targets: dict[str, list[dict[str, str]]] = {}
        self.tokens: set[str] = set()
        self._tasks: dict[str, tuple[str, int]] = {}
        self._serial = 0
        self._turn = threading.RLock()
        self.base_url = self.url

    def settings(self, **more: object) -> str:
        """A section of settings that leads here."""
        own = {"auth_url": self.base_url, "client_id": self.client_id, "client_secret": self.client_secret}
        values = {**own, **more}
        return "\n".join(["[plugins.shell_query]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())])

    def count(self, kind: str) -> int:
        """How many requests of a kind there were."""
        return self.asked.count(kind)

    # what requests do

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Answer tokens, SOAP and REST."""
        reply = self._reply(request)
        return ServerResponse(reply.status, reply.body, reply.headers, reply.delay or self.delay, reply.is_lost)

    def _reply(self, request: ServerRequest) -> Reply:
        match (request.method, *request.parts):
            case ("GET", "automation", "v1", "queries", object_id, "actions", "isrunning"):
                return self.answer("isrunning", object_id, request.bearer, self.is_running)
            case ("GET", "data", "v1", "customobjectdata", "key", key, "rowset"):
                page, size = int(request.query["$page"]), int(request.query["$pageSize"])
                return self.answer("rowset", key, request.bearer, lambda: self.rowset(key, page, size))
            case ("POST", "v2", "token"):
                return self.answer("token", "", None, lambda: self.grant(json.loads(request.body)))
            case ("POST", "Service.asmx"):
                return self._soap(request)
            case ("POST", "automation", "v1", "queries", "actions", "validate"):
                text = json.loads(request.body)["Text"]
                return self.answer("validate", "", request.bearer, lambda: self.validate(text))
            case _:
                return Reply(status=404, body=b"{}")

    def _soap(self, request: ServerRequest) -> Reply:
        """Whatever the envelope asks for."""
        asked = xml.asked(request.body)
        if request.headers.get("soapaction") != asked.operation:
            return Reply(status=500, body=xml.fault("soap:Client", "SOAPAction does not fit"))
        said, key = asked.said, asked.said.get("CustomerKey", "")
        acts: dict[str, tuple[str, Callable[[], Reply]]] = {
            "create": (key, lambda: self.create_definition(self.made(said))),
            "create_target": (key, lambda: self.create_target(key, asked.fields)),
            "perform": (said.get("ObjectID", ""), lambda: self.perform(said["ObjectID"])),
            "status": (asked.value, lambda: self.status(asked.value)),
            "find": (asked.value, lambda: self.find(lambda one: one.customer_key == asked.value)),
            "list": (asked.value, lambda: self.find(lambda one: one.customer_key.startswith(asked.value[:-1]))),
            "find_target": (
                asked.value,
                lambda: _xml(xml.targets([asked.value] if asked.value in self.targets else [])),
            ),
            "delete": (said.get("ObjectID", ""), lambda: self.delete(said["ObjectID"])),
            "delete_target": (key, lambda: self.delete_target(key)),
        }
        detail, act = acts[asked.kind]
        return self.answer(asked.kind, detail, asked.token, act)

    def answer(self, kind: str, detail: str, token: str | None, act: Callable[[], Reply]) -> Reply:
        """Answer one request; *token* is None where none is needed."""
        self.on_request(kind)
        with self._turn:
            if self.is_unplugged:
                return LOST
            self.asked.append(kind)
            self.details.append((kind, detail))
            self.arrivals.append(time.monotonic())
            told = self.replies[kind].pop(0) if self.replies[kind] else self.always.get(kind)
            if told is not None:
                if told.is_acted:
                    act()
                return told
            if token is not None and (self.barred or token not in self.tokens):
                is_soap = kind not in ("isrunning", "rowset", "validate")
                return TOKEN_EXPIRED if is_soap else Reply(status=401, body=b'{"message": "Not Authorized"}')
            return act()

    def grant(self, said: Mapping[str, Any]) -> Reply:
        """A token for the right client."""
        wanted = ("client_credentials", self.client_id, self.client_secret)
        if (said.get("grant_type"), said.get("client_id"), said.get("client_secret")) != wanted:
            return Reply(status=401, body=b'{"error": "invalid_client"}')
        if said.get("account_id", 0) != self.account_id:
            return Reply(status=403, body=b'{"error": "invalid_account"}')
        token = f"token-{self._next()}-{id(self):x}"
        self.tokens.add(token)
        urls = {"soap_instance_url": f"{self.base_url}/", "rest_instance_url": f"{self.base_url}/"}
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime, **urls})

    def create_definition(self, made: Definition) -> Reply:
        """A definition; a customer key is taken only once."""
        self.creates[made.customer_key] += 1
        if any(other.customer_key == made.customer_key for other in self.definitions.values()):
            return _xml(xml.created("Error", "A definition with this CustomerKey exists"))
        self.definitions[made.object_id] = made
        return _xml(xml.created("OK", "QueryDefinition created", made.object_id))

    def create_target(self, key: str, fields: list[dict[str, str]]) -> Reply:
        """A data extension."""
        if key in self.targets:
            return _xml(xml.created("Error", "A data extension with this CustomerKey exists"))
        self.targets[key] = fields
        return _xml(xml.created("OK", "DataExtension created", f"de-{self._next()}"))

    def perform(self, object_id: str) -> Reply:
        """Start a definition: a task of its own each time."""
        self.performs[object_id] += 1
        if object_id not in self.definitions:
            return _xml(xml.performed("Error", "No such definition"))
        task_id = f"task-{self._next()}"
        self._tasks[task_id] = (self.definitions[object_id].name, 0)
        return _xml(xml.performed("OK", "", task_id))

    def status(self, task_id: str) -> Reply:
        """The next step of a task."""
        if task_id not in self._tasks:
            return _xml(xml.statuses([]))
        name, polls = self._tasks[task_id]
        self._tasks[task_id] = (name, polls + 1)
        script = next((steps for known, steps in self.scripts.items() if name.startswith(f"{known} ")), self.script)
        step = script[min(polls, len(script) - 1)]
        said = {"Status": step.status, "ErrorMsg": step.error, "CompletedDate": step.completed_date}
        return _xml(xml.statuses([said]))

    def find(self, fits: Callable[[Definition], bool]) -> Reply:
        """The definitions that fit."""
        return _xml(xml.definitions([one for one in self.definitions.values() if fits(one)]))

    def delete(self, object_id: str) -> Reply:
        """Delete a definition."""
        if self.definitions.pop(object_id, None) is None:
            return _xml(xml.deleted("Error", "No such definition"))
        return _xml(xml.deleted("OK", ""))

    def delete_target(self, key: str) -> Reply:
        """Delete a data extension."""
        if self.targets.pop(key, None) is None:
            return _xml(xml.deleted("Error", "No such data extension"))
        return _xml(xml.deleted("OK", ""))

    def is_running(self) -> Reply:
        """The next word on whether a query runs."""
        said = self.running.pop(0) if len(self.running) > 1 else self.running[0]
        return _json({"isRunning": said})

    def rowset(self, key: str, page: int, size: int) -> Reply:
        """One page of rows, once the target can be read."""
        if self.missing[key] > 0:
            self.missing[key] -= 1
            return Reply(status=404, body=b'{"message": "not found"}')
        items = self.rows[(page - 1) * size : page * size]
        count = len(self.rows) if self.counted is None else self.counted
        return _json({"count": count, "page": page, "pageSize": size, "items": items, "links": {}})

    def validate(self, sql: str) -> Reply:
        """SQL that does not begin with SELECT is not valid here."""
        is_valid = sql.lstrip().upper().startswith("SELECT")
        errors = [] if is_valid else [{"message": "Incorrect syntax near the first word"}]
        return _json({"queryValid": is_valid, "errors": errors})

    def made(self, said: Mapping[str, str]) -> Definition:
        """A definition as a Create asks for it."""
        return Definition(
            object_id=f"object-{self._next()}",
            customer_key=said["CustomerKey"],
            name=said["Name"],
            sql=said["QueryText"],
            target=said["DataExtensionTarget/CustomerKey"],
            update_type=said["TargetUpdateType"],
            created_at=self.now or datetime.now(UTC),
        )

    def leave_behind(self, customer_key: str, age: timedelta) -> str:
        """A definition that nobody deleted; answers its ObjectID."""
        made = Definition(
            object_id=f"object-{self._next()}", customer_key=customer_key, name=customer_key, sql="", target="t",
            update_type="Overwrite", created_at=(self.now or datetime.now(UTC)) - age,
        )  # fmt: skip
        self.definitions[made.object_id] = made
        return made.object_id

    def _next(self) -> int:
        with self._turn:
            self._serial += 1
            return self._serial


def _xml(body: bytes) -> Reply:
    return Reply(body=body, headers={"Content-Type": "text/xml; charset=utf-8"})


def _json(value: object) -> Reply:
    return Reply(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})
