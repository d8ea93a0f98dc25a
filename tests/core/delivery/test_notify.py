"""What is sent to people never holds a password, wherever it came from."""

from __future__ import annotations

import json

import pytest

from pollctl.delivery.notify import send
from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl.redaction import Secret


class Mailbox(FakeUpstream):
    """Keeps what is sent to it (``json://``)."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, str]] = []

    def respond(self, request: ServerRequest) -> ServerResponse:
        self.messages.append(json.loads(request.body))
        return ServerResponse(204)


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # of Apprise, which imports it
def test_title_and_body_are_masked() -> None:
    Secret("hunter2-swordfish")
    with Mailbox() as mailbox:
        address = mailbox.url.replace("http://", "json://otto:letterbox-key@")
        title = "http://anna:geheim@db.example.net/ is offline"
        body = "It said hunter2-swordfish.\nThe second line names letterbox-key."
        send(address, title=title, body=body, key="one", timeout=10)
    (message,) = mailbox.messages
    assert message["title"] == "http://***@db.example.net/ is offline"
    assert message["message"] == "It said ***.\nThe second line names ***."
