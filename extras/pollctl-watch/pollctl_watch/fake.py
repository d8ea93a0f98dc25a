"""A shop on the loopback."""

from __future__ import annotations

from hashlib import sha256

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

PAGE = """<!doctype html><title>The bicycle shop</title>
<h1>Bicycle</h1><p class="price">{} €</p><p>{} people are looking at it</p>"""


class Shop(FakeUpstream):
    """Any path is the page of a bicycle at a ``price``; ``is_down`` makes it fail."""

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.price, self.people, self.is_down = "899,00", 3, False

    def respond(self, request: ServerRequest) -> ServerResponse:
        """The answer to one request."""
        page = PAGE.format(self.price, self.people).encode()
        tag = f'"{sha256(page).hexdigest()[:12]}"'
        if self.is_down:
            return ServerResponse(503)
        if request.headers.get("if-none-match") == tag:
            return ServerResponse(304)
        return ServerResponse(body=page, headers={"Content-Type": "text/html; charset=utf-8", "ETag": tag})
