"""Types of settings that TOML has no word for, durations, sizes and addresses, and how values are recorded."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import PurePath
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

from pollctl.redaction import Secret, know_login

_T = TypeVar("_T")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(\d+)(B|KB|MB|GB)", re.ASCII)
_BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


class Duration(timedelta):
    """A length of time written ``"500ms"``, ``"20s"``, ``"15m"``, ``"2h"`` or ``"1d"``; a timedelta everywhere else."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a duration.

        Raises:
            ValueError: *text* is not a number and one unit.
        """
        match = _DURATION.fullmatch(text)
        if match is None:
            raise ValueError(f'{text!r} is not a valid duration; write "500ms", "20s", "15m", "2h" or "1d"')
        return cls(seconds=float(match[1]) * _SECONDS[match[2]])

    def __str__(self) -> str:
        milliseconds = round(self.total_seconds() * 1000)
        for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
            if milliseconds and milliseconds % size == 0:
                return f"{milliseconds // size}{unit}"
        return f"{milliseconds}ms" if milliseconds else "0s"


class Size(int):
    """A number of bytes written ``"512B"``, ``"64KB"``, ``"32MB"`` or ``"1GB"`` (1 KB = 1,024 bytes); an int elsewhere."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a size.

        Raises:
            ValueError: *text* is not a whole number and one unit.
        """
        match = _SIZE.fullmatch(text)
        if match is None:
            raise ValueError(f'{text!r} is not a valid size; write "64KB" or "32MB"')
        return cls(int(match[1]) * _BYTES[match[2]])

    def __str__(self) -> str:
        for unit in ("GB", "MB", "KB"):
            if self and self % _BYTES[unit] == 0:
                return f"{self // _BYTES[unit]}{unit}"
        return f"{int(self)}B"


class PositiveDuration(Duration):
    """A duration that cannot be zero."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a duration.

        Raises:
            ValueError: *text* is not a valid duration, or a zero one.
        """
        return _more_than_zero(super().parse(text))


class PositiveSize(Size):
    """A number of bytes that cannot be zero."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a size.

        Raises:
            ValueError: *text* is not a valid size, or a zero one.
        """
        return _more_than_zero(super().parse(text))


def _more_than_zero(value: _T) -> _T:
    if not value:
        raise ValueError(f'"{value}" is not more than zero')
    return value


class HttpUrl(str):
    """An absolute http or https address that a request can be sent to; text everywhere else.

    Once it was parsed, a login in it is masked wherever secrets are.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address.

        Raises:
            ValueError: what is wrong with it, in a sentence without it.
        """
        from pollctl.urls import address_of

        know_login(text)
        address_of(text)
        if " " in text or not text.isprintable():
            raise ValueError("the address holds spaces, or characters that cannot be seen")
        return cls(text)


def encode(value: Any) -> Any:
    """What msgspec writes for one of these types (its ``enc_hook``)."""
    if isinstance(value, Secret):
        return str(value) if value else ""  # that there is none is no secret, and rules may ask for it
    if isinstance(value, Duration | Size | HttpUrl | ZoneInfo | PurePath):
        return str(value)
    if isinstance(value, str) and hasattr(value, "parse"):
        return str(value)
    raise NotImplementedError(
        f"{type(value).__name__} cannot be recorded; use numbers, text, datetimes or msgspec structs"
    )


def decode(kind: type, value: Any) -> Any:
    """What msgspec reads as one of these types (its ``dec_hook``).

    Raises:
        ValueError: the text is not such a value.
    """
    if isinstance(kind, type) and issubclass(kind, Duration | Size | HttpUrl):
        return kind.parse(value)
    if isinstance(kind, type) and issubclass(kind, Secret | ZoneInfo | PurePath):
        return kind(value)
    if hasattr(kind, "parse") and isinstance(value, str):
        return kind.parse(value)
    raise NotImplementedError(
        f"{kind!r} cannot be read from a recording; use numbers, text, datetimes or msgspec structs"
    )
