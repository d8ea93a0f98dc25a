"""The web server of the fake: which request is answered by what, and what happens to it on its way."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl_shell_query.fake import envelopes
from pollctl_shell_query.fake.account import FakeAccount
from pollctl_shell_query.fake.replies import LOST, TOKEN_EXPIRED, Reply, xml_reply
from pollctl_shell_query.fake.requests import SoapRequest, read_request

_REST = ("isrunning", "rowset", "validate")


class FakeMarketingCloud(FakeUpstream, FakeAccount):
    """A Marketing Cloud to be used with ``with``; it answers until the block ends.

    Attributes:
        base_url: for the settings.
        replies: how the next requests of a kind are answered instead: ``token``, ``create``, ``perform``, ``status``,
            ``find``, ``list``, ``find_target``, ``create_target``, ``delete``, ``delete_target``, ``isrunning``, ``rowset``,
            ``validate``. Those of a kind in ``always`` are answered so again and again.
        delay: seconds before each answer.
        asked: kinds of requests, in their order; ``details`` the same with what they were about; ``arrivals`` when they came.
        on_request: called with the kind of each request before it is answered.
        is_unplugged: whether connections are closed without an answer, and nothing happens any more.
    """

    def __init__(self, *, port: int = 0) -> None:
        FakeUpstream.__init__(self, port=port)
        FakeAccount.__init__(self)
        self.base_url = self.url
        self.replies: dict[str, list[Reply]] = defaultdict(list)
        self.always: dict[str, Reply] = {}
        self.delay = 0.0
        self.asked: list[str] = []
        self.details: list[tuple[str, str]] = []
        self.arrivals: list[float] = []
        self.on_request: Callable[[str], object] = lambda _: None
        self.is_unplugged = False

    def settings(self, **more: object) -> str:
        """A section of settings that leads here."""
        own = {"auth_url": self.base_url, "client_id": self.client_id, "client_secret": self.client_secret}
        values = {**own, **more}
        return "\n".join(["[plugins.shell_query]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())])

    def count(self, kind: str) -> int:
        """How many requests of a kind there were."""
        return self.asked.count(kind)

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Answer tokens, SOAP and REST."""
        reply = self._reply(request)
        return ServerResponse(reply.status, reply.body, reply.headers, reply.delay or self.delay, reply.is_lost)

    def _reply(self, request: ServerRequest) -> Reply:
        match (request.method, *request.parts):
            case ("GET", "automation", "v1", "queries", object_id, "actions", "isrunning"):
                return self._answer("isrunning", object_id, request.bearer, self.is_running)
            case ("GET", "data", "v1", "customobjectdata", "key", key, "rowset"):
                page, size = int(request.query["$page"]), int(request.query["$pageSize"])
                return self._answer("rowset", key, request.bearer, lambda: self.rowset(key, page, size))
            case ("POST", "v2", "token"):
                return self._answer("token", "", None, lambda: self.grant(json.loads(request.body), self.base_url))
            case ("POST", "Service.asmx"):
                return self._soap(request)
            case ("POST", "automation", "v1", "queries", "actions", "validate"):
                sql = json.loads(request.body)["Text"]
                return self._answer("validate", "", request.bearer, lambda: self.validate(sql))
            case _:
                return Reply(status=404, body=b"{}")

    def _soap(self, request: ServerRequest) -> Reply:
        """Whatever the envelope asks for."""
        asked = read_request(request.body)
        if request.headers.get("soapaction") != asked.operation:
            return Reply(status=500, body=envelopes.fault("soap:Client", "SOAPAction does not fit"))
        subject, act = self._soap_acts(asked)[asked.kind]
        return self._answer(asked.kind, subject, asked.token, act)

    def _soap_acts(self, asked: SoapRequest) -> dict[str, tuple[str, Callable[[], Reply]]]:
        """What a request is about and what it does, by its kind."""
        texts, value = asked.texts, asked.value
        key, object_id = texts.get("CustomerKey", ""), texts.get("ObjectID", "")
        return {
            "create": (key, lambda: self.create_definition(self.new_definition(texts))),
            "create_target": (key, lambda: self.create_target(key, asked.fields)),
            "perform": (object_id, lambda: self.perform(object_id)),
            "status": (value, lambda: self.status(value)),
            "find": (value, lambda: self.find(lambda one: one.customer_key == value)),
            "list": (value, lambda: self.find(lambda one: one.customer_key.startswith(value[:-1]))),
            "find_target": (value, lambda: xml_reply(envelopes.targets({value} & self.targets.keys()))),
            "delete": (object_id, lambda: self.delete(object_id)),
            "delete_target": (key, lambda: self.delete_target(key)),
        }

    def _answer(self, kind: str, subject: str, token: str | None, act: Callable[[], Reply]) -> Reply:
        """Answer one request; *token* is None where none is needed."""
        self.on_request(kind)
        with self._lock:
            if self.is_unplugged:
                return LOST
            self.asked.append(kind)
            self.details.append((kind, subject))
            self.arrivals.append(time.monotonic())
            planned = self.replies[kind].pop(0) if self.replies[kind] else self.always.get(kind)
            if planned is not None:
                if planned.is_acted:
                    act()
                return planned
            if token is not None and token not in self.tokens:
                return _token_refused(kind)
            return act()


def _token_refused(kind: str) -> Reply:
    return Reply(status=401, body=b'{"message": "Not Authorized"}') if kind in _REST else TOKEN_EXPIRED
