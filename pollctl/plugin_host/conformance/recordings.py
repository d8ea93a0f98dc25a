"""Whether a value survives being written to a recording and read back."""

from __future__ import annotations

from typing import Any

import msgspec

from pollctl import units


def as_json(value: Any) -> bytes:
    """A value as a recording keeps it, secrets aside.

    Raises:
        TypeError, NotImplementedError: it cannot be written.
    """
    return msgspec.json.encode(value, enc_hook=units.encode)


def read_back(text: bytes | str, kind: Any) -> Any:
    """A value from the JSON text of a recording.

    Raises:
        msgspec.ValidationError: the text does not fit the type.
    """
    return msgspec.json.decode(text, type=kind, dec_hook=units.decode)


def round_trip_problems(value: Any, kind: Any) -> list[str]:
    """Whether a value survives being written to a recording and read back as *kind*; empty when it does."""
    try:
        again = read_back(as_json(value), kind)
    except (msgspec.MsgspecError, ValueError, TypeError, NotImplementedError) as error:
        return [f"{type(value).__name__} does not survive a recording: {error}"]
    return [] if again == value else [f"{type(value).__name__} comes back from a recording as another value"]
