"""The API session of a command, outside of a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import Answer, PluginContext, Request
from pollctl_shell_query.client.session import ApiSession
from pollctl_shell_query.client.tokens import require_settings
from pollctl_shell_query.model import Settings
from pollctl_shell_query.store.tokens import keep_token, kept_token

if TYPE_CHECKING:
    import requests


class CommandRequests:
    """What a session needs of a command; a person may ask at any time."""

    def __init__(self, context: PluginContext, send: Callable[[Request], Answer]) -> None:
        self.now: datetime = context.now
        self.settings: Settings = context.settings
        self._send = send

    def send(self, request: Request) -> Answer:
        """Make one exchange."""
        return self._send(request)

    def session(self, *, max_body: int) -> requests.Session:
        """None: no command asks by SOAP."""
        raise NotImplementedError

    def held_until(self, upstream: str) -> datetime | None:  # noqa: ARG002 - see above
        """Never."""
        return None


@contextmanager
def command_session(context: PluginContext) -> Iterator[ApiSession]:
    """A session with the token of the passes; a new token is kept for them.

    Raises:
        ConfigError: the settings do not say where to ask, or as who.
    """
    require_settings(context.settings)
    with context.reading() as db:
        token = kept_token(db)
    with context.asking() as send:
        session = ApiSession(CommandRequests(context, send))
        session.reuse(token)
        try:
            yield session
        finally:
            fresh, _ = session.take_unsaved()
            if fresh is not None:
                with context.writing() as db:
                    keep_token(db, fresh)
