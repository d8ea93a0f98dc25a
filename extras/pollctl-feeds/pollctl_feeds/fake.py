"""A site with feeds on the loopback."""

from __future__ import annotations

from html import escape

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>The harbour</title>{}</channel></rss>'
ITEM = "<item><guid>{0}</guid><link>https://harbour.example.net/{0}</link><title>{1}</title></item>"


class Site(FakeUpstream):
    """``/feed.xml`` has the ``titles``, the latest first; a reader that has them already is told so; ``is_down`` makes it fail."""

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.titles = ["The lock is closed", "New berths"]
        self.is_down = False

    def respond(self, request: ServerRequest) -> ServerResponse:
        """The answer to one request."""
        tag = f'"{len(self.titles)}"'
        if self.is_down:
            return ServerResponse(503)
        if request.headers.get("if-none-match") == tag:
            return ServerResponse(304)
        items = (ITEM.format(len(self.titles) - i, escape(title)) for i, title in enumerate(self.titles))
        body = RSS.format("".join(items)).encode()
        return ServerResponse(body=body, headers={"Content-Type": "application/rss+xml", "ETag": tag})
