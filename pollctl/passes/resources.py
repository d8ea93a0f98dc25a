"""What a pass keeps open for its plugin: sessions, clients and the like."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pollctl.api.run import T
from pollctl.errors import text_of


class Resources:
    """Resources by name, made when they are first asked for, by any thread."""

    def __init__(self) -> None:
        self._by_name: dict[str, Any] = {}
        self._making = threading.RLock()

    def once(self, name: str, factory: Callable[[], T]) -> T:
        """The resource of that name, made by *factory* if there is none yet."""
        with self._making:
            if name not in self._by_name:
                self._by_name[name] = factory()
            resource: T = self._by_name[name]
            return resource

    def close(self, log: Callable[[str], None]) -> None:
        """Close them, the latest first; one that cannot be closed is named to *log* and does no harm."""
        while self._by_name:
            name, resource = self._by_name.popitem()
            try:
                getattr(resource, "close", _nothing)()
            except Exception as error:  # noqa: BLE001 - the pass has done its work
                log(f"closing {name!r}: {type(error).__name__}: {text_of(error)}")


def _nothing() -> None:
    """What there is to close of a resource without ``close``."""
