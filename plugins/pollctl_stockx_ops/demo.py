"""stockx_ops in ``pollctl demo``: listed, rejected, rate-limited, a wall that fails no job, and a login that breaks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pollctl_stockx_ops.fake import COMPLETED, OPEN, REFUSED, FakeStockX, Reply

if TYPE_CHECKING:
    from pollctl.demo import DemoSession
    from pollctl.fakes import Playground

_VARIABLE = "POLLCTL_DEMO_REFRESH_TOKEN"


def run(session: DemoSession) -> None:
    """Follow three operations of a seller, and then lose her login."""
    script = {
        "op-sneakers": [OPEN, COMPLETED],
        "op-boots": [REFUSED],
        "op-sandals": [Reply(status=429, headers={"Retry-After": "90"}), COMPLETED],
    }
    with FakeStockX(script) as upstream:
        session.title("stockx_ops: what became of my operation?")
        session.settings(upstream.settings(rate="100/s"))
        session.say(
            "Anna sells shoes. Each ask is answered with an operation id, and its outcome comes later or never."
        )
        _connect(session, upstream)
        for second, name in enumerate(("sneakers", "boots", "sandals")):
            _track(session, name, second)
        session.say("The first pass: one is under way, one is rejected, and one meets the rate limit.")
        session.passes("stockx_ops", _at(30))
        session.say("The upstream asks for a pause of a minute and a half, and gets it; then the others are listed:")
        session.passes("stockx_ops", _at(60), _at(90), _at(120))
        session.pollctl("stockx-ops", "jobs", at=_at(120))
        session.pollctl("stockx-ops", "history", at=_at(120))
        _wall(session, upstream)
        session.say(
            "Now StockX refuses Anna's login, also with a fresh token. Three jobs depend on it; she is notified once, and "
            "passes say so until she connects it again:"
        )
        upstream.barred.add("anna")
        for second, name in enumerate(("clogs", "pumps", "loafers"), start=245):
            _track(session, name, second)
        session.passes("stockx_ops", _at(270), _at(300), _at(330), code=3)
        session.expect_messages(
            "anna", "boots failed", "sneakers is live", "sandals is live", "slippers is live", "login"
        )
        session.pollctl("stockx-ops", "account", "list", at=_at(330))
        session.pollctl("stockx-ops", "stats", at=_at(330))


def _wall(session: DemoSession, upstream: FakeStockX) -> None:
    session.say("For a minute a bot wall answers everything with 403. That says nothing about the operation: it waits.")
    _track(session, "slippers", 125)
    upstream.is_walled = True
    session.passes("stockx_ops", _at(150), _at(180), code=1)
    upstream.is_walled = False
    session.passes("stockx_ops", _at(210))


def playground(port: int) -> Playground:
    """A seller whose operations end well at the second question."""
    from pollctl.fakes import Playground

    upstream = FakeStockX({"op-boots": [OPEN, COMPLETED]}, port=port)
    upstream.users["refresh-anna-demo"] = "anna"
    hint = (
        f"{_VARIABLE}=refresh-anna-demo pollctl stockx-ops account connect anna --refresh-token-env {_VARIABLE}; "
        "pollctl stockx-ops track op-boots --user anna --type create_listing --listing boots; pollctl run stockx_ops"
    )
    return Playground(upstream, upstream.settings(), hint)


def _connect(session: DemoSession, upstream: FakeStockX) -> None:
    upstream.users["refresh-anna-demo"] = "anna"
    os.environ[_VARIABLE] = "refresh-anna-demo"
    try:
        session.pollctl(
            "stockx-ops", "account", "connect", "anna", "--refresh-token-env", _VARIABLE,
            "--notify", session.inbox("anna"), at=_at(0),
        )  # fmt: skip
    finally:
        del os.environ[_VARIABLE]


def _track(session: DemoSession, name: str, second: int) -> None:
    words = ("--user", "anna", "--type", "create_listing", "--listing", name)
    session.pollctl("stockx-ops", "track", f"op-{name}", *words, at=_at(second))


def _at(second: int) -> str:
    return f"2026-03-02T09:{second // 60:02d}:{second % 60:02d}Z"
