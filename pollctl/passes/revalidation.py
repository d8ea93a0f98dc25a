"""Asking again for what may not have changed: ``run.get_many(..., cache=True)``.

Which batch is made of which answer nobody says, so it goes by order: the batch that is yielded while an answer is the latest
of its ``get_many``. What is doubtful (another answer was taken, ``run.failed`` was told, the batch was rolled back) changes
nothing that is kept, so the worst that comes of it is an answer in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pollctl.api.conditional import conditional_key
from pollctl.api.values import Answer, Request
from pollctl.store import validators
from pollctl.store.database import open_to_read
from pollctl.store.validators import Kept

if TYPE_CHECKING:
    from sqlite_utils import Database


class Revalidation:
    """What one pass knows of the answers that it takes.

    Args:
        plugin: whose.
        database: where validators are kept; there may be none yet.
    """

    def __init__(self, plugin: str, database: Path) -> None:
        self._plugin = plugin
        self._database = database
        self._latest: dict[object, Kept] = {}

    def get_many(
        self, requests: Iterable[Request], ask: Callable[[Iterable[Request]], Iterator[Answer]]
    ) -> Iterator[Answer]:
        """Ask with what is kept of earlier answers, and keep in mind what each answer says."""
        ours = object()
        exists = self._database.exists()
        try:
            with closing(open_to_read(self._database)) if exists else nullcontext() as db:
                for answer in ask(self._conditional(request, db) for request in requests):
                    self._latest.pop(ours, None)
                    request: Request = answer.request.tag
                    if (key := conditional_key(request)) and answer.status == 200:  # noqa: PLR2004
                        self._latest[ours] = Kept(key, answer.validators)
                    yield replace(answer, request=request)
        finally:
            self._latest.pop(ours, None)

    def keep(self, db: Database, now: datetime) -> None:
        """Keep what the latest answers said, within the transaction of the batch that was made of them."""
        validators.keep(db, self._plugin, self._latest.values(), now)
        self._latest.clear()

    def drop(self) -> None:
        """Keep nothing of the latest answers: no batch comes of them."""
        self._latest.clear()

    def _conditional(self, request: Request, db: Database | None) -> Request:
        """The request as it is sent, with the one that it was made of as its tag."""
        key = conditional_key(request)
        is_whole = "no-cache" in _header(request, "cache-control")
        known = validators.of_request(db, self._plugin, key) if db and key and not is_whole else {}
        return replace(request, headers={**request.headers, **known}, tag=request)


def _header(request: Request, name: str) -> str:
    return next((value.lower() for one, value in request.headers.items() if one.lower() == name), "")
