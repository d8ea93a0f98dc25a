"""What a Marketing Cloud account does with the requests it gets."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pollctl_shell_query.fake import envelopes
from pollctl_shell_query.fake.objects import Step, StoredDefinition
from pollctl_shell_query.fake.replies import COMPLETE, QUEUED, Reply, json_reply, xml_reply

LIFETIME_S = 1080


class FakeAccount:
    """The state of the upstream.

    Attributes:
        now: the moment that creations bear; None for the real one.
        script: what the polls of a task answer, one after the other, the last again and again.
        scripts: the same for the tasks of one definition, by the name of the run.
        running: what isRunning answers, one after the other, the last again and again.
        missing: how many questions for rows of a target are answered with 404 before it can be read.
        rows: what every target holds.
        reported_count: the count of rows to answer, if it is to differ from those.
        creates, performs: how often by customer key, and by ObjectID.
        definitions, targets, tokens: what there is: by ObjectID, the columns by key, and those that are taken.
        inactive: definitions that were deleted; the upstream goes on listing them for ever, and deletes them again and again.
        deletes: how often each definition was deleted, by ObjectID.
    """

    def __init__(self) -> None:
        self.client_id, self.client_secret, self.account_id = "fake-client", "fake-client-secret", 0
        self.lifetime: float = LIFETIME_S
        self.now: datetime | None = None
        self.script: list[Step] = [QUEUED, COMPLETE]
        self.scripts: dict[str, list[Step]] = {}
        self.running: list[bool] = [True]
        self.missing: Counter[str] = Counter()
        self.rows: list[dict[str, Any]] = [{"keys": {"id": "1"}, "values": {"name": "Ada", "opens": "3"}}]
        self.reported_count: int | None = None
        self.creates: Counter[str] = Counter()
        self.performs: Counter[str] = Counter()
        self.definitions: dict[str, StoredDefinition] = {}
        self.inactive: dict[str, StoredDefinition] = {}
        self.deletes: Counter[str] = Counter()
        self.targets: dict[str, list[dict[str, str]]] = {}
        self.tokens: set[str] = set()
        self._tasks: dict[str, tuple[str, int]] = {}
        self._serial = 0
        self._lock = threading.RLock()

    def grant(self, request: Mapping[str, Any], base_url: str) -> Reply:
        """A token for the right client."""
        expected = ("client_credentials", self.client_id, self.client_secret)
        if (request.get("grant_type"), request.get("client_id"), request.get("client_secret")) != expected:
            return Reply(status=401, body=b'{"error": "invalid_client"}')
        if request.get("account_id", 0) != self.account_id:
            return Reply(status=403, body=b'{"error": "invalid_account"}')
        token = f"token-{self._next_number()}-{id(self):x}"
        self.tokens.add(token)
        urls = {"soap_instance_url": f"{base_url}/", "rest_instance_url": f"{base_url}/"}
        return json_reply({"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime, **urls})

    def create_definition(self, definition: StoredDefinition) -> Reply:
        """A definition; a customer key is taken only once."""
        self.creates[definition.customer_key] += 1
        if any(other.customer_key == definition.customer_key for other in self.definitions.values()):
            return xml_reply(envelopes.created("Error", "A definition with this CustomerKey exists"))
        self.definitions[definition.object_id] = definition
        return xml_reply(envelopes.created("OK", "QueryDefinition created", definition.object_id))

    def create_target(self, key: str, fields: list[dict[str, str]]) -> Reply:
        """A data extension."""
        if key in self.targets:
            return xml_reply(envelopes.created("Error", "A data extension with this CustomerKey exists"))
        self.targets[key] = fields
        return xml_reply(envelopes.created("OK", "DataExtension created", f"de-{self._next_number()}"))

    def perform(self, object_id: str) -> Reply:
        """Start a definition: a task of its own each time."""
        self.performs[object_id] += 1
        if object_id not in self.definitions:
            return xml_reply(envelopes.performed("Error", "No such definition"))
        task_id = f"task-{self._next_number()}"
        self._tasks[task_id] = (self.definitions[object_id].name, 0)
        return xml_reply(envelopes.performed("OK", "", task_id))

    def status(self, task_id: str) -> Reply:
        """The next step of a task."""
        if task_id not in self._tasks:
            return xml_reply(envelopes.statuses([]))
        name, polls = self._tasks[task_id]
        self._tasks[task_id] = (name, polls + 1)
        script = next((steps for run, steps in self.scripts.items() if name.startswith(f"{run} ")), self.script)
        step = script[min(polls, len(script) - 1)]
        properties = {"Status": step.status, "ErrorMsg": step.error, "CompletedDate": step.completed_date}
        return xml_reply(envelopes.statuses([properties]))

    def find(self, fits: Callable[[StoredDefinition], bool]) -> Reply:
        """The definitions that fit, deleted ones among them."""
        listed = [*self.inactive.values(), *self.definitions.values()]
        return xml_reply(envelopes.definitions([one for one in listed if fits(one)]))

    def delete(self, object_id: str) -> Reply:
        """Delete a definition."""
        self.deletes[object_id] += 1
        if definition := self.definitions.pop(object_id, None):
            definition.is_active = False
            self.inactive[object_id] = definition
        if object_id not in self.inactive:
            return xml_reply(envelopes.deleted("Error", "No such definition"))
        return xml_reply(envelopes.deleted("OK", ""))

    def delete_target(self, key: str) -> Reply:
        """Delete a data extension."""
        if self.targets.pop(key, None) is None:
            return xml_reply(envelopes.deleted("Error", "No such data extension"))
        return xml_reply(envelopes.deleted("OK", ""))

    def is_running(self) -> Reply:
        """The next answer to whether a query runs."""
        is_running = self.running.pop(0) if len(self.running) > 1 else self.running[0]
        return json_reply({"isRunning": is_running})

    def rowset(self, key: str, page: int, size: int) -> Reply:
        """One page of rows, once the target can be read."""
        if self.missing[key] > 0:
            self.missing[key] -= 1
            return Reply(status=404, body=b'{"message": "not found"}')
        items = self.rows[(page - 1) * size : page * size]
        count = len(self.rows) if self.reported_count is None else self.reported_count
        return json_reply({"count": count, "page": page, "pageSize": size, "items": items, "links": {}})

    def validate(self, sql: str) -> Reply:
        """SQL that does not begin with SELECT is not valid here."""
        is_valid = sql.lstrip().upper().startswith("SELECT")
        errors = [] if is_valid else [{"message": "Incorrect syntax near the first word"}]
        return json_reply({"queryValid": is_valid, "errors": errors})

    def new_definition(self, texts: Mapping[str, str]) -> StoredDefinition:
        """A definition as a Create asks for it."""
        return StoredDefinition(
            object_id=f"object-{self._next_number()}",
            customer_key=texts["CustomerKey"],
            name=texts["Name"],
            sql=texts["QueryText"],
            target=texts["DataExtensionTarget/CustomerKey"],
            update_type=texts["TargetUpdateType"],
            created_at=self.now or datetime.now(UTC),
        )

    def leave_behind(self, customer_key: str, age: timedelta, *, is_active: bool = True) -> str:
        """A definition that nobody deleted, or one that was; returns its ObjectID."""
        definition = StoredDefinition(
            object_id=f"object-{self._next_number()}", customer_key=customer_key, name=customer_key, sql="", target="t",
            update_type="Overwrite", created_at=(self.now or datetime.now(UTC)) - age, is_active=is_active,
        )  # fmt: skip
        (self.definitions if is_active else self.inactive)[definition.object_id] = definition
        return definition.object_id

    def _next_number(self) -> int:
        with self._lock:
            self._serial += 1
            return self._serial
