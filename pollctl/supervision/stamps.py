"""What `due --run` printed of trouble in which no database can be written: a file in the user's state folder.

Where that cannot be written either, it lies beside the settings; and where neither can, everything is news.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from pollctl.clock import from_text, to_text
from pollctl.config.target_file import written_whole

AGAIN_AFTER = timedelta(days=1)
"""What lasts is printed again once a day."""
_MOST = 100  # entries that are kept


def is_news(settings: Path | None, text: str, now: datetime) -> bool:
    """Whether a message about a place was not printed within a day; it is noted that it is now."""
    digest = sha256(text.encode(errors="backslashreplace")).hexdigest()[:16]
    for path in _paths(settings):
        seen = _read(path)
        if is_recent(seen.get(digest), now):
            return False
        kept = {key: at for key, at in seen.items() if is_recent(at, now)}
        kept[digest] = to_text(now)
        if _is_written(path, dict(list(kept.items())[-_MOST:])):
            return True
    return True


def forget(settings: Path | None) -> None:
    """All is well again: what comes next is news."""
    for path in _paths(settings):
        with suppress(OSError):
            path.unlink()


def is_recent(at: str | None, now: datetime) -> bool:
    """Whether a moment lies within the last day; one that lies ahead was written by a clock that was wrong."""
    if not at:
        return False
    with suppress(ValueError):
        return timedelta() <= now - from_text(at) < AGAIN_AFTER
    return False


def _paths(settings: Path | None) -> Iterator[Path]:
    place = str(settings.absolute() if settings else Path.cwd())
    with suppress(OSError, RuntimeError, KeyError):  # no home, and no such user
        name = sha256(place.encode(errors="surrogateescape")).hexdigest()[:16]
        yield _state_folder() / f"printed-{name}.json"
    if settings:
        yield settings.with_name(f".{settings.name}.printed")


def _state_folder() -> Path:
    """As platformdirs has it, which takes as long to import as a pass takes."""
    platform: str = sys.platform
    if platform == "linux":
        named = Path(os.environ.get("XDG_STATE_HOME", ""))
        return (named if named.is_absolute() else Path.home() / ".local/state") / "pollctl"
    import platformdirs

    return platformdirs.user_state_path("pollctl")


def _read(path: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_bytes()[:100_000])
        if isinstance(found, dict):
            return {str(key): str(value) for key, value in found.items()}
    return {}


def _is_written(path: Path, entries: dict[str, str]) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with written_whole(path) as file:
            file.write(json.dumps(entries))
    except OSError:
        return False
    return True
