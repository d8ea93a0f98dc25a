"""Headers as libcurl takes them, worded once for all requests that send the same."""

from __future__ import annotations

from pollctl.http.journey import Journey

_MOST_KEPT = 256
_Key = tuple[tuple[str, str], ...]


class Words:
    """The lines of headers that were sent before; the same list where the same is sent."""

    def __init__(self) -> None:
        self._known: dict[_Key, list[bytes]] = {}

    def of(self, journey: Journey) -> list[bytes]:
        """What is sent where a request is now.

        Raises:
            Failure: ``protocol``, when a header cannot be sent.
            UnicodeEncodeError: likewise.
        """
        key = tuple(journey.headers().items())
        lines = self._known.get(key)
        if lines is None:
            lines = _worded(journey)
            if len(self._known) < _MOST_KEPT:
                self._known[key] = lines
        return lines


def _worded(journey: Journey) -> list[bytes]:
    """One line each; libcurl writes a Host that no request names itself, and an empty value only behind a semicolon."""
    names = {name.lower() for name in journey.headers()}
    return [
        (f"{name}: {value}" if value else f"{name};").encode("latin-1")
        for name, value in journey.words().items()
        if name != "Host" or "host" in names
    ]
